"""The schema itself refuses what may not be, whoever writes it; migrations are complete and safe to repeat."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, ProgrammingError

from db import schema, surveys
from db.models import Base
from db.session import DatabaseUnavailableError, engine, transaction
from domain.lifecycle import TicketState
from domain.satisfaction import SurveyAnswer
from tests.conftest import MakeTicket, create_database
from tests.desk import Desk

S = TicketState

# State in which the ticket is; the statement (``:t`` is its id); what refuses it.
REFUSED = [
    (S.NEW, "UPDATE tickets SET state = 'lost' WHERE id = :t", "state_known"),
    (S.NEW, "UPDATE tickets SET channel = 'pigeon' WHERE id = :t", "channel_known"),
    (S.NEW, "UPDATE tickets SET category = 'other' WHERE id = :t", "category_known"),
    (S.NEW, "UPDATE tickets SET suggested_category = 'other' WHERE id = :t", "suggested_category_known"),
    (S.NEW, "UPDATE tickets SET impact = 'none' WHERE id = :t", "impact_known"),
    (S.NEW, "UPDATE tickets SET priority = 'P4' WHERE id = :t", "priority_known"),
    (S.NEW, "UPDATE tickets SET suggested_priority = 'P0' WHERE id = :t", "suggested_priority_known"),
    (S.NEW, "UPDATE tickets SET tier = 4 WHERE id = :t", "tier_known"),
    (S.NEW, "UPDATE tickets SET is_safety_risk = true WHERE id = :t", "safety_is_urgent"),
    (S.NEW, "UPDATE tickets SET number = 'TK-1' WHERE id = :t", "number"),
    (S.DIAGNOSING, "UPDATE tickets SET state = 'waiting_customer' WHERE id = :t", "waiting_resumes"),
    (S.DIAGNOSING, "UPDATE tickets SET resume_state = 'in_work' WHERE id = :t", "waiting_resumes"),
    (S.WAITING_CUSTOMER, "UPDATE tickets SET resume_state = 'new' WHERE id = :t", "resume_state_known"),
    (S.DIAGNOSING, "UPDATE tickets SET assignee_id = NULL WHERE id = :t", "has_assignee"),
    (S.NEW, "UPDATE tickets SET state = 'assigned' WHERE id = :t", "has_assignee"),
    (S.CLOSED, "UPDATE tickets SET closed_at = NULL WHERE id = :t", "over_has_end"),
    (S.NEW, "UPDATE tickets SET closed_at = now() + interval '9 years' WHERE id = :t", "over_has_end"),
    (S.COMPLETED, "UPDATE tickets SET close_due_at = NULL WHERE id = :t", "completed_closes"),
    (S.CLOSED, "UPDATE tickets SET completed_at = NULL WHERE id = :t", "completed_has_moment"),
    (S.CLOSED, "UPDATE tickets SET closed_at = opened_at - interval '1 s' WHERE id = :t", "ends_after_it_began"),
    (S.NEW, "DELETE FROM customers WHERE id = (SELECT customer_id FROM tickets WHERE id = :t)", "fk_tickets"),
    (S.NEW, "DELETE FROM tickets WHERE id = :t", "fk_"),
    (S.NEW, "UPDATE ticket_events SET kind = 'closed' WHERE ticket_id = :t", "append-only"),
    (S.NEW, "DELETE FROM ticket_events WHERE ticket_id = :t", "append-only"),
    (S.NEW, "TRUNCATE ticket_events CASCADE", "append-only"),
    (S.NEW, "TRUNCATE tickets CASCADE", "append-only"),
    (
        S.NEW,
        "INSERT INTO ticket_events (ticket_id, seq, kind, actor_role, at, to_state, payload, facts, digest) "
        "SELECT ticket_id, seq, kind, actor_role, at, to_state, payload, facts, digest FROM ticket_events "
        "WHERE ticket_id = :t",
        "uq_ticket_events_ticket_id_seq",
    ),
    (
        S.NEW,
        "INSERT INTO ticket_events (ticket_id, seq, kind, actor_role, at, to_state, payload, facts, digest) "
        "SELECT ticket_id, 99, kind, 'burglar', at, to_state, payload, facts, digest FROM ticket_events "
        "WHERE ticket_id = :t",
        "actor_role_known",
    ),
    (
        S.NEW,
        "INSERT INTO ticket_events (ticket_id, seq, kind, actor_role, at, to_state, payload, facts, digest, "
        "idempotency_key) SELECT ticket_id, n, kind, actor_role, at, to_state, payload, facts, digest, 'twice' "
        "FROM ticket_events, generate_series(50, 51) n WHERE ticket_id = :t",
        "uq_ticket_events_idempotency_key",
    ),
    (S.NEW, "UPDATE sla_clocks SET kind = 'coffee' WHERE ticket_id = :t", "kind_known"),
    (S.NEW, "UPDATE sla_clocks SET target = interval '0' WHERE ticket_id = :t", "target_positive"),
    (S.NEW, "UPDATE sla_clocks SET stopped_at = started_at WHERE ticket_id = :t", "stopped_is_silent"),
    (
        S.ASSIGNED,
        "UPDATE sla_clocks SET next_alarm_at = NULL, stopped_at = started_at - interval '1 s' WHERE ticket_id = :t",
        "stops_after_it_started",
    ),
    (S.NEW, "UPDATE sla_clocks SET kind = 'response' WHERE ticket_id = :t", "uq_sla_clocks_ticket_id_round_kind"),
    (
        S.PLAN_PROPOSED,
        "INSERT INTO plans (ticket_id, revision, kind, steps, owner_id, deadline_at, proposed_at) "
        "SELECT ticket_id, 2, kind, steps, owner_id, deadline_at, proposed_at FROM plans WHERE ticket_id = :t",
        "uq_plans_open",
    ),
    (
        S.IN_WORK,
        "INSERT INTO plans (ticket_id, revision, kind, steps, owner_id, deadline_at, proposed_at) "
        "SELECT ticket_id, 1, kind, steps, owner_id, deadline_at, proposed_at FROM plans WHERE ticket_id = :t",
        "uq_plans_ticket_id_revision",
    ),
    (S.PLAN_PROPOSED, "UPDATE plans SET state = 'objected' WHERE ticket_id = :t", "objection_has_reason"),
    (S.PLAN_PROPOSED, "UPDATE plans SET state = 'maybe' WHERE ticket_id = :t", "state_known"),
    (
        S.PLAN_PROPOSED,
        "UPDATE plans SET appointment_at = deadline_at + interval '1 s' WHERE ticket_id = :t",
        "appointment_before_deadline",
    ),
    (
        S.COMPLETED,
        "INSERT INTO surveys (ticket_id, completion_no, method) VALUES (:t, 1, 'form')",
        "uq_surveys_ticket_id_completion_no",
    ),
    (S.COMPLETED, "UPDATE surveys SET state = 'sent' WHERE ticket_id = :t", "sent_has_moment"),
    (S.COMPLETED, "UPDATE surveys SET state = 'expired' WHERE ticket_id = :t", "over_is_silent"),
    (S.COMPLETED, "UPDATE surveys SET method = 'fax' WHERE ticket_id = :t", "method_known"),
    (
        S.ASSIGNED,
        "UPDATE messages SET staff_id = 1 WHERE ticket_id = :t AND customer_id IS NOT NULL",
        "one_recipient",
    ),
    (S.ASSIGNED, "UPDATE messages SET customer_id = NULL, staff_id = NULL WHERE ticket_id = :t", "one_recipient"),
    (S.ASSIGNED, "UPDATE messages SET state = 'accepted' WHERE ticket_id = :t", "words_frozen"),
    (S.ASSIGNED, "UPDATE messages SET state = 'sending', body = 'b' WHERE ticket_id = :t", "sending_has_moment"),
    (S.ASSIGNED, "UPDATE messages SET medium = 'telex' WHERE ticket_id = :t", "medium_known"),
    (S.ASSIGNED, "UPDATE messages SET dedupe_key = 'same' WHERE ticket_id = :t", "uq_messages_dedupe_key"),
    (
        S.NEW,
        "UPDATE customers SET phone = NULL, email = NULL WHERE id = (SELECT customer_id FROM tickets WHERE id = :t)",
        "reachable",
    ),
    (
        S.NEW,
        "UPDATE customers SET phone = '13800138000' WHERE id = (SELECT customer_id FROM tickets WHERE id = :t)",
        "phone_is_e164",
    ),
    (
        S.NEW,
        "INSERT INTO customers (name, email, language, time_zone, created_at) SELECT name, upper(email), language, "
        "time_zone, created_at FROM customers WHERE id = (SELECT customer_id FROM tickets WHERE id = :t)",
        "uq_customers_email",
    ),
    (
        S.NEW,
        "INSERT INTO attachments (ticket_id, event_id, file_name, media_type, sha256, content, added_at) "
        "SELECT :t, id, 'f', 'image/png', '', '', at FROM ticket_events WHERE ticket_id = :t",
        "size",
    ),
    (
        S.NEW,
        "INSERT INTO attachments (ticket_id, event_id, file_name, media_type, sha256, content, added_at) "
        "SELECT :t, id, 'f', 'text/html', '', 'x', at FROM ticket_events WHERE ticket_id = :t",
        "media_type_known",
    ),
    (S.NEW, "INSERT INTO staff (name, email, role, team_id, language, calendar) VALUES "
        "('x', 'x@example.com', 'customer', 1, 'en', 'office')", "role_known"),
    (S.NEW, "INSERT INTO teams (name, tier) VALUES ('x', 0)", "tier_known"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "statement", "refused_by"), REFUSED, ids=[f"{by}-{number}" for number, (_, _, by) in enumerate(REFUSED)]
)
def test_a_statement_that_breaks_a_rule_is_refused(
    desk: Desk, state: TicketState, statement: str, refused_by: str
) -> None:
    ticket_id = desk.bring_to(state)
    desk.connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))

    with pytest.raises((IntegrityError, InternalError, ProgrammingError), match=refused_by):
        desk.connection.execute(text(statement), {"t": ticket_id} if ":t" in statement else {})


def _answered(desk: Desk) -> int:
    ticket_id = desk.bring_to(S.COMPLETED)
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.after(hours=24))
    survey_id = desk.surveys(ticket_id)[0]["id"]
    answer = SurveyAnswer(efficiency=1, attitude=1, solution=1, overall=1)
    surveys.record_answer(
        desk.connection,
        survey_id,
        answer,
        desk.customer_of(ticket_id),
        standard=desk.standard,
        now=desk.after(hours=25),
    )
    return int(survey_id)


@pytest.mark.parametrize(
    ("statement", "refused_by"),
    [
        ("INSERT INTO survey_answers SELECT * FROM survey_answers WHERE survey_id = :s", "pk_survey_answers"),
        ("UPDATE survey_answers SET overall = 6 WHERE survey_id = :s", "overall_score"),
        ("UPDATE survey_answers SET efficiency = 0 WHERE survey_id = :s", "efficiency_score"),
        ("UPDATE survey_answers SET attitude = 6 WHERE survey_id = :s", "attitude_score"),
        ("UPDATE survey_answers SET solution = -1 WHERE survey_id = :s", "solution_score"),
        ("UPDATE callbacks SET state = 'done', next_action_at = NULL WHERE survey_id = :s", "done_has_reason"),
        ("UPDATE callbacks SET state = 'cancelled' WHERE survey_id = :s", "over_is_silent"),
        (
            "INSERT INTO callbacks (ticket_id, survey_id, kind, due_at) "
            "SELECT ticket_id, survey_id, kind, due_at FROM callbacks WHERE survey_id = :s",
            "uq_callbacks_survey_id_kind",
        ),
    ],
)
def test_a_statement_about_an_answer_that_breaks_a_rule_is_refused(desk: Desk, statement: str, refused_by: str) -> None:
    survey_id = _answered(desk)

    with pytest.raises(IntegrityError, match=refused_by):
        desk.connection.execute(text(statement), {"s": survey_id})


def test_a_ticket_without_its_promises_is_refused_at_the_commit(
    connection: Connection, make_ticket: MakeTicket
) -> None:
    ticket_id = make_ticket()
    connection.execute(text("DELETE FROM sla_clocks WHERE ticket_id = :t AND kind = 'resolution'"), {"t": ticket_id})

    with pytest.raises(DBAPIError, match="has no SLA clocks for round 1"):
        connection.execute(text("SET CONSTRAINTS tickets_have_clocks IMMEDIATE"))


def test_a_round_without_its_promises_is_refused_at_the_commit(connection: Connection, make_ticket: MakeTicket) -> None:
    ticket_id = make_ticket()
    connection.execute(text("SET CONSTRAINTS tickets_have_clocks IMMEDIATE"))

    with pytest.raises(DBAPIError, match="for round 2"):
        connection.execute(text("UPDATE tickets SET round = 2 WHERE id = :t"), {"t": ticket_id})


class TestMigrations:
    def test_an_empty_database_becomes_what_the_models_say(self, postgres: str) -> None:
        url = create_database(postgres, "empty_for_migrations")

        before, after = schema.upgrade(url)

        assert (before, after) == (None, schema.head())
        with engine(url).connect() as connection:
            assert schema.differences(connection) == []
        engine(url).dispose()

    def test_a_missing_column_is_a_difference(self, connection: Connection) -> None:
        connection.execute(text("ALTER TABLE customers DROP COLUMN wants_anonymity"))

        assert "wants_anonymity" in str(schema.differences(connection))

    def test_a_second_upgrade_changes_nothing(self, database: str) -> None:
        def tables() -> list[object]:
            with transaction(database) as connection:
                return list(connection.execute(text("SELECT oid, relname, relfilenode FROM pg_class ORDER BY oid")))

        before = tables()

        assert schema.upgrade(database) == (schema.head(), schema.head())
        assert tables() == before

    def test_two_upgrades_at_once_migrate_once(self, postgres: str) -> None:
        url = create_database(postgres, "upgraded_by_two")

        with ThreadPoolExecutor(2) as threads:
            results = list(threads.map(schema.upgrade, [url, url]))

        assert sorted(str(before) for before, _ in results) == sorted(["None", schema.head()])
        schema.require_current(url)
        engine(url).dispose()

    def test_a_table_that_is_in_use_is_not_waited_for(self, database: str) -> None:
        with transaction(database) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0012'"))  # 0013 changes messages

        with transaction(database) as somebody:
            somebody.execute(text("LOCK TABLE messages IN ACCESS SHARE MODE"))
            with pytest.raises(DatabaseUnavailableError, match=r"stays at revision 0012, .*: try again"):
                schema.upgrade(database)

        with transaction(database) as connection:
            assert schema.revision(connection) == "0012"

    def test_an_index_is_built_anew_after_a_kill_while_others_write(self, database: str) -> None:
        with transaction(database) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0023'"))
            connection.execute(text("DROP INDEX ix_tickets_order_number"))
            connection.execute(text("CREATE INDEX ix_tickets_order_number ON tickets (id)"))
        waiting = text("SELECT 1 FROM pg_stat_activity WHERE query LIKE '% INDEX CONC%' AND wait_event_type = 'Lock'")

        with ThreadPoolExecutor(1) as threads:
            with transaction(database) as writer:
                writer.execute(text("LOCK TABLE tickets IN ROW EXCLUSIVE MODE"))
                upgrade = threads.submit(schema.upgrade, database)
                while not upgrade.done():
                    with transaction(database) as other:
                        other.execute(text("SET LOCAL lock_timeout = '1s'; LOCK TABLE tickets IN ROW EXCLUSIVE MODE"))
                        if other.execute(waiting).first():
                            break
            upgrade.result()

        schema.require_current(database)
        with transaction(database) as connection:
            assert schema.differences(connection) == []

    def test_an_empty_database_is_said_to_be_empty(self, postgres: str) -> None:
        url = create_database(postgres, "empty_and_said")

        with pytest.raises(DatabaseUnavailableError, match="aftercare db upgrade"):
            schema.require_current(url)
        engine(url).dispose()

    def test_another_version_s_schema_is_said_by_its_revision(self, database: str) -> None:
        with transaction(database) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

        with pytest.raises(DatabaseUnavailableError, match="revision 0001"):
            schema.require_current(database)

    def test_every_table_of_the_models_exists(self, connection: Connection) -> None:
        query = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = set(connection.execute(query).scalars())

        assert found == set(Base.metadata.tables) | {"alembic_version"}
