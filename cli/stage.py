"""The stage of the demo: a moving now, the flows that have something to do, and a transcript of who saw what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from prefect import Flow
from prefect.client.schemas.objects import State

from cli.screen import Screen, fold
from db import commands, due, intake, mailbox, staff, surveys, tickets
from db.due import Due
from db.session import transaction
from domain.commands import Command
from domain.intake import CustomerDetails, Report
from domain.messages import Medium
from domain.people import Actor, Role
from domain.satisfaction import SurveyAnswer
from domain.standard import Standard
from domain.tickets import ticket_number
from flows.callback_escalation import callback_escalation
from flows.message_delivery import message_delivery
from flows.sla_watchdog import sla_watchdog
from flows.survey_dispatch import survey_dispatch
from flows.ticket_lifecycle import ticket_lifecycle

_PAGE = 120
_INDENT = 15
_FIRST_LINES = 4

# In this order: what a sweep owes is queued before it is delivered.
FLOW_FOR: dict[Due, Flow[Any, Any]] = {
    Due.ALARMS: sla_watchdog,
    Due.SURVEYS: survey_dispatch,
    Due.CALLBACKS: callback_escalation,
    Due.FOLLOW_UPS: ticket_lifecycle,
    Due.CLOSINGS: ticket_lifecycle,
    Due.MESSAGES: message_delivery,
    Due.LOOK_UPS: message_delivery,
}


class Stage:
    """Plays steps at their time and prints them; ``ui`` is the Prefect server's address."""

    def __init__(self, screen: Screen, standard: Standard, *, now: datetime, ui: str) -> None:
        self.screen = screen
        self.standard = standard
        self.now = now
        self.ui = ui
        self.zone = ZoneInfo(standard.organisation.time_zone)
        self.flow_runs = 0
        self._last_entry = 0
        self._last_shown: datetime | None = None

    def advance(self, to: datetime) -> None:
        """Move to a moment; whatever comes due on the way is done when it is due."""
        while (moment := self._next_due()) is not None and moment <= to:
            self.now = max(self.now, moment)
            self.settle()
        self.now = to

    def settle(self) -> None:
        """Run every flow that has something to do now, until nothing is due."""
        while kinds := [kind for kind, moment in self._due().items() if moment <= self.now]:
            flow = next(flow for kind, flow in FLOW_FOR.items() if kind in kinds)
            self.run(flow)

    def run(self, flow: Flow[Any, Any]) -> None:
        """One real flow run at the present moment, with a line for it and for each message that arrived."""
        state = cast("State[Any]", flow(now=self.now, return_state=True))
        self.flow_runs += 1
        link = f"{self.ui}/runs/flow-run/{state.state_details.flow_run_id}"
        self._print((f"flow {flow.name}: {state.message}  {link}", "dim"))
        if not state.is_completed():
            raise AssertionError(f"{flow.name} ended {state.name}: {state.message}")
        for entry in self._new_entries():
            self._print_message(entry)

    def report(self, customer: CustomerDetails, report: Report, *, taken_by: str | None = None) -> int:
        """A customer reports; returns the ticket's id."""
        with transaction() as connection:
            customer_id = intake.find_or_add_customer(connection, customer, standard=self.standard, now=self.now)
            actor = Actor(Role.CUSTOMER, customer_id) if taken_by is None else staff.actor(connection, taken_by)
            opened = intake.open_ticket(connection, customer_id, report, actor, standard=self.standard, now=self.now)
        self._print(
            (customer.name, "bold cyan"),
            f" by {report.channel.value}: “{report.description}” → ",
            (opened.number, "bold"),
        )
        self.settle()
        return opened.ticket_id

    def by_customer(self, ticket_id: int, command: Command, said: str) -> None:
        """The ticket's customer does something."""
        self._do(ticket_id, command, said, lambda ticket: Actor(Role.CUSTOMER, ticket["customer_id"]), "customer_name")

    def by_assignee(self, ticket_id: int, command: Command, said: str) -> None:
        """Whoever has the ticket does something."""

        def assignee(ticket: dict[str, Any]) -> Actor:
            with transaction() as connection:
                return Actor(Role(staff.get(connection, ticket["assignee_id"])["role"]), ticket["assignee_id"])

        self._do(ticket_id, command, said, assignee, "assignee_name")

    def answer_survey(self, ticket_id: int, scores: tuple[int, int, int, int], comment: str) -> None:
        """The customer answers the survey: efficiency, attitude, solution, overall."""
        names = ("efficiency", "attitude", "solution", "overall")
        answer = SurveyAnswer(**dict(zip(names, scores, strict=True)), comment=comment)
        with transaction() as connection:
            ticket = tickets.get(connection, ticket_id)
            survey = surveys.list_of(connection, ticket_id)[-1]
            actor = Actor(Role.CUSTOMER, ticket["customer_id"])
            surveys.record_answer(connection, survey["id"], answer, actor, standard=self.standard, now=self.now)
        self.say(ticket["customer_name"], ticket_id, f"answers the survey: overall {scores[3]}, “{comment}”")
        self.settle()

    def say(self, who: str, ticket_id: int, what: str) -> None:
        """A line of the transcript."""
        self._print((who, "bold cyan"), f" ({ticket_number(ticket_id)}) {what}")

    def _do(
        self,
        ticket_id: int,
        command: Command,
        said: str,
        actor: Callable[[dict[str, Any]], Actor],
        name: str,
    ) -> None:
        with transaction() as connection:
            ticket = tickets.get(connection, ticket_id)
        who = actor(ticket)
        with transaction() as connection:
            commands.apply_command(connection, ticket_id, command, who, standard=self.standard, now=self.now)
        self.say(ticket[name], ticket_id, said)
        self.settle()

    def _due(self) -> dict[Due, datetime]:
        with transaction() as connection:
            return due.next_moments(connection)

    def _next_due(self) -> datetime | None:
        return min(self._due().values(), default=None)

    def _new_entries(self) -> list[dict[str, Any]]:
        with transaction() as connection:
            found = mailbox.list_since(connection, self._last_entry)
        if found:
            self._last_entry = found[-1]["id"]
        return found

    def _print(self, *line: str | tuple[str, str]) -> None:
        local = self.now.astimezone(self.zone)
        when = f"{local:%a %H:%M}" if self.now != self._last_shown else " " * 9
        self._last_shown = self.now
        self.screen.say(f"{when}  ", *line)

    def _print_message(self, entry: dict[str, Any]) -> None:
        medium = entry["medium"]
        self.screen.say(" " * 13, (f"{medium} to {entry['recipient_name']}", "green"), f" ({entry['kind']})")
        if medium == Medium.EMAIL:
            self._print_said(entry["subject"], style="bold")
        letterhead = set(self.standard.organisation.name.values())
        lines = [line for line in entry["body"].splitlines() if line.strip() and line.strip() not in letterhead]
        # An SMS is shown whole; of a mail what its reader sees first.
        for line in lines if medium == Medium.SMS else lines[:_FIRST_LINES]:
            self._print_said(line)

    def _print_said(self, text: str, *, style: str = "") -> None:
        for line in fold(text, min(self.screen.width, _PAGE) - _INDENT):
            self.screen.say(" " * _INDENT, (line, style))
