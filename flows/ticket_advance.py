"""Operations take one step with one ticket, by a form, with a reason that stays in its history (S-70)."""

from datetime import datetime

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from clock import utc_now
from domain.exceptions import DomainError
from domain.interventions import TicketStep
from flows.parameters import Now, Reason, StaffId, TicketNumber
from flows.report import refused
from tasks import interventions
from tasks.story import run_options


@flow(name="ticket_advance", flow_run_name="{ticket} · {step}")
def ticket_advance(
    ticket: TicketNumber, step: TicketStep, reason: Reason, to_staff: StaffId | None = None, now: Now = None
) -> State[None]:
    """Takes one step with one ticket that the other flows would not take, or not yet. The step and its reason become
    an event of the ticket.

    - **follow_up**: acknowledging, assigning or climbing that waits for a later try is tried at once
    - **assign**: to the member of staff named, else to whom the rules choose (S-12)
    - **climb_tier**: to somebody of the next tier (S-13)
    - **close**: completed, and its customer need not be waited for
    - **repair**: checks its history, reckons its deadlines and alarms anew

    Args:
        ticket: Its number, like TK-00001024.
        step: What is done.
        reason: Why; it stays in the ticket's history, so write no customer's data.
        to_staff: For assign, the number of whoever takes it ("aftercare staff list"). Empty: chosen by the rules.
        now: The moment that counts, given with its zone. Empty: the present moment.
    """
    moment: datetime = now or utc_now()
    options = run_options([ticket], step.value)
    try:
        done = interventions.advance.with_options(**options)(ticket, step, reason, to_staff, moment)
    except DomainError as error:
        return refused(error)
    return Completed(message=f"{ticket}: {done}")
