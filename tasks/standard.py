"""The steps of a change of the standard: read what operators drafted, say what it changes, put it in force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.types import MAX_VARIABLE_VALUE_LENGTH
from prefect.variables import Variable

from db import standards
from db.session import transaction
from domain.standard import CALENDARS, STANDARD, Standard, load_version, overlay, read_figures
from domain.standard_change import Changed, changed_figures, read_draft
from settings import get_settings

_NEARLY_FULL = 0.9


@dataclass(frozen=True)
class Proposal:
    """A draft that can be put in force: its standard, its own figures, what differs from now, and what to mind."""

    standard: Standard
    changes: Mapping[str, Any]
    changed: list[Changed]
    notes: list[str]


@task(cache_policy=NO_CACHE)
def propose() -> Proposal:
    """What the two variables would change. Raises StandardError for what cannot be put in force."""
    drafts: dict[str, Any] = {name: Variable.get(name, default={}) for name in (STANDARD, CALENDARS)}
    changes = read_draft(drafts[STANDARD], drafts[CALENDARS])
    own_file = get_settings().standard
    with transaction() as connection:
        newest = standards.find_newest(connection)
        standard = load_version(own_file, newest["id"] + 1 if newest else 1, changes)
        standards.require_usable(connection, standard)
    written = read_figures(own_file)
    present = overlay(written, newest["changes"]) if newest else written
    lengths = {name: len(json.dumps(draft)) for name, draft in drafts.items()}
    return Proposal(
        standard,
        changes,
        changed_figures(present, overlay(written, changes)),
        [
            f"{name} holds {length} of at most {MAX_VARIABLE_VALUE_LENGTH} characters: "
            "move what is to stay into the file that AFTERCARE_STANDARD names"
            for name, length in lengths.items()
            if length > _NEARLY_FULL * MAX_VARIABLE_VALUE_LENGTH
        ],
    )


@task(cache_policy=NO_CACHE)
def adopt(proposal: Proposal, reason: str, now: datetime) -> None:
    """Put it in force for tickets to come. Raises StandardError or ChangedMeanwhileError; then nothing is changed."""
    with transaction() as connection:
        standards.adopt(connection, proposal.standard, proposal.changes, reason=reason, by="operations", now=now)
