"""Operations decide on one message: to send it again, or to take it back, with a reason (S-70)."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from clock import utc_now
from domain.exceptions import DomainError
from domain.interventions import MessageStep
from flows.parameters import MessageId, Now, Reason
from flows.report import refused
from tasks.interventions import decide_message


@flow(name="message_decision", flow_run_name="message {message} · {step}")
def message_decision(message: MessageId, step: MessageStep, reason: Reason, now: Now = None) -> State[None]:
    """Sends a message again that is over and did not arrive, or takes back one that still waits. The decision is kept
    with the message and, where it is about a ticket, in the ticket's history.

    Args:
        message: The message's number, from "aftercare message list" or the workbench.
        step: resend: it may come twice. cancel: it waits, and is not to leave any more.
        reason: Why; write no customer's data.
        now: The moment that counts, given with its zone. Empty: the present moment.
    """
    try:
        decide_message.with_options(task_run_name=f"message {message} · {step.value}")(
            message, step, reason, now or utc_now()
        )
    except DomainError as error:
        return refused(error)
    return Completed(message=f"message {message}: {step.value} done")
