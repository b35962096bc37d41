"""What people may write: texts that can be stored, and how long they may be."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

# Postgres keeps no NUL in a text; refused here, it is a sentence instead of a crash.
NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=NO_NUL)]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_NUL)]
