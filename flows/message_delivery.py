"""What is owed to people leaves at once, once, and its fate is known (S-05, S-31)."""

from __future__ import annotations

import time
from datetime import datetime

from prefect import flow
from prefect.client.schemas.objects import State

from domain.messages import Medium
from flows.drain_window import drain, is_stale
from flows.parameters import THREADS, Now, WindowSeconds, run_name
from flows.report import Report, too_late
from settings import SettingsError
from tasks import claims, inbox, messages, story

_UNTIL_MORE_MAY_LEAVE = 0.1
_STOPPED = "the vendor refuses our {}: see 'aftercare channel list' for what to mend"


@flow(name="message_delivery", flow_run_name=run_name, task_runner=THREADS)
def message_delivery(now: Now = None, window_seconds: WindowSeconds = 300) -> State[None]:
    """Drains the outbox through the transports: takes in what vendors and customers answered, looks up what is
    unclear, then claims, freezes the words, hands over and records the fate.

    A message whose fate is unclear is looked up, and sent again at most once, when it certainly left no trace.

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: now, for the whole window.
        window_seconds: How long the run stays awake; a little more than the time to the next scheduled run.
    """
    if is_stale(now=now, window_seconds=window_seconds):
        return too_late()
    report = Report("message-delivery", "Messages handed over.")

    def step(moment: datetime) -> int:
        return take_in(report, moment) + look_up(report, moment) + sum(deliver(report, m, moment) for m in Medium)

    drain(step, now=now, window_seconds=window_seconds)
    return report.finish()


def take_in(report: Report, moment: datetime) -> int:
    """Handle what vendors and customers posted to us; returns how much."""
    if not inbox.inbox_pending():
        return 0
    run = inbox.handle_inbox.with_options(task_run_name="inbox").submit(moment)
    results = report.outcome(run, ["inbox"], "taking in") or {}
    return sum(report.add(f"in: {result}", count=count) for result, count in results.items())


def look_up(report: Report, moment: datetime) -> int:
    """Ask about messages whose fate is unclear; returns how many."""
    if not messages.are_doubts_due(now=moment):
        return 0
    run = messages.look_up_doubts.with_options(task_run_name="look up").submit(moment)
    results = report.outcome(run, ["look-ups"], "looking up") or {}
    return sum(report.add(f"looked up: {result}", count=count) for result, count in results.items())


def deliver(report: Report, medium: Medium, moment: datetime) -> int:
    """Hand over every message of a medium that is due; returns how many, or 1 when more may leave in a moment."""
    try:
        claimed = claims.claim_messages(medium, now=moment)
    except SettingsError as error:
        report.problem(str(error))
        return 0
    runs = []
    for chunk in story.chunks(claimed.by_ticket(), most=claims.BATCH):
        ids = [message_id for letters in chunk for message_id in letters.ids]
        kinds = ", ".join(sorted({kind for letters in chunk for kind in letters.kinds}))
        options = story.run_options([letters.ticket_number for letters in chunk], f"send {kinds}")
        sending = messages.send_messages.with_options(**options)
        runs.append((ids, options["tags"], kinds, sending.submit(medium, ids, claimed.send_by, moment)))
    for ids, tickets, kinds, run in runs:
        for outcome, count in (report.outcome(run, ids, "sending") or {}).items():
            row = {"tickets": ", ".join(tickets), "what": kinds, "medium": medium.value, "messages": count}
            report.add(outcome, [row | {"outcome": outcome}], count=count)
            if outcome == "stopped":
                report.problem(_STOPPED.format(medium.value))
    if claimed.is_stopped:
        report.problem(_STOPPED.format(medium.value))
    if claimed.other["without words"]:
        report.problem("words of messages could not be made: see 'aftercare message list'")
    others = sum(report.add(what, count=count) for what, count in claimed.other.items() if count)
    if claimed.is_throttled:
        time.sleep(_UNTIL_MORE_MAY_LEAVE)
    return len(claimed.messages) + others + claimed.is_throttled
