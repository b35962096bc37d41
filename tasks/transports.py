"""This file gives this process its transports: chosen by the settings, credentials from the environment or a block."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from channels.base import Outgoing, Transport
from channels.mailbox import Mailbox
from channels.registry import build
from db import mailbox
from db.session import transaction
from domain.messages import Medium
from settings import get_settings
from tasks.credentials import with_blocks


@cache
def transport(medium: Medium) -> Transport:
    """The transport of a medium. Raises SettingsError that names what is missing."""
    return build(medium, with_blocks(get_settings()), Mailbox(_keep, _find))


def _keep(message: Outgoing, now: datetime) -> int | None:
    with transaction() as connection:
        return mailbox.keep(
            connection,
            message.id,
            attempt=message.attempt,
            address=message.address,
            subject=message.subject,
            body=message.body,
            html=message.html,
            now=now,
        )


def _find(message_id: int) -> int | None:
    with transaction() as connection:
        return mailbox.find(connection, message_id)
