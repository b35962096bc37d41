"""This file turns values into what people read: moments, durations, shares, labels, changes.

Every filter takes its language and time zone from the render's context, so templates name neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, pass_context
from jinja2.runtime import Context, Undefined
from markupsafe import Markup, escape

from domain.assignment import read_grounds
from templates.languages import LabelMissingError, entry, label_file, region_name, word

Moment = str | datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure moved: ``direction`` is 1, 0 or -1, or None when one of the two is missing."""

    direction: int | None
    words: str


def _language(context: Context) -> str:
    return str(context["language"])


def _format(context: Context, key: str) -> Any:
    return entry(_language(context), "format", key)


def _filled(context: Context, section: str, key: str, *figures: object, **parts: object) -> str:
    """A label with its gaps filled. Raises ValueError that names the labels when they have other gaps."""
    language = _language(context)
    try:
        return word(language, section, key).format(*figures, **parts)
    except LabelMissingError:
        raise
    except (LookupError, ValueError) as error:
        file = label_file(language, section, key)
        raise ValueError(f"{file}: {key!r} in [{section}] cannot be filled: {error}") from error


def _nothing(context: Context) -> str:
    return str(_format(context, "nothing"))


def _aware(value: str | datetime) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment.utcoffset() is None:
        raise ValueError(f"{value} names no time zone; give an aware moment")
    return moment


def _local(context: Context, value: str | datetime) -> datetime:
    zone = context.resolve("time_zone")
    if isinstance(zone, Undefined):
        raise ValueError("a moment cannot be shown: the context has no 'time_zone'")
    return _aware(value).astimezone(ZoneInfo(str(zone)))


def _written(context: Context, pattern: str, moment: date) -> str:
    hour, minute = (moment.hour, moment.minute) if isinstance(moment, datetime) else (0, 0)
    return _filled(
        context,
        "format",
        pattern,
        weekday=_format(context, "weekdays")[moment.weekday()],
        month=_format(context, "months")[moment.month - 1],
        day=moment.day,
        hour=hour,
        minute=minute,
    )


@pass_context
def moment(context: Context, value: Moment, *, after: Moment = None) -> str:
    """A moment (aware, or ISO 8601 with a zone) in the reader's zone: ``Tue 24 Nov, 14:30``; None is a dash.

    On the same local day as ``after``, which was just said, only the time is said. Raises ValueError without a zone.
    """
    if value is None:
        return _nothing(context)
    local = _local(context, value)
    is_same_day = after is not None and _local(context, after).date() == local.date()
    return _written(context, "time" if is_same_day else "moment", local)


@pass_context
def day(context: Context, value: Moment | date) -> str:
    """The day of a moment in the reader's zone, or a plain date (also in ISO 8601): ``Tue 24 Nov``; None is a dash."""
    if value is None:
        return _nothing(context)
    if isinstance(value, str) and len(value) == len("2026-11-24"):
        value = date.fromisoformat(value)
    is_plain = isinstance(value, date) and not isinstance(value, datetime)
    return _written(context, "day", value if is_plain else _local(context, value))  # type: ignore[arg-type]


@pass_context
def last_day(context: Context, value: str | datetime) -> str:
    """The last day before an exclusive end, in the reader's zone."""
    return _written(context, "day", _local(context, _aware(value) - timedelta(seconds=1)))


@pass_context
def last_date(context: Context, value: str | datetime) -> str:
    """The last day before an exclusive end, in the reader's zone, as addresses and forms have it: ``2026-11-22``."""
    return _local(context, _aware(value) - timedelta(seconds=1)).date().isoformat()


@pass_context
def region(context: Context, value: object) -> str:
    """A region in the reader's language; a name that the operator gave as it is."""
    return region_name(_language(context), str(value))


@pass_context
def ahead(context: Context, value: Moment) -> bool:
    """Whether a promise can still be spoken of: the moment is known and not past at the render's ``now``.

    Without a ``now`` every known moment counts as ahead.
    """
    if value is None:
        return False
    now = context.resolve("now")
    return isinstance(now, Undefined) or now is None or _aware(value) > now


@pass_context
def promised(context: Context, value: Moment) -> str:
    """The moment as people say it while it is ahead; nothing, which is false, otherwise."""
    return moment(context, value) if ahead(context, value) else ""


