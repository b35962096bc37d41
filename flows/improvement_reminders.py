"""Nobody forgets what was decided, and whoever suffered from it is asked whether it is better (S-54, S-55)."""

from datetime import datetime

from prefect import flow
from prefect.client.schemas.objects import State

from clock import utc_now
from flows.drain_window import drain
from flows.parameters import Now, run_name
from flows.report import Report
from tasks.improvement import take_action_steps


@flow(name="improvement_reminders", flow_run_name=run_name)
def improvement_reminders(now: Now = None) -> State[None]:
    """Reminds whoever is responsible for an improvement action some days before its deadline and when it is overdue;
    a week after an action was done, asks the affected customers again, one survey each (S-54, S-55).

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: the present moment.
    """
    report = Report("improvement-reminders", "Improvement actions spoken of, and customers asked again.")

    def step(moment: datetime) -> int:
        steps = take_action_steps(moment)
        return report.add(
            "improvement steps", [{"action": s.action_id, "step": s.step, "people": s.count} for s in steps]
        )

    drain(step, now=now or utc_now(), window_seconds=1)
    return report.finish()
