"""The steps of improvement_reminders: whoever is responsible is reminded, affected customers are asked again."""

from __future__ import annotations

from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from db import improvement_actions
from db.improvement_actions import ActionStep
from db.session import transaction
from db.standards import get_standard


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=1)
def take_action_steps(now: datetime) -> list[ActionStep]:
    """Remind of what is due or overdue, ask again a while after what was done (S-54, S-55)."""
    with transaction() as connection:
        return improvement_actions.take_steps(connection, standard=get_standard(), now=now)
