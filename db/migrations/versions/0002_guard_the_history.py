"""guard the history"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # S-70: what was recorded can neither be changed nor removed.
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'ticket_events is append-only (S-70)' USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER ticket_events_are_append_only BEFORE UPDATE OR DELETE ON ticket_events
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER ticket_events_are_not_truncated BEFORE TRUNCATE ON ticket_events
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    # S-10: no ticket without its promises; checked at commit, because the ticket's row comes first.
    op.execute("""
        CREATE FUNCTION require_clocks() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT count(*) FROM sla_clocks
                WHERE ticket_id = NEW.id AND round = NEW.round AND kind IN ('response', 'resolution')) < 2 THEN
                RAISE EXCEPTION 'ticket % has no SLA clocks for round %', NEW.id, NEW.round
                USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE CONSTRAINT TRIGGER tickets_have_clocks AFTER INSERT OR UPDATE OF round ON tickets
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_clocks()
    """)
