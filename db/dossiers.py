"""All that is known of one ticket, read for the page on which it is worked: without bodies of mails and photos."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.orm import aliased

from db import attachments, clocks, events, staff, surveys, tickets
from db.models import Callback, Customer, Message, Staff, SurveyAnswer, Ticket
from db.rows import Row, fetch, fetch_one
from domain.access import MAY_READ_CONTACT, MAY_READ_WORDS, shown_feedback, shown_words
from domain.contact import ANONYMOUS
from domain.exceptions import NotFoundError
from domain.lifecycle import CommandName
from domain.people import Role
from domain.satisfaction import CallbackState


@dataclass(frozen=True)
class Dossier:
    """One ticket as it was at one moment; ``photos`` by the id of their event."""

    ticket: Row
    promises: list[Row]
    history: list[Row]
    messages: list[Row]
    plans: list[Row]
    surveys: list[Row]
    calls: list[Row]
    photos: dict[int, list[Row]]
    people: dict[int, Row]

    def seen_by(self, role: Role) -> Dossier:
        """The same as this role may see it: what people said is left out for who need not read it (S-72), and of who
        asked to stay anonymous either who they are or what they said (S-02)."""
        seen = self if role in MAY_READ_WORDS else self._without_words(role)
        if not self.ticket["wants_anonymity"]:
            return seen
        return seen._without_feedback(role) if role in MAY_READ_CONTACT else seen._without_name()

    def _without_words(self, role: Role) -> Dossier:
        def said(rows: list[Row]) -> list[Row]:
            return [dict(shown_words(row, role)) for row in rows]

        return replace(
            self,
            ticket=dict(shown_words(self.ticket, role)),
            history=said(self.history),
            plans=said(self.plans),
            surveys=said(self.surveys),
            calls=said(self.calls),
            photos={},
        )

    def _without_feedback(self, role: Role) -> Dossier:
        seen = partial(shown_feedback, role=role, wants_anonymity=True)
        history = [event | {"facts": seen(event["facts"])} for event in self.history]
        return replace(self, surveys=[*map(seen, self.surveys)], calls=[*map(seen, self.calls)], history=history)

    def _without_name(self) -> Dossier:
        messages = [m if m["customer_id"] is None else m | {"recipient_name": ANONYMOUS} for m in self.messages]
        calls = [call | {"customer_name": ANONYMOUS} for call in self.calls]
        return replace(self, ticket=self.ticket | {"customer_name": ANONYMOUS}, messages=messages, calls=calls)

    def last(self, kind: CommandName) -> Row | None:
        """The newest event of this kind."""
        return next((event for event in reversed(self.history) if event["kind"] == kind), None)

    def said(self, kind: CommandName, name: str) -> Any:
        """What the newest event of this kind was told under that name; None when there is none."""
        event = self.last(kind)
        return event["payload"].get(name) if event else None

    def name(self, staff_id: int | None) -> str:
        """A member of staff's name; empty when there is none."""
        return str(self.people[staff_id]["name"]) if staff_id in self.people else ""


def read(connection: Connection, ticket_id: int) -> Dossier:
    """Read it. Raises NotFoundError."""
    ticket = tickets.get(connection, ticket_id)
    return Dossier(
        ticket,
        clocks.of_ticket(connection, ticket["id"], ticket["round"]),
        events.list_of(connection, ticket["id"]),
        fetch(connection, _MESSAGES, ticket=ticket["id"]),
        tickets.plans_of(connection, ticket["id"]),
        surveys.list_of(connection, ticket["id"]),
        fetch(connection, _calls().where(Callback.ticket_id == ticket["id"]).order_by(Callback.id)),
        attachments.by_event(connection, ticket["id"]),
        {person["id"]: person for person in staff.list_all(connection)},
    )


_MESSAGES = (
    select(
        Message.id,
        Message.kind,
        Message.medium,
        Message.switched_from,
        Message.state,
        Message.error_code,
        Message.queued_at,
        Message.sending_at,
        Message.settled_at,
        Message.customer_id,
        Message.merged_into,
        func.coalesce(Customer.name, Staff.name).label("recipient_name"),
    )
    .outerjoin(Customer, Customer.id == Message.customer_id)
    .outerjoin(Staff, Staff.id == Message.staff_id)
    .where(Message.ticket_id == bindparam("ticket"))
    .order_by(Message.id)
)
_Caller = aliased(Staff)


def _calls() -> Any:
    return (
        select(
            Callback.__table__,
            Ticket.number.label("ticket_number"),
            Ticket.subject,
            Ticket.priority,
            Ticket.assignee_id,
            Customer.name.label("customer_name"),
            Customer.wants_anonymity,
            Customer.phone.label("customer_phone"),
            Customer.email.label("customer_email"),
            Staff.name.label("supervisor_name"),
            _Caller.name.label("caller_name"),
            *(SurveyAnswer.__table__.c[name] for name in ("efficiency", "attitude", "solution", "overall", "comment")),
        )
        .join(Ticket, Ticket.id == Callback.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Staff, Staff.id == Callback.assigned_to)
        .outerjoin(_Caller, _Caller.id == Callback.done_by)
        .outerjoin(SurveyAnswer, SurveyAnswer.survey_id == Callback.survey_id)
    )


def open_calls(connection: Connection, *, limit: int) -> list[Row]:
    """The calls that are owed, with ticket, customer and what the survey said; the one due first comes first."""
    query = _calls().where(Callback.state == CallbackState.OPEN.value).order_by(Callback.due_at, Callback.id)
    return fetch(connection, query.limit(limit))


def call(connection: Connection, callback_id: int) -> Row:
    """One call that is owed or was made, as ``open_calls`` gives it. Raises NotFoundError."""
    row = fetch_one(connection, _calls().where(Callback.id == callback_id))
    if row is None:
        raise NotFoundError(f"no callback has the id {callback_id}; see 'aftercare callback list'")
    return row
