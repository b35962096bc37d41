"""The error of a command that cannot go on."""

from __future__ import annotations


class CommandError(Exception):
    """The command cannot go on; the text says what to mend."""
