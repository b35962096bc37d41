"""Answers on paper: to which survey each belongs, and that it counts once, beside those given online (S-51)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select, union_all

from db import surveys
from db.held import hold
from db.models import Customer, Staff, Survey, SurveyAnswer, Ticket
from db.rows import fetch
from domain.contact import normalise_email, normalise_phone
from domain.exceptions import InvalidInputError
from domain.paper_rows import Fate, PaperRow, Verdict, refused
from domain.people import Actor
from domain.satisfaction import PaperAnswer, SurveyState
from domain.standard import Standard
from domain.tickets import ticket_id

_NOON = time(12)  # of a day on paper nobody knows the hour


@dataclass(frozen=True, slots=True)
class Match:
    """A survey without an answer and the row that answers it. ``served_by``: the member of staff it names."""

    survey_id: int
    ticket_id: int
    served_by: int | None
    row: PaperRow


def match(
    connection: Connection, rows: Sequence[PaperRow], taken: dict[int, int], *, standard: Standard
) -> list[Match | Verdict]:
    """The survey that each row answers, or why it answers none.

    ``taken``: the surveys that this import has answered, with the hash of the answer; these are added to it.

    An order or a customer stands for the ticket that was completed last before the answer was written; of a ticket,
    the latest survey counts. The first answer to a survey counts, online or on paper: another one is refused.
    """
    organisation = standard.organisation
    zone, region = ZoneInfo(organisation.time_zone), organisation.default_phone_region
    references = [(row.reference, _key(row, region)) for row in rows]
    candidates = _candidates(connection, references)
    staff = _staff(connection, [row.staff for row in rows])
    found: list[Match | Verdict] = []
    for row, (name, key) in zip(rows, references, strict=True):
        verdict = _judge(row, name, candidates.get((name, key), []), staff, taken, zone)
        if isinstance(verdict, Match):
            taken[verdict.survey_id] = hash(row.answer)
        found.append(verdict)
    return found


def _judge(
    row: PaperRow,
    name: str,
    candidates: Sequence[Mapping[str, Any]],
    staff: Mapping[str, int],
    taken: Mapping[int, int],
    zone: ZoneInfo,
) -> Match | Verdict:
    if not candidates:
        return refused(**{name: f"unknown_{name}"})
    if row.staff and row.staff.casefold() not in staff:
        return refused(staff="unknown_staff")
    done = [one for one in candidates if one["survey_id"] is not None]
    if not done:
        return refused(**{name: "no_survey"})
    before = [one for one in done if _completed_by(one, row, zone)]
    if not before:
        return refused(answered_on="before_completion")
    chosen = before[-1]
    if chosen["erased_at"] is not None:
        return refused(**{name: "erased"})
    if chosen["survey_id"] in taken:
        is_same = taken[chosen["survey_id"]] == hash(row.answer)
        return Verdict(Fate.REPEATED) if is_same else refused(**{name: "answered"})
    if chosen["state"] == SurveyState.ANSWERED:
        stored = {field: chosen[field] for field in PaperAnswer.model_fields}
        return Verdict(Fate.REPEATED) if stored == row.answer.model_dump() else refused(**{name: "answered"})
    return Match(chosen["survey_id"], chosen["ticket_id"], staff.get(row.staff.casefold()), row)


def _completed_by(candidate: Mapping[str, Any], row: PaperRow, zone: ZoneInfo) -> bool:
    """A ticket that was reopened has no moment of completion: its survey was asked for an earlier one."""
    completed_at = candidate["completed_at"]
    return completed_at is None or completed_at.astimezone(zone).date() <= row.answered_on


def store(connection: Connection, matched: Match, actor: Actor, *, standard: Standard, now: datetime) -> Verdict:
    """Store one answer with its event. Who wrote it lately is thanked, or called if unhappy (S-42); whoever wrote it
    longer ago than ``callback.paper_within`` is left alone."""
    held = hold(connection, matched.ticket_id)
    state = connection.execute(select(Survey.state).where(Survey.id == matched.survey_id)).scalar_one()
    name = matched.row.reference
    if state == SurveyState.ANSWERED or held.row["erased_at"] is not None:  # while we looked
        return refused(**{name: "erased" if held.row["erased_at"] else "answered"})
    zone = ZoneInfo(standard.organisation.time_zone)
    written_at = min(datetime.combine(matched.row.answered_on, _NOON, zone).astimezone(UTC), now)
    surveys.keep_answer(
        held,
        matched.survey_id,
        matched.row.answer,
        actor,
        answered_at=written_at,
        facts={"on_paper": True, "served_by": matched.served_by},
        is_told=now - written_at <= standard.callback.paper_within,
        standard=standard,
        now=now,
    )
    return Verdict(Fate.TAKEN)


def _key(row: PaperRow, region: str) -> str | int | None:
    """The reference as the database has it; None when it can be nobody's."""
    given = getattr(row, row.reference)
    try:
        if row.reference == "ticket":
            return ticket_id(given)
        if row.reference == "customer":
            return normalise_email(given).lower() if "@" in given else normalise_phone(given, region=region)
    except InvalidInputError:
        return None
    return str(given)


