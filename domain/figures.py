"""What the figures of the standard are made of: durations, shares, zones; each is checked when it is read."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_duration(value: object) -> timedelta:
    """``"1h30m"`` as a timedelta. Raises ValueError when it is no positive duration."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"(\d+[dhms])+", value):
        raise ValueError(f"{value!r} is no duration; write it like 30m, 2h, 1h30m or 7d")
    try:
        total = sum((timedelta(**{_UNITS[u]: int(n)}) for n, u in re.findall(r"(\d+)([dhms])", value)), timedelta(0))
    except OverflowError:
        total = timedelta.max
    if not timedelta(0) < total <= timedelta(days=366):
        raise ValueError(f"{value!r} must be longer than nothing and at most 366 days")
    return total


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


def _local_time(value: object) -> object:
    """TOML has times of its own, 21:00:00; JSON writes them as text. Raises ValueError when a text is none."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"\d\d:\d\d(:\d\d)?", value):
        raise ValueError(f"{value!r} is no time of day; write it like 21:00:00")
    return time.fromisoformat(value)


LocalTime = Annotated[time, Field(strict=True), BeforeValidator(_local_time)]
Share = Annotated[float, Field(ge=0, le=1)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write it like Asia/Shanghai") from error
    return name


ZoneName = Annotated[str, BeforeValidator(_known_zone)]


class Part(BaseModel):
    """A section of the standard: nothing that is not known, and nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
