"""The steps of a ticket's life that Aftercare takes itself: acknowledge, assign, climb, close (S-05, S-12, S-13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from db import follow_ups, tickets
from db.follow_ups import FollowedUp
from db.session import transaction
from db.standards import get_standard
from domain.tickets import ticket_number
from tasks import story

BATCH = 400


def find_pending(*, now: datetime) -> list[tuple[int, str]]:
    """Tickets (id, number) with events to follow up."""
    with transaction() as connection:
        return follow_ups.find_due(connection, now=now, limit=BATCH)


def find_to_close(*, now: datetime) -> list[int]:
    """Ids of completed tickets whose customer did not answer in time (S-40)."""
    with transaction() as connection:
        return tickets.find_to_close(connection, now=now, limit=BATCH)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=1)
@story.traced("follow up tickets")
def follow_up(ticket_ids: Sequence[int], now: datetime) -> list[FollowedUp]:
    """Carry out what these tickets' events ask for, one event per transaction."""
    done: list[FollowedUp] = []
    for ticket_id in ticket_ids:
        while True:
            with transaction() as connection:
                step = follow_ups.carry_out_next(connection, ticket_id, standard=get_standard(), now=now)
            if step is None:
                break
            story.tell(step.ticket_number, step.event, done=", ".join(step.done), problem=step.problem)
            done.append(step)
            if step.is_last:
                break
    return done


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=1)
@story.traced("close unanswered")
def close_unanswered(ticket_ids: Sequence[int], now: datetime) -> list[str]:
    """Close these completed tickets; returns the numbers of those that were still to be closed."""
    closed = []
    for ticket_id in ticket_ids:
        with transaction() as connection:
            was_open = follow_ups.close_unanswered(connection, ticket_id, standard=get_standard(), now=now)
        if was_open:
            closed.append(ticket_number(ticket_id))
            story.tell(closed[-1], "close")
    return closed
