"""This file keeps the database's copy of the standard's calendars up to date, so that clocks can refer to them."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from db.models import Calendar
from domain.standard import Standard


def sync_calendars(connection: Connection, standard: Standard) -> None:
    """Write the standard's calendars; one that the standard dropped stays, because old clocks ran by it."""
    for name, hours in standard.calendars.items():
        values = {
            "time_zone": hours.time_zone,
            "weekly": hours.weekly,
            "holidays": hours.holidays,
            "closed_on": hours.closed_on,
            "open_on": hours.open_on,
        }
        statement = insert(Calendar).values(name=name, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
