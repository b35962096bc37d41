"""Operations hand over all open tickets of somebody who is away or leaves, each with its reason (S-12, S-33)."""

from prefect import flow
from prefect.client.schemas.objects import State

from clock import utc_now
from flows.parameters import THREADS, Now, Reason, StaffId
from flows.report import Report
from tasks import interventions, story


@flow(name="ticket_handover", flow_run_name="from {from_staff}", task_runner=THREADS)
def ticket_handover(
    from_staff: StaffId, reason: Reason, to_staff: StaffId | None = None, now: Now = None
) -> State[None]:
    """Gives every open ticket of one member of staff to somebody else; each customer hears who takes over (S-33).
    Completed tickets stay. Run again, it goes on with what is left.

    Args:
        from_staff: The number of whoever hands over ("aftercare staff list").
        reason: Why; the new assignees read it.
        to_staff: The number of whoever takes them all. Empty: for each ticket the rules choose (S-12).
        now: The moment that counts, given with its zone. Empty: the present moment.
    """
    moment = now or utc_now()
    report = Report("ticket-handover", f"Tickets of {from_staff} that were handed over.")
    runs = []
    for chunk in story.chunks(interventions.open_tickets_of(from_staff)):
        numbers = [number for _, number in chunk]
        task = interventions.hand_over.with_options(**story.run_options(numbers, "hand over"))
        runs.append((numbers, task.submit(chunk, from_staff, reason, to_staff, moment)))
    for numbers, run in runs:
        for number, outcome in (report.outcome(run, numbers, "handing over") or {}).items():
            report.add(outcome.partition(":")[0], [{"ticket": number, "outcome": outcome}])
    return report.finish()
