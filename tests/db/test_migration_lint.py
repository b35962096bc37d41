"""What each migration would do to a service that is running: read by squawk, by the rules of ``.squawk.toml``."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

from alembic import command

from db import schema

ROOT = Path(__file__).parents[2]

# Landed and never to be changed: until 0023 no installation had a big table, and each of these took milliseconds.
ACCEPTED = {
    "adding-foreign-key-constraint": {"0003", "0004", "0017"},  # of a new, empty column
    "ban-drop-not-null": {"0003"},
    "constraint-missing-not-valid": {
        "0003",
        "0004",
        "0005",
        "0012",
        "0017",
        "0020",
    },  # checks renewed or of new columns
    "disallowed-unique-constraint": {"0017"},
    "require-concurrent-index-creation": {
        *("0003", "0006", "0008", "0011", "0012", "0013", "0016", "0017", "0021", "0023"),
    },
    "require-concurrent-index-deletion": {"0003", "0016"},
}

_BEGINNING = re.compile(
    r"^BEGIN;\s(?:\sCREATE TABLE alembic_version [^;]+;\s)?\s-- Running upgrade .*-> (\d+)$", re.MULTILINE
)


def _findings(folder: Path, migrations: dict[str, str]) -> dict[str, set[str]]:
    """The rules that were broken, each with the revisions that did."""
    for revision, statements in migrations.items():
        (folder / f"{revision}.sql").write_text(f"BEGIN;{statements}", "utf-8")
    squawk = [Path(sys.executable).with_name("squawk"), "--config", ROOT / ".squawk.toml", "--reporter", "json"]
    answer = subprocess.run([*squawk, *sorted(folder.glob("*.sql"))], capture_output=True, text=True)
    found: dict[str, set[str]] = {}
    for finding in json.loads(answer.stdout):
        found.setdefault(finding["rule_name"], set()).add(Path(finding["file"]).stem)
    return found


def test_no_migration_stops_a_service_that_is_running(tmp_path: Path) -> None:
    written = io.StringIO()
    alembic = schema.config()
    alembic.output_buffer = written
    command.upgrade(alembic, "head", sql=True)
    _, *parts = re.split(_BEGINNING, written.getvalue())
    migrations = dict(zip(parts[::2], parts[1::2], strict=True))

    assert max(migrations) == schema.head()
    assert _findings(tmp_path, migrations) == ACCEPTED


def test_what_would_stop_it_is_found(tmp_path: Path) -> None:
    wrong = {
        "ban-drop-column": "ALTER TABLE tickets DROP COLUMN wish;",
        "ban-drop-table": "DROP TABLE callbacks;",
        "adding-required-field": "ALTER TABLE tickets ADD COLUMN colour text NOT NULL;",
        "changing-column-type": "ALTER TABLE tickets ALTER COLUMN tier TYPE bigint;",
        "require-concurrent-index-creation": "CREATE INDEX ix_tickets_wish ON tickets (wish);",
        "constraint-missing-not-valid": "ALTER TABLE tickets ADD CONSTRAINT ck_wish CHECK (wish <> '');",
        "renaming-column": "ALTER TABLE tickets RENAME COLUMN wish TO hope;",
        "ban-concurrent-index-creation-in-transaction": "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON tickets (wish);",
    }

    assert _findings(tmp_path, {rule: f"{change} COMMIT;" for rule, change in wrong.items()}) == {
        rule: {rule} for rule in wrong
    }
