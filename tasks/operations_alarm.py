"""The Prefect block that says where alarms about the service go: mail, a chat robot, whatever Apprise can reach."""

from __future__ import annotations

from prefect.blocks.notifications import AbstractAppriseNotificationBlock
from pydantic import Field, SecretStr

# The block is the document of this name.
DOCUMENT = "aftercare"


class OperationsAlarm(AbstractAppriseNotificationBlock):
    """Where alarms about the service go."""

    _block_type_name = "Aftercare Alarm"
    _block_type_slug = "aftercare-alarm"
    _description = (
        "Where alarms about the service go. Save it under the name 'aftercare', then 'aftercare automations'."
    )

    url: SecretStr = Field(
        description="Apprise addresses, several with a blank between: mailtos://user:password@example.com?to=…, "
        "dingtalk://…, feishu://…, wecombot://…, msteams://…, slack://…"
    )
