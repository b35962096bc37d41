"""The steps of the periodic sweeps: alarms, surveys, callbacks; each claims what is due and shares it."""

from __future__ import annotations

from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from db import alarms, callbacks, due, surveys
from db.alarms import Raised
from db.callbacks import CallbackStep
from db.due import Due
from db.session import transaction
from db.standards import get_standard
from db.surveys import SurveyStep
from tasks import story


def alarms_due(*, now: datetime) -> list[str]:
    """The numbers of the first tickets whose SLA clocks have an alarm due."""
    return _due(Due.ALARMS, now)


def surveys_due(*, now: datetime) -> list[str]:
    """The numbers of the first tickets whose surveys have a step due."""
    return _due(Due.SURVEYS, now)


def callbacks_due(*, now: datetime) -> list[str]:
    """The numbers of the first tickets whose callbacks have a step due."""
    return _due(Due.CALLBACKS, now)


def _due(what: Due, now: datetime) -> list[str]:
    with transaction() as connection:
        return due.tickets(connection, what, now=now, limit=story.MOST_TAGS)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=1)
@story.traced("raise alarms")
def raise_alarms(now: datetime) -> list[Raised]:
    """Warn, breach, escalate on every clock that is due (S-13)."""
    with transaction() as connection:
        raised = alarms.raise_due(connection, standard=get_standard(), now=now)
    for alarm in raised[: story.MOST_EVENTS]:
        story.tell(alarm.ticket_number, alarm.kind.value, clock=alarm.clock.value)
    return raised


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=1)
@story.traced("dispatch surveys")
def dispatch_surveys(now: datetime) -> list[SurveyStep]:
    """Send, remind and expire the surveys that are due (S-41)."""
    with transaction() as connection:
        steps = surveys.dispatch_due(connection, standard=get_standard(), now=now)
    for step in steps[: story.MOST_EVENTS]:
        story.tell(step.ticket_number, f"survey_{step.step}", method=step.method.value)
    return steps


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=1)
@story.traced("escalate callbacks")
def escalate_callbacks(now: datetime) -> list[CallbackStep]:
    """Give callbacks to a supervisor on duty, tell the manager of late ones (S-42)."""
    with transaction() as connection:
        steps = callbacks.escalate_due(connection, standard=get_standard(), now=now)
    for step in steps[: story.MOST_EVENTS]:
        story.tell(step.ticket_number, f"callback_{step.step}", kind=step.kind.value)
    return steps
