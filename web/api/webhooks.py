"""Webhooks by the API: which other systems are told of tickets' events (administrators alone)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from clock import utc_now
from db import webhooks
from db.rows import Row
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_RUN_THE_SYSTEM, require_role
from domain.texts import ShortText
from domain.webhooks import EVENT_KINDS, LONGEST_URL, check_url, secret_of, written_secret
from settings import get_settings
from web.api import shapes
from web.api.asked import Id, Known
from web.api.examples import SUBSCRIPTION
from web.api.problems import JSON_BODY, documented


def _administrator(caller: Known) -> None:
    require_role(caller.actor, MAY_RUN_THE_SYSTEM, "subscribing other systems")


router = APIRouter(prefix="/webhooks", tags=["webhooks"], dependencies=[Depends(_administrator)])

Kind = Literal[EVENT_KINDS]  # type: ignore[valid-type]


class NewSubscription(BaseModel):
    """Who is to be told of what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ShortText = Field(description="Which system it is.")
    url: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)] = Field(
        description="Where events are posted; https, at an address that is public."
    )
    kinds: list[Kind] = Field(default=[], max_length=len(EVENT_KINDS), description="Only these events; empty: all.")


class Subscription(BaseModel):
    """A system that is told, and how that goes."""

    id: int
    name: str
    url: str
    kinds: list[str]
    created_at: datetime
    owed: int = Field(description="Events that it has not taken yet.")
    failures: int = Field(description="How often it was out of reach in a row.")
    retry_at: datetime | None = Field(description="Until then it is left alone.")
    last_taken_at: datetime | None
    last_code: str | None = Field(description="Why it was last out of reach: a status of HTTP or a word.")
    paused_at: datetime | None = Field(description="It took nothing for too long, or said 410; nothing is sent.")
    pause_code: str | None


class SubscriptionWithSecret(Subscription):
    """The same, and the secret, which is not shown again."""

    secret: str = Field(description="With it webhooks are verified.", examples=["whsec_YW4gZXhhbXBsZQ=="])


def _with_secret(row: Row) -> SubscriptionWithSecret:
    secret = secret_of(get_settings().signing_key(), row["salt"])
    return SubscriptionWithSecret.model_validate({**row, "secret": written_secret(secret)})


@router.post("", status_code=201, responses=documented(409, *JSON_BODY))
def subscribe(caller: Known, new: Annotated[NewSubscription, Body(examples=[SUBSCRIPTION])]) -> SubscriptionWithSecret:
    """Tell a system of every event from now on: which ticket, what, when; nobody's name or words. See the guide for the
    form of what is posted and how it is verified (standardwebhooks.com)."""
    check_url(new.url, get_settings().inside_networks)
    with transaction() as connection:
        row = webhooks.subscribe(
            connection, new.name, new.url, kinds=new.kinds, created_by=caller.actor.id, now=utc_now()
        )
    return _with_secret(row)


@router.get("")
def list_subscriptions() -> shapes.Page[Subscription]:
    """All systems that are told."""
    with transaction() as connection:
        rows = webhooks.list_all(connection)
    return shapes.Page(items=[Subscription.model_validate(row) for row in rows], next_cursor=None)


@router.post("/{subscription_id}/rotate", responses=documented(404, *JSON_BODY))
def rotate_secret(subscription_id: Id) -> SubscriptionWithSecret:
    """Make a new secret. For a day each webhook is signed with the one before as well."""
    now = utc_now()
    until = now + get_standard().webhooks.old_secret_for
    with transaction() as connection:
        row = webhooks.rotate(connection, subscription_id, old_until=until, now=now)
    return _with_secret(row)


@router.post("/{subscription_id}/resume", responses=documented(404, *JSON_BODY))
def resume(subscription_id: Id) -> Subscription:
    """Send again to a system that was paused, from where it stopped: nothing that happened meanwhile is lost."""
    with transaction() as connection:
        row = webhooks.resume(connection, subscription_id, now=utc_now())
    return Subscription.model_validate(row)


@router.delete("/{subscription_id}", status_code=204, responses=documented(404))
def unsubscribe(subscription_id: Id) -> Response:
    """Tell a system nothing any more; what it was owed is forgotten."""
    with transaction() as connection:
        webhooks.end(connection, subscription_id, now=utc_now())
    return Response(status_code=204)
