"""``aftercare deploy``: tells a Prefect server of our work pool, blocks, deployments and automations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from cli import stack
from cli.failure import CommandError
from cli.screen import Screen
from domain.standard import CALENDARS, STANDARD
from settings import get_settings

AUTOMATIONS = Path(__file__).parents[1] / "deployments" / "automations.yaml"
_NO_ADDRESS = (
    "No alarm leaves: set AFTERCARE_ALARM_ADDRESS (docs/operations.md, Alarms), then 'aftercare deploy' again."
)


def deploy() -> None:
    """Create or bring up to date all that Prefect must know; run again, what was paused in the UI stays paused."""
    settings = get_settings()
    screen = Screen()
    env = {"PREFECT_API_URL": os.environ.get("PREFECT_API_URL", f"{settings.prefect_url}/api")}
    with screen.status(f"Deploying to {env['PREFECT_API_URL']}"):
        stack.deploy(env)
        create_variables(env)
        count = apply_automations(env, settings.alarm_address)
    screen.say("Work pool, blocks, variables and deployments are up to date.")
    screen.say(f"{count} automations are up to date." if count else _NO_ADDRESS)


def create_variables(env: dict[str, str]) -> None:
    """Create the variables in which operations draft the standard, empty where they are missing."""
    os.environ.update(env)
    from prefect.variables import Variable

    for name in (STANDARD, CALENDARS):
        if Variable.get(name) is None:
            Variable.set(name, {})


def apply_automations(env: dict[str, str], address: SecretStr | None) -> int:
    """Create or renew every automation of ``deployments/automations.yaml``; returns how many.

    They notify the block "Aftercare Alarm", which is made anew when an address is given; without an address and a block
    there is none. One that was switched off stays off. Raises CommandError when Prefect refuses one.
    """
    # Prefect reads its settings when it is first imported: only now does it know where its server is.
    os.environ.update(env)
    from prefect.client.orchestration import get_client
    from prefect.events.actions import SendNotification
    from prefect.events.schemas.automations import AutomationCore
    from prefect.exceptions import PrefectHTTPStatusError

    block_id = _alarm_block(address)
    if block_id is None:
        return 0
    declared = yaml.safe_load(AUTOMATIONS.read_text("utf-8"))
    with get_client(sync_client=True) as client:
        for automation in declared:
            words = {name: automation.pop(name) for name in ("subject", "body")}
            action = SendNotification(block_document_id=block_id, **words)
            wanted = AutomationCore(actions=[action], tags=["aftercare"], **automation)
            try:
                known = client.read_automations_by_name(wanted.name)
                if known:
                    client.update_automation(known[0].id, wanted.model_copy(update={"enabled": known[0].enabled}))
                else:
                    client.create_automation(wanted)
            except PrefectHTTPStatusError as error:
                raise CommandError(f"Prefect refuses the automation {wanted.name!r}: {error}") from error
    return len(declared)


def _alarm_block(address: SecretStr | None) -> Any:
    """The id of the block that alarms go to, renewed when an address is given; None when there is none."""
    from tasks.operations_alarm import DOCUMENT, OperationsAlarm

    if address is not None:
        return OperationsAlarm(url=address).save(DOCUMENT, overwrite=True)
    try:
        block: Any = OperationsAlarm.load(DOCUMENT)
    except ValueError:  # Prefect's word for: there is no such block
        return None
    return block._block_document_id
