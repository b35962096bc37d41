"""Every ticket is acknowledged at once, assigned within 30 minutes, climbs when late, and closes (S-05, S-12, S-13)."""

from datetime import datetime

from prefect import flow
from prefect.client.schemas.objects import State

from domain.tickets import ticket_number
from flows.drain_window import drain, is_stale
from flows.parameters import THREADS, Now, WindowSeconds, run_name
from flows.report import Report, too_late
from tasks import lifecycle, story


@flow(name="ticket_lifecycle", flow_run_name=run_name, task_runner=THREADS)
def ticket_lifecycle(now: Now = None, window_seconds: WindowSeconds = 300) -> State[None]:
    """Does what tickets' events ask for: acknowledge (S-05), assign within 30 minutes (S-12), climb a tier after a
    breach (S-13), close when the customer leaves the sign-off unanswered (S-40).

    Each ticket has a task run named and tagged by its number; under backlog a task run takes several tickets.

    Args:
        now: Do what is due at this moment, given with its zone, then end. Empty: now, for the whole window.
        window_seconds: How long the run stays awake; a little more than the time to the next scheduled run.
    """
    if is_stale(now=now, window_seconds=window_seconds):
        return too_late()
    report = Report("ticket-lifecycle", "What tickets asked for and got.")

    def step(moment: datetime) -> int:
        return follow_up_events(report, moment) + close_unanswered(report, moment)

    drain(step, now=now, window_seconds=window_seconds)
    return report.finish()


def follow_up_events(report: Report, moment: datetime) -> int:
    """Follow up the events of every ticket that has some; returns how many tickets."""
    pending = [ticket for ticket in lifecycle.find_pending(now=moment) if ticket[0] not in report.failed]
    runs = []
    for chunk in story.chunks(pending):
        ids = [ticket_id for ticket_id, _ in chunk]
        options = story.run_options([number for _, number in chunk], "follow up")
        runs.append((ids, lifecycle.follow_up.with_options(**options).submit(ids, moment)))
    for ids, run in runs:
        for done in report.outcome(run, ids, "follow-up") or []:
            report.add(
                "events followed up",
                [
                    {
                        "ticket": done.ticket_number,
                        "event": done.event,
                        "did": ", ".join([*done.done, *filter(None, [done.problem])]),
                    }
                ],
            )
    return len(pending)


def close_unanswered(report: Report, moment: datetime) -> int:
    """Close completed tickets whose customer did not answer; returns how many."""
    ids = [ticket_id for ticket_id in lifecycle.find_to_close(now=moment) if ticket_id not in report.failed]
    if not ids:
        return 0
    numbers = [ticket_number(ticket_id) for ticket_id in ids]
    options = story.run_options(numbers[: story.MOST_TAGS], "close unanswered")
    run = lifecycle.close_unanswered.with_options(**options).submit(ids, moment)
    closed = report.outcome(run, ids, "closing") or []
    report.add("closed without answer", [{"ticket": number, "did": "close"} for number in closed])
    return len(ids)
