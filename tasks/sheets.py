"""A sheet of answers on paper, as operations hand it over: by its name in a folder of the home (S-51)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from db import staff
from db.session import transaction
from db.standards import get_standard
from domain.exceptions import InvalidInputError
from domain.paper_map import load_map
from domain.people import Actor, Role
from settings import get_settings
from tasks.feedback import import_answers

FOLDER = "sheets"


@dataclass(frozen=True, slots=True)
class TakenSheet:
    """How many rows had which fate, and the first of those that were refused."""

    fates: Mapping[str, int]
    refused: Sequence[int]


@task(cache_policy=NO_CACHE)
def take_sheet(name: str, own_map: str | None, staff_id: int, dry_run: bool, now: datetime) -> TakenSheet:
    """Take in a sheet; the copy with each row's fate lies beside it. Raises DomainError."""
    standard = get_standard()
    with transaction() as connection:
        person = staff.get(connection, staff_id)
    source = _in_folder(name)
    checked = source.with_name(f"{source.stem}.checked.xlsx")
    imported = import_answers(
        source,
        checked,
        Actor(Role(person["role"]), staff_id),
        words=load_map(_in_folder(own_map) if own_map else None),
        dry_run=dry_run,
        language=standard.organisation.default_language,
        standard=standard,
        now=now,
    )
    checked.chmod(0o600)  # it holds what customers wrote
    fates = {fate.value: count for fate, count in imported.fates.items()}
    return TakenSheet(fates, [row for row, _ in imported.refused])


def _in_folder(name: str) -> Path:
    folder = get_settings().home.absolute() / FOLDER
    if not (folder / name).is_file():
        raise InvalidInputError("sheet", f"there is no file {name} in {folder}; copy it there first")
    return folder / name
