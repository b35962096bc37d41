"""This file gets a command what it needs before it works: settings, a usable database with this version's schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from db import reference, schema
from db.session import database_url, require_usable, transaction
from db.standards import get_standard
from domain.standard import Standard
from settings import get_settings, written_standard


def prepare(*, migrate: bool | None = None) -> tuple[str, Standard]:
    """The database's URL and the standard, after checking both.

    The embedded database is migrated as needed; one that was given is migrated only when ``migrate`` says so.
    Raises DatabaseUnavailableError, SettingsError or StandardError.
    """
    written_standard()  # a file that is wrong is said before a database is started
    url = database_url()
    require_usable(url)
    if migrate if migrate is not None else get_settings().database_url is None:
        schema.upgrade(url)
    schema.require_current(url)
    standard = get_standard()
    with transaction(url) as connection:
        reference.sync_calendars(connection, standard)
    return url, standard


@contextmanager
def working() -> Iterator[tuple[Connection, Standard]]:
    """One transaction on the prepared database, and the standard."""
    url, standard = prepare()
    with transaction(url) as connection:
        yield connection, standard
