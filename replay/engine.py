"""This file plays a log: each row becomes a command at its own time, and between rows whatever came due is swept."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from db import alarms, callbacks, due, follow_ups, intake, reference, session, surveys, tickets
from db.commands import apply_to
from db.held import HeldTicket, hold, keeping
from domain.commands import (
    Acknowledge,
    AddNote,
    Assign,
    ChangePriority,
    Command,
    Complete,
    FirstContact,
    RecordReply,
    Reopen,
    ReportNotFixed,
    build_command,
)
from domain.escalation import AlarmKind
from domain.exceptions import DomainError
from domain.history import bridge
from domain.intake import CustomerDetails, Report
from domain.lifecycle import COMMANDS, CommandName, TicketState
from domain.messages import Medium
from domain.people import SYSTEM, Actor, Role
from domain.standard import Standard
from domain.tickets import Impact
from domain.tickets import ticket_id as ticket_id_of
from replay.history_map import ActivityRule, HistoryMap
from replay.log_reader import BadRow, LogRow
from replay.staffing import add_staff
from replay.tally import Tally

# The watchdog of a replay looks this often; an alarm is dated by when it was due, however late the look.
TICK = timedelta(minutes=15)
# Rows of one transaction: enough that its commit costs nothing beside them; what it leaves dead stays short to skip.
BATCH = 50


class Replay:
    """One history on one connection; many rows are committed together, each can be refused by itself.

    ``engineers``: so many share the work as the rules give it to them, and not those whom the log names.
    """

    def __init__(
        self, connection: Connection, history_map: HistoryMap, standard: Standard, *, engineers: int | None = None
    ) -> None:
        self.connection = connection
        self.map = history_map
        self.standard = standard
        self.engineers = engineers
        self.tally = Tally()
        self.staff: dict[str, int] = {}
        self.customers: dict[str, int] = {}
        self.cases: dict[str, int] = {}
        self.kept: dict[int, HeldTicket] = {}
        self.leads: alarms.Leads | None = None
        self.next_due: dict[due.Due, datetime] = {}
        self.must_look = False
        self.sweeps: dict[due.Due, Callable[[datetime], object]] = {
            due.Due.ALARMS: self._raise_alarms,
            due.Due.SURVEYS: lambda now: surveys.dispatch_due(connection, now=now, standard=standard),
            due.Due.CALLBACKS: lambda now: callbacks.escalate_due(connection, now=now, standard=standard),
            due.Due.CLOSINGS: self._close,
            due.Due.FOLLOW_UPS: self._follow_up_all,
        }

    def play(self, rows: Sequence[LogRow], bad: Sequence[BadRow], *, progress: Callable[[int], None]) -> Tally:
        """Play all rows, then whatever is still due up to a day after the last one."""
        self.tally.rows_read = len(rows) + len(bad)
        for broken in bad:
            self.tally.reject(broken.line, broken.why)
        with self.connection.begin():
            reference.sync_calendars(self.connection, self.standard)
            resources = sorted({row.resource for row in rows})
            language = self.standard.organisation.default_language
            self.staff = add_staff(self.connection, resources, language=language, engineers=self.engineers)
        with keeping(self.connection) as self.kept:
            self._play_all(rows, progress=progress)
        return self.tally

    def _play_all(self, rows: Sequence[LogRow], *, progress: Callable[[int], None]) -> None:
        for first in range(0, len(rows), BATCH):
            with self.connection.begin():
                session.mark(self.connection)
                for played, row in enumerate(rows[first : first + BATCH], first + 1):
                    self.sweep_until(row.at)
                    session.move_mark(self.connection)
                    self._play_row(row)
                    progress(played)
        if rows:
            with self.connection.begin():
                self.sweep_until(rows[-1].at + timedelta(days=1))

    def sweep_until(self, moment: datetime) -> None:
        """Do what came due before ``moment``, at the ticks of the watchdog."""
        while True:
            if self.must_look:
                self.next_due, self.must_look = due.next_moments(self.connection, self.sweeps), False
            if not self.next_due or (upcoming := min(self.next_due.values())) > moment:
                return
            self.sweep(min(moment, _tick_after(upcoming)))

    def sweep(self, now: datetime) -> None:
        """One pass of every sweep that has something to do, as the flows do it."""
        for kind, step in self.sweeps.items():
            if kind in self.next_due and self.next_due[kind] <= now:
                step(now)
        self.must_look = True

    def _raise_alarms(self, now: datetime) -> None:
        # Nobody joins or leaves while a log is played.
        self.leads = self.leads or alarms.Leads.read(self.connection, self.standard)
        raised = alarms.raise_due(self.connection, now=now, standard=self.standard, leads=self.leads)
        for alarm in raised:
            self.kept.pop(ticket_id_of(alarm.ticket_number), None)
        if any(alarm.kind is AlarmKind.BREACH for alarm in raised):
            self.next_due[due.Due.FOLLOW_UPS] = now

    def _close(self, now: datetime) -> None:
        for ticket_id in tickets.find_to_close(self.connection, now=now, limit=500):
            follow_ups.close_unanswered(self.connection, ticket_id, standard=self.standard, now=now)

    def _follow_up_all(self, now: datetime) -> None:
        for ticket_id, _ in follow_ups.find_due(self.connection, now=now, limit=500):
            self._follow_up(ticket_id, now)

    def _play_row(self, row: LogRow) -> None:
        rule = self.map.activities[row.activity]
        known_cases, known_customers = {row.case} & self.cases.keys(), {row.customer} & self.customers.keys()
        try:
            repairs = self._apply(row, rule)
            if rule.command in FOLLOWED_UP or row.case not in known_cases:
                # As ticket_lifecycle does within a second.
                self._follow_up(self.cases[row.case], row.at)
        except DomainError as error:
            session.return_to_mark(self.connection)
            self.kept.clear()
            if row.case not in known_cases:
                self.cases.pop(row.case, None)
            if row.customer not in known_customers:
                self.customers.pop(row.customer, None)
            # Every ticket has its number in the reason: without it the same reason is counted together.
            self.tally.reject(row.line, str(error), kind=_NUMBER.sub("…", str(error)))
            return
        if row.shifted:
            repairs.append("local time skipped by a clock change, read as the hour after")
        if repairs:
            self.tally.repaired["; ".join(repairs)] += 1
        else:
            self.tally.applied += 1

    def _apply(self, row: LogRow, rule: ActivityRule) -> list[str]:
        """Apply one row; returns how it had to be repaired."""
        if row.case not in self.cases:
            self._open(row)
            if rule.opens:
                return []
            return ["the case begins without an opening row: opened", *self._carry_out(row, rule)]
        return self._carry_out(row, rule)

    def _carry_out(self, row: LogRow, rule: ActivityRule) -> list[str]:
        held = hold(self.connection, self.cases[row.case])
        state = TicketState(held.row["state"])
        worker = Actor(Role.ENGINEER, self._worker(held, row))
        if rule.command is CommandName.CHANGE_PRIORITY:
            impact = self._impact(row)
            if impact == held.row["impact"] or state in (TicketState.CLOSED, TicketState.CANCELLED):
                return [self._note(held, row, worker, "severity as before")]
            command: Command = ChangePriority(impact=impact, reason=f"severity {row.severity}")
        else:
            command = build_command(rule.command, rule.values)
        if state in rule.settled_in:
            if rule.hands_over and held.row["assignee_id"] != worker.id:
                self._hand_over(held, row, worker)
                return []
            return [self._note(held, row, worker, f"already {state.value}")]
        if state in rule.instead:
            command = self._bridging(rule.instead[state], row)
        steps = bridge(state, command.name)
        for step in steps:
            self._give(held, self._bridging(step, row), row.at, SYSTEM if step in _BY_AFTERCARE else worker)
        if rule.hands_over and held.row["assignee_id"] != worker.id and command.name is rule.command:
            self._hand_over(held, row, worker)
        actor = Actor(Role.CUSTOMER, held.row["customer_id"]) if command.name in _BY_CUSTOMER else worker
        self._give(held, command, row.at, actor)
        return [f"{step.value} was left out: added" for step in steps]

    def _worker(self, held: HeldTicket, row: LogRow) -> int:
        """Who did this."""
        assignee: int | None = held.row["assignee_id"]
        is_shared_out = self.engineers is not None and assignee in self.staff.values()
        return assignee if is_shared_out and assignee is not None else self.staff[row.resource]

    def _hand_over(self, held: HeldTicket, row: LogRow, worker: Actor) -> None:
        self._give(held, Assign(assignee_id=worker.id, reason="taken in charge"), row.at, SYSTEM)

    def _open(self, row: LogRow) -> None:
        if row.customer not in self.customers:
            details = CustomerDetails(
                name=row.customer,
                email=f"customer.{len(self.customers) + 1}@replay.example",
                language=self.standard.organisation.default_language,
                preferred_medium=Medium.EMAIL,
            )
            self.customers[row.customer] = intake.find_or_add_customer(
                self.connection, details, standard=self.standard, now=row.at
            )
        opening = self.map.opening
        report = Report(
            channel=opening.channel,
            description=opening.description.format(case=row.case, product=row.product or "-"),
            impact=self._impact(row),
            is_safety_risk=False,
            serial_number=row.case,
        )
        opened = intake.open_ticket(
            self.connection, self.customers[row.customer], report, SYSTEM, standard=self.standard, now=row.at
        )
        self.cases[row.case], self.must_look = opened.ticket_id, True

    def _follow_up(self, ticket_id: int, now: datetime) -> None:
        step = None
        while step is None or not step.is_last:
            step = follow_ups.carry_out_next(self.connection, ticket_id, standard=self.standard, now=now)
            if step is None:
                return
            self.must_look = True

    def _give(self, held: HeldTicket, command: Command, now: datetime, actor: Actor) -> None:
        apply_to(held, command, actor, standard=self.standard, now=now)
        self.must_look = self.must_look or command.name is not CommandName.ADD_NOTE  # a note makes nothing due

    def _note(self, held: HeldTicket, row: LogRow, worker: Actor, why: str) -> str:
        self._give(held, AddNote(note=f"{row.activity} by {row.resource}"), row.at, worker)
        return f"{why}: kept as a note"

    def _impact(self, row: LogRow) -> Impact:
        return self.map.opening.impact_by_severity.get(row.severity or "", self.map.opening.impact)

    def _bridging(self, step: CommandName, row: LogRow) -> Command:
        left_out = "not in the log"
        match step:
            case CommandName.ACKNOWLEDGE:
                return Acknowledge()
            case CommandName.ASSIGN:
                return Assign(assignee_id=self.staff[row.resource], reason=left_out)
            case CommandName.FIRST_CONTACT:
                return FirstContact(summary=left_out)
            case CommandName.RECORD_REPLY:
                return RecordReply(reply=left_out)
            case CommandName.COMPLETE:
                return Complete(summary=left_out, guidance_only=True)
            case CommandName.REPORT_NOT_FIXED:
                return ReportNotFixed(reason=left_out)
            case CommandName.REOPEN:
                return Reopen(reason=left_out)
            case _:
                raise AssertionError(step)


_NUMBER = re.compile(r"\d+")
FOLLOWED_UP = frozenset(name for name, traits in COMMANDS.items() if traits.needs_follow_up)
_BY_CUSTOMER = frozenset({CommandName.CONFIRM_COMPLETION})
_BY_AFTERCARE = frozenset({CommandName.ACKNOWLEDGE, CommandName.ASSIGN})


def _tick_after(moment: datetime) -> datetime:
    """The first tick at or after a moment (UTC)."""
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    return epoch + -(-(moment - epoch) // TICK) * TICK
