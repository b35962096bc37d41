"""A digest is computed anew and sent once more: answers came late, or a manager asks for another period (S-61)."""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import Field

from clock import utc_now
from domain.exceptions import DomainError
from flows.parameters import Now, Reason, StaffId
from flows.report import refused
from tasks.digests import find_reader, load_figures, queue_digests, span_named

Period = Annotated[str, Field(pattern=r"^20\d\d-(W\d\d|\d\d)$")]
Region = Annotated[str, Field(min_length=1, max_length=200)]


@flow(name="digest_rebuild", flow_run_name="{period} for {to_staff}")
def digest_rebuild(
    period: Period, to_staff: StaffId, reason: Reason, region: Region | None = None, now: Now = None
) -> State[None]:
    """Computes the digest of any week or month from what is known now, and sends it to one manager, whatever they got
    before.

    Args:
        period: A week like 2026-W47, or a month like 2026-11, that has begun.
        to_staff: The manager's number ("aftercare staff list").
        reason: Why; it stays with the run.
        region: Only tickets of this region. Empty: all.
        now: The moment that counts, given with its zone. Empty: the present moment.
    """
    moment = now or utc_now()
    try:
        span, reader = span_named(period, region, now=moment), find_reader(to_staff)
    except DomainError as error:
        return refused(error)
    figures = load_figures.with_options(task_run_name=f"figures of {period}")(span)
    queue_digests.with_options(task_run_name=f"mail of {period}")(
        figures, span, [reader], moment, again=str(flow_run.get_id())
    )
    return Completed(message=f"{period} goes to staff {to_staff} once more: {reason}")
