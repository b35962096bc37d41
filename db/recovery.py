"""After a backup was restored: what was given out since it was made must not come to mean something else."""

from __future__ import annotations

from sqlalchemy import Connection, delete, text

from db.models import StaffSession
from domain.tickets import ticket_number

# More than could have been given out since any backup worth restoring: nine hours of the largest operator, and a tenth
# of all there ever was.
_LEAVE_GAP = text(
    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, coalesce(last_value, 0) * 11 / 10 + 100000) "
    "FROM pg_sequences WHERE schemaname = current_schema()"
)


def leave_gap(connection: Connection) -> str:
    """Give out no id again that was given out after the backup; returns the number of the next ticket.

    Links name tickets and surveys by id, vendors tell of messages by id, receivers know events by id: with the same id
    again a customer's link would open another customer's ticket.
    """
    connection.execute(_LEAVE_GAP)
    last = connection.execute(text("SELECT last_value FROM tickets_id_seq")).scalar_one()
    return ticket_number(last + 1)


def end_sessions(connection: Connection) -> int:
    """Sign everybody out: a session that was ended after the backup would live again. Returns how many there were."""
    return connection.execute(delete(StaffSession)).rowcount
