"""Operations change the standard for future tickets, or see what a change would do; open tickets keep theirs."""

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from clock import utc_now
from domain.exceptions import DomainError
from flows.parameters import Now, Reason
from flows.report import refused
from tasks.standard import adopt, propose


@flow(name="standard_change", flow_run_name="apply: {apply}")
def standard_change(reason: Reason, apply: bool = False, now: Now = None) -> State[None]:
    """Puts what the variables aftercare_standard and aftercare_calendars say in force for tickets to come, over the
    figures of the file. Tickets that are there keep the figures they were promised by. To go back, write the variables
    as they were and run this again; "aftercare standard history" has them.

    Args:
        reason: Why; it stays with the version.
        apply: Off, it is only said what would change; switch on to put it in force.
        now: The moment that counts, given with its zone. Empty: the present moment.
    """
    try:
        proposal = propose()
        if proposal.changed and apply:
            adopt(proposal, reason, now or utc_now())
    except DomainError as error:
        return refused(error)
    if not proposal.changed:
        return Completed(message="nothing changes: this is in force already")
    did = "changed" if apply else "that would change (run the form again with 'apply')"
    said = f"figures {did}: {len(proposal.changed)}; open tickets touched: none"
    said = "; ".join([said, *proposal.notes])
    create_table_artifact(
        key="standard-change",
        table=[{"figure": figure, "before": before, "now": after} for figure, before, after in proposal.changed],
        description=f"Version {proposal.standard.version} of the standard ({reason}): {said}.",
    )
    return Completed(message=f"version {proposal.standard.version}: {said}")
