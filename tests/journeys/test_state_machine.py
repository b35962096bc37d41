"""Random commands from several connections at once; whatever happens, the invariants of the service hold."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, func, select, text

from db import alarms, callbacks, commands, events, follow_ups, intake, surveys, tickets
from db.models import Callback, Message, SlaClock, Survey, Ticket
from db.session import engine, transaction
from domain import commands as orders
from domain.exceptions import DomainError
from domain.intake import CustomerDetails, Report
from domain.people import SYSTEM, Actor, Role
from domain.satisfaction import SurveyAnswer
from domain.standard import load_standard
from domain.tickets import Category, Channel, Impact
from tests.conftest import UsedDatabase

STANDARD = load_standard()
_names = itertools.count(1)


def order(now: datetime) -> st.SearchStrategy[orders.Command]:
    """Any command with valid values; whether it is possible is for the ticket to say."""
    later = now + timedelta(days=2)
    plain: list[orders.Command] = [
        orders.Acknowledge(),
        orders.FirstContact(summary="s"),
        orders.AskCustomer(question="q"),
        orders.RecordReply(reply="r"),
        orders.ProposePlan(kind="repair", steps=["a"], deadline_at=later),
        orders.ProposePlan(
            kind="repair",
            steps=["a"],
            deadline_at=later,
            options=[orders.PlanOption(title="x"), orders.PlanOption(title="y")],
        ),
        orders.AgreePlan(),
        orders.AgreePlan(option=2),
        orders.ObjectToPlan(reason="o"),
        orders.LogStep(step="s"),
        orders.ReportDelay(reason="r", expected_at=later, contingency="c"),
        orders.AddNote(note="n"),
        orders.Complete(summary="s", tested=True),
        orders.Complete(summary="s", guidance_only=True),
        orders.ReportNotFixed(reason="r"),
        orders.ConfirmCompletion(signed_by="c"),
        orders.Close(),
        orders.Reopen(reason="r"),
        orders.Cancel(reason="r"),
    ]
    return st.one_of(
        st.sampled_from(plain),
        st.builds(orders.ChangePriority, impact=st.sampled_from(Impact), reason=st.just("r")),
        st.builds(orders.ChangeCategory, category=st.sampled_from(Category), reason=st.just("r")),
        st.builds(orders.Assign, assignee_id=st.integers(1, 12), reason=st.just("r")),
        st.builds(orders.EscalateTier, assignee_id=st.integers(1, 12), reason=st.just("r")),
    )


class Service(RuleBasedStateMachine):
    """Tickets of one database, acted on from several connections."""

    database: UsedDatabase
    opened = Bundle("opened")

    @initialize()
    def begin(self) -> None:
        self.database.sweep()
        self.now = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)

    def together(self, *actions: Callable[[Connection], Any]) -> None:
        """Run actions at once, each on a connection and in a transaction of its own; rules may say no."""

        def act(action: Callable[[Connection], Any]) -> None:
            try:
                with transaction(self.database.url) as connection:
                    action(connection)
            except DomainError:
                pass

        with ThreadPoolExecutor(len(actions)) as pool:
            list(pool.map(act, actions))

    @rule(target=opened, impact=st.sampled_from(Impact), valued=st.booleans())
    def open(self, impact: Impact, valued: bool) -> int:
        details = CustomerDetails(
            name="C", email=f"machine{next(_names)}@example.com", tier="valued" if valued else "standard"
        )
        with transaction(self.database.url) as connection:
            customer_id = intake.find_or_add_customer(connection, details, standard=STANDARD, now=self.now)
            report = Report(channel=Channel.WEB, description="It leaks", impact=impact)
            return intake.open_ticket(
                connection, customer_id, report, Actor(Role.CUSTOMER, customer_id), standard=STANDARD, now=self.now
            ).ticket_id

    @rule(ticket=opened, data=st.data(), twice=st.booleans())
    def command(self, ticket: int, data: st.DataObject, twice: bool) -> None:
        first = data.draw(order(self.now))
        second = first if twice else data.draw(order(self.now))
        role = data.draw(st.sampled_from([Role.SUPERVISOR, Role.ENGINEER, Role.SYSTEM, Role.CUSTOMER]))
        key = f"key {next(_names)}" if twice else None
        actor = {Role.SYSTEM: SYSTEM}.get(role, Actor(role, 4))

        def give(command: orders.Command) -> Callable[[Connection], Any]:
            return lambda connection: commands.apply_command(
                connection, ticket, command, actor, standard=STANDARD, now=self.now, idempotency_key=key
            )

        self.together(give(first), give(second))

    @rule(hours=st.sampled_from([0.2, 1, 5, 24, 80]))
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def sweep(self) -> None:
        now = self.now

        def watch(connection: Connection) -> None:
            alarms.raise_due(connection, standard=STANDARD, now=now, limit=5)

        def ask(connection: Connection) -> None:
            surveys.dispatch_due(connection, standard=STANDARD, now=now)

        def call(connection: Connection) -> None:
            callbacks.escalate_due(connection, standard=STANDARD, now=now)

        def follow(connection: Connection) -> None:
            for ticket_id, _ in follow_ups.find_due(connection, now=now, limit=20):
                follow_ups.carry_out_next(connection, ticket_id, standard=STANDARD, now=now)

        def close(connection: Connection) -> None:
            for ticket_id in tickets.find_to_close(connection, now=now, limit=20):
                follow_ups.close_unanswered(connection, ticket_id, standard=STANDARD, now=now)

        self.together(watch, watch, ask, ask, call, follow, follow, close)

    @rule(ticket=opened, score=st.integers(1, 5))
    def answer(self, ticket: int, score: int) -> None:
        given = SurveyAnswer(efficiency=score, attitude=score, solution=score, overall=score)

        def respond(connection: Connection) -> None:
            asked = surveys.list_of(connection, ticket)
            if asked:
                surveys.record_answer(
                    connection, asked[-1]["id"], given, Actor(Role.CUSTOMER, 1), standard=STANDARD, now=self.now
                )

        self.together(respond, respond, respond)

    @invariant()
    def the_service_is_sound(self) -> None:
        with engine(self.database.url).connect() as connection:
            assert list(events.find_flaws(connection)) == []
            clockless = (
                select(func.count())
                .select_from(Ticket)
                .where(
                    ~select(SlaClock.id).where(SlaClock.ticket_id == Ticket.id, SlaClock.round == Ticket.round).exists()
                )
            )
            assert connection.execute(clockless).scalar_one() == 0
            for column in (Message.dedupe_key,):
                doubled = select(column).group_by(column).having(func.count() > 1)
                assert connection.execute(doubled).all() == []
            surveys_of = select(Survey.ticket_id, Survey.completion_no).group_by(Survey.ticket_id, Survey.completion_no)
            assert connection.execute(surveys_of.having(func.count() > 1)).all() == []
            called = select(Callback.survey_id).where(Callback.kind == "low_score").group_by(Callback.survey_id)
            assert connection.execute(called.having(func.count() > 1)).all() == []
            rung = text(
                "SELECT 1 FROM ticket_events WHERE kind LIKE 'sla_%' "
                "GROUP BY ticket_id, facts->>'round', facts->>'clock', facts->>'share' HAVING count(*) > 1"
            )
            assert connection.execute(rung).all() == []
            unjudged = text(
                "SELECT 1 FROM sla_clocks WHERE stopped_at > due_at AND breached_at IS NULL AND due_at IS NOT NULL"
            )
            assert connection.execute(unjudged).all() == []


@pytest.mark.postgres
def test_random_commands_from_several_connections_keep_the_service_sound(used_database: UsedDatabase) -> None:
    machine = type("OwnService", (Service,), {"database": used_database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=False,
        ),
    )
