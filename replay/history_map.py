"""This file reads the map of a foreign event log: which column is what, which activity is which command."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from domain.commands import build_command
from domain.exceptions import HistoryMapError, InvalidInputError
from domain.figures import ZoneName
from domain.intake import build_report
from domain.lifecycle import CommandName, TicketState
from domain.tickets import Channel, Impact


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LogFormat(_Part):
    """How the log is written; its times are local to ``time_zone``."""

    time_zone: ZoneName
    time_format: str
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"


class Columns(_Part):
    """Which column is what; the names as the log's header has them."""

    case: str
    activity: str
    at: str
    resource: str
    customer: str
    product: str | None = None
    severity: str | None = None

    def names(self) -> list[str]:
        """The columns that must be in the log."""
        return [name for name in self.model_dump().values() if name is not None]


class Opening(_Part):
    """What every ticket of the log gets; ``description`` may use ``{case}`` and ``{product}``."""

    channel: Channel
    description: str
    impact: Impact
    impact_by_severity: dict[str, Impact] = {}

    @field_validator("description")
    @classmethod
    def _usable(cls, description: str) -> str:
        try:
            shortest = description.format(case="1", product="-")
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError("may use {case} and {product} and no other braces") from error
        try:
            build_report({"channel": Channel.WEB, "description": shortest})
        except InvalidInputError as error:
            raise ValueError(f"makes no description of a ticket: {error.problem}") from error
        return description


class ActivityRule(_Part):
    """What an activity means.

    ``opens``: a case may begin with it. ``settled_in``: in these states the activity says nothing new and is kept
    as a note.
    ``instead``: in these states it means another command.
    ``hands_over``: the row's resource takes the ticket. ``values`` is what the command is told.
    """

    command: CommandName
    values: dict[str, Any] = {}
    opens: bool = False
    settled_in: frozenset[TicketState] = frozenset()
    instead: dict[TicketState, CommandName] = {}
    hands_over: bool = False

    @model_validator(mode="after")
    def _complete(self) -> ActivityRule:
        if self.command is not CommandName.CHANGE_PRIORITY:
            try:
                build_command(self.command, self.values)
            except InvalidInputError as error:
                raise ValueError(f"values of {self.command.value}: {error}") from error
        return self


class HistoryMap(_Part):
    """The whole map. ``standard``: figures laid over the service standard for this log."""

    log: LogFormat
    columns: Columns
    opening: Opening
    activities: dict[str, ActivityRule] = Field(min_length=1)
    standard: dict[str, Any] = {}


def load_map(name_or_path: str) -> HistoryMap:
    """The map in a file, or one that comes along by its name (``helpdesk_log``). Raises HistoryMapError."""
    path = Path(name_or_path)
    bundled = resources.files("replay").joinpath("maps", f"{path.stem}.toml")
    try:
        text = path.read_text("utf-8") if path.exists() else bundled.read_text("utf-8")
    except OSError:
        raise HistoryMapError(f"{name_or_path}: no such map; give a TOML file or 'helpdesk_log'") from None
    except UnicodeDecodeError as error:
        raise HistoryMapError(f"{name_or_path}: not readable as TOML: {error}") from error
    try:
        return HistoryMap.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise HistoryMapError(f"{name_or_path}: not readable as TOML: {error}") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        problem = str(fault["msg"]).removeprefix("Value error, ")
        raise HistoryMapError(f"{name_or_path}: {where}: {problem}") from error
