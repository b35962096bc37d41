"""Every Monday the managers read how the week went (S-61)."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from clock import utc_now
from flows.parameters import Now, run_name
from tasks.digests import as_markdown, load_figures, queue_digests, week_before


@flow(name="weekly_digest", flow_run_name=run_name)
def weekly_digest(now: Now = None) -> State[None]:
    """Sends every manager the digest of the last full week: volume, SLA, satisfaction and low scores beside the week
    before (S-61). Run again for the same week, it sends nothing twice.

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: the present moment.
    """
    moment = now or utc_now()
    week = week_before(moment)
    figures = load_figures(week)
    queued = queue_digests(figures, moment)
    create_markdown_artifact(key="weekly-digest", markdown=as_markdown(figures), description=f"Week {week.label}")
    return Completed(message=f"{week.label}: {queued} managers told")
