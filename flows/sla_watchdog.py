"""Nobody misses a promise unnoticed: warn at 50 % and 80 %, record the breach, tell supervisor and manager (S-13)."""

from datetime import datetime

from prefect import flow
from prefect.client.schemas.objects import State

from clock import utc_now
from flows.drain_window import drain, is_stale
from flows.parameters import Now, WindowSeconds, in_utc, run_name
from flows.report import Report, too_late
from tasks.story import run_options
from tasks.sweeps import alarms_due, raise_alarms
from tasks.today import show_today


@flow(name="sla_watchdog", flow_run_name=run_name)
def sla_watchdog(now: Now = None, window_seconds: WindowSeconds = 300) -> State[None]:
    """Watches the clock of every open ticket: tells the engineer at half and four fifths of the promised time, the
    supervisor at the breach, the manager when it stays broken (S-10, S-13); each of these once.

    A sweep costs what is due, not what is open. Each run begins by writing the artifact "service-today".

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: now, for the whole window.
        window_seconds: How long the run stays awake; a little more than the time to the next scheduled run.
    """
    if is_stale(now=now, window_seconds=window_seconds):
        return too_late()
    report = Report("sla-watchdog", "Promises in danger or broken, and how many were told.")
    if show_today(now or utc_now(), return_state=True).is_failed():
        report.problem("the overview 'service-today'")

    def step(moment: datetime) -> int:
        tickets = alarms_due(now=moment)
        if not tickets:
            return 0
        raised = raise_alarms.with_options(**run_options(tickets, f"alarms due at {in_utc(moment)}"))(moment)
        return report.add(
            "alarms raised",
            [
                {
                    "ticket": alarm.ticket_number,
                    "clock": alarm.clock.value,
                    "alarm": alarm.kind.value,
                    "due": in_utc(alarm.due_at) if alarm.due_at else "",
                    "told": len(alarm.told),
                }
                for alarm in raised
            ],
        )

    drain(step, now=now, window_seconds=window_seconds)
    return report.finish()
