"""Everybody is asked how it was, 24 hours after completion, reminded once, and then left in peace (S-41, S-43)."""

from datetime import datetime

from prefect import flow
from prefect.client.schemas.objects import State

from clock import utc_now
from flows.drain_window import drain
from flows.parameters import Now, in_utc, run_name
from flows.report import Report
from tasks.story import run_options
from tasks.sweeps import dispatch_surveys, surveys_due


@flow(name="survey_dispatch", flow_run_name=run_name)
def survey_dispatch(now: Now = None) -> State[None]:
    """Sends the satisfaction survey 24 hours after completion, one reminder, and closes it when it expires (S-41).

    Complaints and valued customers are called instead (S-43). One survey per completion, each step once.

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: the present moment.
    """
    report = Report("survey-dispatch", "Surveys sent, reminded, expired.")

    def step(moment: datetime) -> int:
        tickets = surveys_due(now=moment)
        if not tickets:
            return 0
        steps = dispatch_surveys.with_options(**run_options(tickets, f"surveys due at {in_utc(moment)}"))(moment)
        return report.add(
            "survey steps",
            [{"ticket": s.ticket_number, "method": s.method.value, "step": s.step} for s in steps],
        )

    drain(step, now=now or utc_now(), window_seconds=1)
    return report.finish()
