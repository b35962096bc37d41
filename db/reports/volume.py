"""How much there was to do: tickets opened, finished, and open at the end."""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select, true

from db.models import Ticket, TicketEvent
from db.reports.periods import in_region, parts, period, total, within
from db.rows import Row, fetch
from domain.lifecycle import CommandName
from domain.spans import Span

_FINISHING = (CommandName.COMPLETE, CommandName.CONFIRM_COMPLETION, CommandName.CLOSE, CommandName.CANCEL)


def opened(connection: Connection, span: Span) -> list[Row]:
    """Tickets opened: ``period``, ``part``, ``word``, ``tickets``."""
    columns = (Ticket.channel, Ticket.category, Ticket.priority, Ticket.region)
    of_span = (within(Ticket.opened_at, span), in_region(span))
    ticket = select(period(Ticket.opened_at, span), *columns).where(*of_span).subquery()
    # Counted before it is split into parts: many tickets are alike.
    alike = select(*ticket.c, func.count().label("tickets")).group_by(*ticket.c).subquery()
    of = parts(**{column.key: alike.c[column.key] for column in columns})
    query = (
        select(alike.c.period, of.c.part, of.c.word, total(alike.c.tickets).label("tickets"))
        .join(of, true())
        .group_by(alike.c.period, of.c.part, of.c.word)
    )
    return fetch(connection, query)


def finished(connection: Connection, span: Span) -> list[Row]:
    """How often work was completed, signed, closed, cancelled: ``period``, ``kind`` (a command's name), ``times``."""
    query = (
        select(period(TicketEvent.at, span), TicketEvent.kind, func.count().label("times"))
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .where(
            within(TicketEvent.at, span, since=span.before),
            TicketEvent.kind.in_([kind.value for kind in _FINISHING]),
            in_region(span),
        )
        .group_by("period", TicketEvent.kind)
    )
    return fetch(connection, query)


def open_at_ends(connection: Connection, span: Span) -> tuple[int, int]:
    """How many tickets were open at the end of the reported period, and of the one before."""
    ends = (span.until, span.since)
    was_open = [(Ticket.opened_at < end) & or_(Ticket.closed_at.is_(None), Ticket.closed_at >= end) for end in ends]
    query = select(*(func.count().filter(condition) for condition in was_open)).where(
        or_(Ticket.closed_at.is_(None), Ticket.closed_at >= span.since), in_region(span)
    )
    now, before = connection.execute(query).one()
    return now, before
