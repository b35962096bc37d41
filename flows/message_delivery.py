"""What is owed to people leaves at once, once, and its fate is known (S-05, S-31)."""

from datetime import datetime

from prefect import flow
from prefect.client.schemas.objects import State

from flows.drain_window import drain, is_stale
from flows.parameters import THREADS, Now, WindowSeconds, run_name
from flows.report import Report, too_late
from tasks import messages, story


@flow(name="message_delivery", flow_run_name=run_name, task_runner=THREADS)
def message_delivery(now: Now = None, window_seconds: WindowSeconds = 300) -> State[None]:
    """Drains the outbox through the transport: claims, freezes the words, hands over, records the fate.

    A message that was claimed but never settled is looked up, and sent again only when it certainly did not leave.

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: now, for the whole window.
        window_seconds: How long the run stays awake; a little more than the time to the next scheduled run.
    """
    if is_stale(now=now, window_seconds=window_seconds):
        return too_late()
    report = Report("message-delivery", "Messages handed over.")

    def step(moment: datetime) -> int:
        for outcome, count in messages.look_up_unclear(now=moment).items():
            report.add(outcome, count=count)
        return deliver(report, moment)

    drain(step, now=now, window_seconds=window_seconds)
    return report.finish()


def deliver(report: Report, moment: datetime) -> int:
    """Hand over every message that is due; returns how many."""
    claimed = messages.claim_messages(now=moment)
    runs = []
    for chunk in story.chunks(claimed):
        ids = [message_id for message_id, _ in chunk]
        numbers = [number for _, number in chunk]
        options = story.run_options(numbers, "send")
        runs.append((ids, numbers, messages.send_messages.with_options(**options).submit(ids, moment)))
    for ids, numbers, run in runs:
        for outcome, count in (report.outcome(run, ids, "sending") or {}).items():
            shown = ", ".join(sorted({number for number in numbers if number})) or "digest"
            report.add(outcome, [{"tickets": shown, "messages": count, "outcome": outcome}], count=count)
    return len(claimed)