@pass_context
def duration(context: Context, value: float | timedelta | None) -> str:
    """Seconds or a timedelta in days, hours and minutes, seconds cut off: ``2 h 30 min``; None is a dash."""
    if value is None:
        return _nothing(context)
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    minutes = int(abs(seconds) // 60)
    if minutes == 0:
        return str(_format(context, "under_a_minute"))
    amounts = {"days": minutes // 1440, "hours": minutes // 60 % 24, "minutes": minutes % 60}
    parts = [_filled(context, "format", unit, amount) for unit, amount in amounts.items() if amount]
    return ("-" if seconds < 0 else "") + str(_format(context, "between_units")).join(parts)


@pass_context
def label(context: Context, value: Any, section: str) -> str:
    """The word for an enum's member or value in the reader's language. Raises LabelMissingError."""
    return word(_language(context), section, str(value.value if isinstance(value, Enum) else value))


def rounded(value: float, step: str) -> Decimal:
    """A figure as it is shown, half up, to the decimals of ``step``."""
    # By its decimal writing: 4.25 is 4.3 to everybody but binary fractions and bankers.
    return Decimal(str(value)).quantize(Decimal(step), ROUND_HALF_UP)


@pass_context
def percent(context: Context, value: float | None) -> str:
    """A share (0 to 1) in whole percent; None is a dash."""
    return _nothing(context) if value is None else _filled(context, "format", "percent", rounded(value * 100, "1"))


@pass_context
def score(context: Context, value: float | None) -> str:
    """A score with one decimal, half up; None is a dash."""
    return _nothing(context) if value is None else str(rounded(value, "0.1"))


@pass_context
def change(context: Context, pair: Mapping[str, float | None], unit: str = "count") -> Change:
    """How ``now`` differs from ``before``, in words with an arrow; units: count, share (in points), score.

    Both are rounded as they are shown, so that the difference agrees with the two figures beside it.
    """
    language = _language(context)
    now, before = pair["now"], pair["before"]
    if now is None or before is None:
        return Change(None, word(language, "change", "unknown"))
    scale, step = {"count": (1, "1"), "share": (100, "1"), "score": (1, "0.1")}[unit]
    difference = rounded(now * scale, step) - rounded(before * scale, step)
    if not difference:
        return Change(0, word(language, "change", "same"))
    direction = 1 if difference > 0 else -1
    words = _filled(context, "change", f"{unit}_{'up' if direction > 0 else 'down'}", abs(difference))
    return Change(direction, words)


@pass_context
def brief(context: Context, text: object, limit: int) -> str:
    """The text on one line in at most ``limit`` characters, an ellipsis where it was cut; without its full stop.

    The render may give it more or less ``room`` than the template's 1: an SMS that grew too long is cut shorter,
    while the same news in a mail, where length costs nothing, may say more.
    """
    room = context.resolve("room")
    limit = limit if isinstance(room, Undefined) else max(round(limit * float(room)), 2)
    line = " ".join(str(text).split()).rstrip(" .。;；")
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


@pass_context
def grounds(context: Context, reason: object) -> str:
    """Why somebody got a ticket: what Aftercare recorded in the reader's words, what a person wrote as it is."""
    found = read_grounds(str(reason))
    if found is None:
        return str(reason)
    load = {0: "open_none", 1: "open_one"}.get(found.load, "open_many")
    facts = [(found.widened, ""), ("on_duty" if found.is_on_duty else "next_on_duty", "")]
    facts += [(key, value) for key, value in (("region", found.region), ("skill", found.skill)) if value]
    facts.append((load, str(found.load)))
    said = [_filled(context, "grounds", key, value) for key, value in facts if key]
    return word(_language(context), "grounds", "between").join(said)


def capital(text: object) -> str:
    """The text with its first letter as a capital, the rest as it is."""
    words = str(text)
    return words[:1].upper() + words[1:]


def lines(text: object) -> Markup:
    """A person's text for HTML: escaped, its line breaks kept."""
    return Markup("<br>").join(escape(line) for line in str(text).strip().splitlines())


# A link ends where something other than ASCII begins: Chinese is written without spaces.
_LINK = re.compile(r"https?://[!#-;=?-~]+")


def linked(text: object) -> Markup:
    """A person's text for HTML: escaped, its web addresses as links that open in a new tab."""
    said, done, words = Markup(""), 0, str(text)
    for found in _LINK.finditer(words):
        url = found[0].rstrip(".,;:!?)'")
        said += words[done : found.start()]
        said += Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>').format(url)
        done = found.start() + len(url)
    return said + words[done:]


def cell(text: object) -> str:
    """Text that cannot break a Markdown table or become markup in it."""
    line = " ".join(str(text).split())
    for mark in "\\|<>[]`*_":
        line = line.replace(mark, f"\\{mark}")
    return line


def install(environment: Environment) -> None:
    """Make the filters, and the test ``is ahead``, known to an environment."""
    of_context = (moment, promised, day, last_day, last_date, region, duration, label, percent, score, change, brief)
    of_text = (capital, lines, linked, cell)
    for function in (*of_context, grounds, *of_text):
        environment.filters[function.__name__] = function
    environment.tests["ahead"] = ahead
