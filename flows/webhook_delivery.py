"""Other systems hear of every event of a ticket, in order, signed, until they have taken it."""

from __future__ import annotations

from datetime import datetime

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.states import Completed

from clock import utc_now
from flows.drain_window import TICK_SECONDS, drain, is_stale
from flows.parameters import THREADS, Now, WindowSeconds, run_name
from flows.report import Report, too_late
from tasks import story, webhooks

_UnderWay = dict[int, tuple[webhooks.Batch, PrefectFuture[webhooks.Told]]]


@flow(name="webhook_delivery", flow_run_name=run_name, task_runner=THREADS)
def webhook_delivery(now: Now = None, window_seconds: WindowSeconds = 300) -> State[None]:
    """Tells subscribed systems of tickets' events: claims what is owed to each, hands it over signed, and tries again
    later what was not taken. A receiver that is slow or out of reach holds up no other one; one that takes nothing for
    days is paused, and the run is red.

    Ends at once while nobody has subscribed.

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: now, for the whole window.
        window_seconds: How long the run stays awake; a little more than the time to the next scheduled run.
    """
    if is_stale(now=now, window_seconds=window_seconds):
        return too_late()
    if not webhooks.has_subscribers():
        return Completed(message="nobody has subscribed")
    report = Report("webhook-delivery", "Events told to other systems.")
    for name in webhooks.tidy_subscriptions(now or utc_now()):
        report.problem(f"the subscription of {name} was paused for too long and has ended")
    under_way: _UnderWay = {}

    def step(moment: datetime) -> int:
        begin(under_way, moment)
        return end(report, under_way, patience=TICK_SECONDS) + len(under_way)

    drain(step, now=now, window_seconds=window_seconds)
    end(report, under_way)
    return report.finish()


def begin(under_way: _UnderWay, moment: datetime) -> None:
    """Begin to tell each receiver that is owed something and is not being told already."""
    for batch in webhooks.claim_deliveries(but=list(under_way), now=moment):
        options = story.run_options(batch.tickets, f"tell {batch.subscription['name']}")
        told = webhooks.tell_receiver.with_options(**options).submit(batch, moment)
        under_way[batch.subscription["id"]] = (batch, told)


def end(report: Report, under_way: _UnderWay, *, patience: float | None = None) -> int:
    """Note what has come of those that are done, waiting for as long as said; returns how many events were tried."""
    if not under_way:
        return 0
    done = wait([told for _, told in under_way.values()], timeout=patience).done
    tried = 0
    for subscription_id, (batch, told) in list(under_way.items()):
        if told not in done:
            continue
        del under_way[subscription_id]
        name, tickets = batch.subscription["name"], batch.tickets
        tried += len(tickets)
        outcomes, paused = report.outcome(told, tickets, f"telling {name}") or ({}, None)
        for outcome, count in outcomes.items():
            row = {"receiver": name, "tickets": ", ".join(tickets[:5]), "outcome": outcome, "events": count}
            report.add(outcome, [row], count=count)
        if paused is not None:
            report.problem(f"{name} is paused ({paused}): see 'aftercare webhook list'")
    return tried