def _candidates(
    connection: Connection, references: Sequence[tuple[str, str | int | None]]
) -> dict[tuple[str, str | int | None], list[dict[str, Any]]]:
    """The tickets behind each reference, the last completed last, with the latest survey of theirs that counts."""
    keys: dict[str, set[Any]] = {}
    for name, key in references:
        if key is not None and "\x00" not in str(key):
            keys.setdefault(name, set()).add(key)
    if not keys:
        return {}
    asked = (
        select(Survey.id, Survey.state)
        .where(Survey.ticket_id == Ticket.id, surveys.OF_COMPLETION, Survey.state != SurveyState.CANCELLED.value)
        .order_by(Survey.completion_no.desc())
        .limit(1)
        .lateral("asked")
    )
    query = (
        select(
            Ticket.id.label("ticket_id"),
            Ticket.order_number,
            Ticket.completed_at,
            Ticket.erased_at,
            Customer.phone,
            func.lower(Customer.email).label("email"),
            asked.c.id.label("survey_id"),
            asked.c.state,
            *(column for column in SurveyAnswer.__table__.c if column.name in PaperAnswer.model_fields),
        )
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(asked, asked.c.id.is_not(None))
        .outerjoin(SurveyAnswer, SurveyAnswer.survey_id == asked.c.id)
        .where(Ticket.id.in_(_wanted(keys)))
        .order_by(Ticket.completed_at.nulls_first(), Ticket.id)
    )
    found: dict[tuple[str, str | int | None], list[dict[str, Any]]] = {}
    for row in fetch(connection, query):
        of_customer = ("customer", row["phone"]), ("customer", row["email"])
        for reference in (("ticket", row["ticket_id"]), ("order", row["order_number"]), *of_customer):
            if reference[1] is not None:
                found.setdefault(reference, []).append(row)
    return found


def _wanted(keys: Mapping[str, set[Any]]) -> Any:
    """One search per kind of reference, so that each uses its own index."""
    by_customer = select(Ticket.id).join(Customer, Customer.id == Ticket.customer_id)
    searches = []
    if "ticket" in keys:
        searches.append(select(Ticket.id).where(Ticket.id.in_(keys["ticket"])))
    if "order" in keys:
        searches.append(select(Ticket.id).where(Ticket.order_number.in_(keys["order"])))
    if "customer" in keys:
        searches.append(by_customer.where(Customer.phone.in_(keys["customer"])))
        searches.append(by_customer.where(func.lower(Customer.email).in_(keys["customer"])))
    return union_all(*searches)


def _staff(connection: Connection, given: Sequence[str]) -> dict[str, int]:
    """Members of staff, those who left too, by number and by address in lower case."""
    if not any(given):
        return {}
    known: dict[str, int] = {}
    for staff_id, email in connection.execute(select(Staff.id, Staff.email)).tuples():
        known |= {str(staff_id): staff_id, email.casefold(): staff_id}
    return known
