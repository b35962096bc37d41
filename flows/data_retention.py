"""Every night what is past its retention time is erased or removed (S-71)."""

from prefect import flow
from prefect.client.schemas.objects import State

from clock import utc_now
from flows.parameters import Now, run_name
from flows.report import Report
from tasks.retention import KINDS, let_go


@flow(name="data_retention", flow_run_name=run_name)
def data_retention(now: Now = None) -> State[None]:
    """Erases the personal data of tickets that have been closed for long, and of customers who have no other; removes
    photos, words of messages, what vendors posted, looks at contact data, sessions and attempts to sign in, each after
    its time (S-71). What is counted stays. Run again, it finds nothing.

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: the present moment.
    """
    moment = now or utc_now()
    report = Report("data-retention", "What went because its time was over.")
    for kind in KINDS:
        gone = report.outcome(let_go.submit(kind, moment), [kind.value], "retention")
        if gone:
            report.add(kind.value, [{"what": kind.value, "gone": gone}], count=gone)
    return report.finish()
