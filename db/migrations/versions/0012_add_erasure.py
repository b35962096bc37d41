"""add erasure: when a customer's and a ticket's personal data went, and the one change that the history allows"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("customers", sa.Column("erased_at", moment, nullable=True))
    op.add_column("customers", sa.Column("erased_because", sa.Text(), nullable=True))
    op.add_column("tickets", sa.Column("erased_at", moment, nullable=True))
    op.create_index(
        "ix_tickets_closed_at_kept",
        "tickets",
        ["closed_at"],
        postgresql_where=sa.text("closed_at IS NOT NULL AND erased_at IS NULL"),
    )
    op.drop_constraint(op.f("ck_customers_reachable"), "customers", type_="check")
    op.create_check_constraint(
        op.f("ck_customers_reachable"),
        "customers",
        "(phone IS NOT NULL OR email IS NOT NULL) = (erased_at IS NULL)",
    )
    op.create_check_constraint(
        op.f("ck_customers_erased_has_reason"), "customers", "(erased_at IS NULL) = (erased_because IS NULL)"
    )
    # S-70 beside S-71: of an event only its words and its key may go, all of them, and only in the transaction that
    # wrote the "erased" event which names it. A savepoint has a transaction id of its own: there it is refused.
    op.execute("""
        CREATE FUNCTION allow_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF to_jsonb(NEW) - '{payload,idempotency_key}'::text[] = to_jsonb(OLD) - '{payload,idempotency_key}'::text[]
                AND NEW.payload = '{"erased": true}' AND NEW.idempotency_key IS NULL AND OLD.kind <> 'erased'
                AND EXISTS (
                    SELECT FROM ticket_events e
                    WHERE e.ticket_id = OLD.ticket_id AND e.kind = 'erased'
                    AND e.xmin = pg_current_xact_id()::xid AND e.facts -> 'redacted' ? OLD.seq::text
                )
            THEN RETURN NEW;
            END IF;
            RAISE EXCEPTION 'ticket_events is append-only (S-70)' USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute("DROP TRIGGER ticket_events_are_append_only ON ticket_events")
    op.execute("""
        CREATE TRIGGER ticket_events_are_append_only BEFORE DELETE ON ticket_events
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER ticket_events_lose_only_words BEFORE UPDATE ON ticket_events
        FOR EACH ROW EXECUTE FUNCTION allow_erasure()
    """)
    # S-71: looks go only when their time is over, and the transaction that lets them go says so.
    op.execute("""
        CREATE FUNCTION refuse_forgetting_views() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND current_setting('aftercare.retention', true) = 'on' THEN RETURN OLD; END IF;
            RAISE EXCEPTION 'contact_views is append-only (S-71)' USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER contact_views_are_kept BEFORE DELETE ON contact_views
        FOR EACH ROW EXECUTE FUNCTION refuse_forgetting_views()
    """)
    op.execute("""
        CREATE TRIGGER contact_views_are_not_truncated BEFORE TRUNCATE ON contact_views
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_forgetting_views()
    """)
