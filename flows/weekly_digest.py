"""Every hour the managers who are due get the digest: how their week, or month, went (S-61)."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State

from clock import utc_now
from flows.parameters import Now, run_name
from flows.report import Report
from tasks.digests import as_markdown, find_due, load_figures, queue_digests


@flow(name="weekly_digest", flow_run_name=run_name)
def weekly_digest(now: Now = None) -> State[None]:
    """Sends each manager the digest of the last full week or month, at the hour they chose: volume, SLA, satisfaction
    and low scores beside the period before, with charts and the tracking sheet (S-61). Each gets a period once.

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: the present moment.
    """
    moment = now or utc_now()
    report = Report("digests", "Digests.")
    for span, readers in find_due(moment).items():
        name = " ".join(filter(None, (span.label, span.region)))
        for reader in readers:
            if not reader.has_address:
                report.problem(f"staff {reader.staff_id} has no e-mail address and gets no digest")
        if not (reachable := [reader for reader in readers if reader.has_address]):
            continue
        loading = load_figures.with_options(task_run_name=f"figures of {name}").submit(span)
        if (figures := report.outcome(loading, [name], "the figures")) is None:
            continue
        queueing = queue_digests.with_options(task_run_name=f"mails of {name}").submit(figures, span, reachable, moment)
        report.add(f"{name} told to managers", count=report.outcome(queueing, [name], "the mails") or 0)
        create_markdown_artifact(key=f"{span.kind.value}ly-digest", markdown=as_markdown(figures), description=name)
    return report.finish()
