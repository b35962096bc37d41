"""Whoever is unhappy is called within the hour, or the manager hears of it (S-42)."""

from datetime import datetime

from prefect import flow
from prefect.client.schemas.objects import State

from flows.drain_window import drain, is_stale
from flows.parameters import Now, WindowSeconds, in_utc, run_name
from flows.report import Report, too_late
from tasks.story import run_options
from tasks.sweeps import callbacks_due, escalate_callbacks


@flow(name="callback_escalation", flow_run_name=run_name)
def callback_escalation(now: Now = None, window_seconds: WindowSeconds = 300) -> State[None]:
    """Gives every callback that a score of 3 or less asks for to a supervisor on duty, due within one hour of the
    answer, and tells the manager of each one that is late (S-42).

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: now, for the whole window.
        window_seconds: How long the run stays awake; a little more than the time to the next scheduled run.
    """
    if is_stale(now=now, window_seconds=window_seconds):
        return too_late()
    report = Report("callback-escalation", "Callbacks given to a supervisor, or late.")

    def step(moment: datetime) -> int:
        tickets = callbacks_due(now=moment)
        if not tickets:
            return 0
        steps = escalate_callbacks.with_options(**run_options(tickets, f"callbacks due at {in_utc(moment)}"))(moment)
        return report.add(
            "callback steps",
            [
                {
                    "ticket": s.ticket_number,
                    "kind": s.kind.value,
                    "step": s.step,
                    "call by": in_utc(s.due_at),
                }
                for s in steps
            ],
        )

    drain(step, now=now, window_seconds=window_seconds)
    return report.finish()
