"""What was typed into a form of the workbench, read with care, and what is wrong with it, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from domain.commands import FARTHEST
from domain.exceptions import InvalidInputError
from domain.faults import Fault, fault_of


class FormError(Exception):
    """A form cannot be used as it is; nothing was stored."""

    def __init__(self, faults: Mapping[str, Fault]) -> None:
        super().__init__(", ".join(faults))
        self.faults = dict(faults)


@dataclass
class Typed:
    """One form. Each reader returns the value, or notes a fault of that field and returns None."""

    values: Mapping[str, list[str]]
    files: list[UploadFile]
    zone: ZoneInfo
    now: datetime
    faults: dict[str, Fault] = field(default_factory=dict)

    @classmethod
    def of(cls, form: FormData, *, zone: str, now: datetime) -> Typed:
        """The form that a browser sent; it sends two characters for a line break."""
        values: dict[str, list[str]] = {}
        for name, value in form.multi_items():
            if isinstance(value, str):
                values.setdefault(name, []).append(value.replace("\r\n", "\n"))
        files = [file for _, file in form.multi_items() if isinstance(file, UploadFile) and file.filename]
        return cls(values, files, ZoneInfo(zone), now)

    def text(self, name: str) -> str:
        """The text as it was typed, without blanks around it; empty when it is not there."""
        return (self.values.get(name) or [""])[0].strip()

    def texts(self, name: str) -> list[str]:
        """All that was ticked."""
        return [value for value in self.values.get(name, []) if value]

    def is_ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.text(name))

    def once(self) -> str:
        """What makes the form's command happen once; whatever is sent becomes harmless."""
        return "".join(filter(str.isalnum, self.text("once")))[:40]

    def lines(self, name: str) -> list[str]:
        """One value per line that is not empty."""
        return [line.strip() for line in self.text(name).splitlines() if line.strip()]

    def number(self, name: str, *, kind: str = "not_chosen") -> int | None:
        """A whole number; nothing when the field is empty."""
        text = self.text(name)
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) <= 15:
            return int(text)
        self.refuse(name, kind)
        return None

    def moment(self, name: str) -> datetime | None:
        """A local time of the reader, in UTC; nothing when the field is empty."""
        text = self.text(name)
        if not text:
            return None
        try:
            local = datetime.fromisoformat(text)
            moment = local.replace(tzinfo=self.zone).astimezone(UTC)
            is_there = moment.astimezone(self.zone).replace(tzinfo=None) == local
        except (ValueError, OverflowError):
            self.refuse(name, "no_moment")
            return None
        if local.tzinfo is not None or not is_there:
            self.refuse(name, "no_moment" if local.tzinfo is not None else "no_such_time")
            return None
        return moment

    def moment_ahead(self, name: str, *, is_needed: bool = True) -> datetime | None:
        """A promised moment: still to come, and within a year."""
        moment = self.moment(name)
        if moment is not None and self.now < moment <= self.now + FARTHEST:
            return moment
        if moment is not None:
            self.refuse(name, "past" if moment <= self.now else "too_far")
        elif is_needed:
            self.refuse(name, "missing")
        return None

    def refuse(self, name: str, kind: str, most: int | None = None) -> None:
        """Note what is wrong with a field; the first fault of a field counts."""
        self.faults.setdefault(name, Fault(kind, most))

    def require_usable(self) -> None:
        """Raise FormError if anything was refused."""
        if self.faults:
            raise FormError(self.faults)


def faults_of(error: InvalidInputError, names: Mapping[tuple[str, int], int] | None = None) -> dict[str, Fault]:
    """What is wrong with which field of the form, for what a command or an answer refused.

    ``names``: the row of the form behind each place of a list, because rows that are empty were left out.
    """
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return {error.field: Fault(_OF_FIELD.get(error.field, "unusable"))}
    return faults_in(cause, names)


def faults_in(error: ValidationError, names: Mapping[tuple[str, int], int] | None = None) -> dict[str, Fault]:
    """Every field that a model refused, with what is wrong; ``names`` as in ``faults_of``."""
    faults: dict[str, Fault] = {}
    for found in error.errors():
        faults.setdefault(_field(found["loc"], names or {}), fault_of(found, otherwise="not_chosen"))
    return faults


# What only the ticket's own data can refuse.
_OF_FIELD = {
    "assignee_id": "wrong_person",
    "owner_id": "wrong_person",
    "department": "nobody_there",
    "option": "not_chosen",
    "tested": "not_tested",
    "photo": "no_photo",
}


def _field(place: tuple[Any, ...], names: Mapping[tuple[str, int], int]) -> str:
    """``("options", 1, "title")`` as the form's ``option_title_2``."""
    if len(place) >= 3 and isinstance(place[1], int):
        row = names.get((str(place[0]), place[1]), place[1] + 1)
        return f"{str(place[0]).removesuffix('s')}_{place[2]}_{row}"
    return str(place[0]) if place else "form"
