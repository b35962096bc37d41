"""``aftercare doctor``: says what is missing or wrong and how to mend it."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx
from sqlalchemy.exc import DBAPIError

from channels import registry
from cli.failure import CommandError
from cli.screen import Screen
from db import events, inbox, media, outbox, schema, staff, standards, webhooks
from db.session import DatabaseUnavailableError, cause, database_url, require_usable, transaction
from db.standards import get_standard
from domain.exceptions import DomainError, StandardError
from domain.messages import Medium
from settings import SettingsError, get_settings


@dataclass(frozen=True)
class Finding:
    """What a look found; ``mend`` is empty when all is well."""

    what: str
    found: str
    mend: str = ""


def doctor() -> None:
    """Look at settings, standard, database, staff, outbox and Prefect; exit code 1 when something is wrong."""
    screen = Screen()
    wrong = 0
    for look in LOOKS:
        finding = look()
        wrong += bool(finding.mend)
        verdict = ("wrong ", "red") if finding.mend else ("fine  ", "green")
        screen.say(verdict, f"{finding.what}: {finding.found}")
        if finding.mend:
            screen.say(f"       → {finding.mend}")
    if wrong:
        raise CommandError(f"{wrong} of {len(LOOKS)} checks found something to mend")


def shortly(duration: timedelta) -> str:
    """A duration as the standard's file writes it: ``1d12h``."""
    seconds = int(duration.total_seconds())
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", f"{version}, Prefect {importlib.metadata.version('prefect')}")


def _settings() -> Finding:
    try:
        settings = get_settings()
    except SettingsError as error:
        return Finding("Settings", str(error), "mend the variables named")
    secrets = settings.home / "secrets"
    if secrets.exists() and secrets.stat().st_mode & 0o077:
        return Finding("Settings", f"others may read {secrets}", f"chmod 700 {secrets}")
    return Finding("Settings", f"home {settings.home.absolute()}")


def _standard() -> Finding:
    try:
        standard = get_standard()
        with transaction() as connection:
            standards.require_usable(connection, standard)
    except StandardError as error:
        return Finding("Service standard", str(error), "mend the figures named")
    origin = f"version {standard.version}, adopted" if standard.version else "as in the files"
    promises = ", ".join(
        f"{p.value} {shortly(v.response)}/{shortly(v.resolution)}" for p, v in standard.priorities.items()
    )
    return Finding("Service standard", f"{origin}; response/resolution {promises}")


def _database() -> Finding:
    settings = get_settings()
    kind = "embedded" if settings.database_url is None else "given"
    try:
        url = database_url()
        require_usable(url)
        schema.require_current(url)
    except DatabaseUnavailableError as error:
        return Finding(f"Database ({kind})", str(error), "do what the sentence says")
    with transaction(url) as connection:
        flaw = next(iter(events.find_flaws(connection)), None)
    if flaw:
        return Finding(
            f"Database ({kind})", flaw, "a history was altered: 'aftercare db check' lists all; restore a backup"
        )
    return Finding(f"Database ({kind})", f"PostgreSQL, revision {schema.head()}, histories unaltered")


def _staff() -> Finding:
    with transaction() as connection:
        people = staff.list_all(connection)
    roles = {person["role"] for person in people if person["is_active"]}
    missing = [role for role in ("engineer", "agent", "supervisor", "manager") if role not in roles]
    if missing:
        return Finding(
            "Staff", f"nobody is {', '.join(missing)}", "'aftercare staff add', or 'aftercare db seed' to try"
        )
    return Finding("Staff", f"{len(people)} people")


def _outbox() -> Finding:
    with transaction() as connection:
        counts = outbox.count_by_state(connection)
    shown = ", ".join(f"{count} {state}" for state, count in counts.items()) or "empty"
    if counts.get("failed") or counts.get("unknown"):
        mend = "'aftercare message list' names them and says why; mend the cause, or ask the reader, then resend"
        return Finding("Outbox", shown, mend)
    return Finding("Outbox", shown)


def _channels() -> Finding:
    settings = get_settings()
    registry.require(settings)
    with transaction() as connection:
        rows = media.list_all(connection)
        problems = inbox.count_problems(connection)
    shown = ", ".join(f"{row['medium']} by {registry.chosen(Medium(row['medium']), settings).value}" for row in rows)
    for row in rows:
        if row["stopped_at"] is not None:
            mend = f"mend the vendor's account or credentials, then 'aftercare channel resume {row['medium']}'"
            return Finding("Channels", f"{row['medium']} is stopped: {row['stop_code']}", mend)
    if problems:
        return Finding("Channels", f"{problems} callbacks could not be handled", "see table inbox, column result")
    mute = [m.value for m in Medium if registry.calls_back(m, settings) and not registry.callback_reader(m, settings)]
    if mute or (registry.calls_back(Medium.SMS, settings) and not settings.public_url):
        return Finding(
            "Channels",
            f"{shown}; callbacks cannot be received",
            "set AFTERCARE_PUBLIC_URL and the vendor's key (docs/vendors.md); until then fates are polled",
        )
    return Finding("Channels", shown)


def _webhooks() -> Finding:
    with transaction() as connection:
        rows = webhooks.list_all(connection)
    paused = [f"{row['name']} is paused: {row['pause_code']}" for row in rows if row["paused_at"] is not None]
    if paused:
        return Finding("Webhooks", "; ".join(paused), "let its operator mend it, then 'aftercare webhook resume ID'")
    return Finding("Webhooks", f"{len(rows)} systems are told" if rows else "nobody is told")


def _prefect() -> Finding:
    address = os.environ.get("PREFECT_API_URL", f"{get_settings().prefect_url}/api")
    try:
        httpx.get(f"{address}/ready", timeout=3, trust_env=False).raise_for_status()
    except httpx.HTTPError:
        return Finding("Prefect server", f"nothing answers at {address}", "start it, for example by 'aftercare up'")
    return Finding("Prefect server", f"answers at {address}")


def _guarded(look: Callable[[], Finding]) -> Callable[[], Finding]:
    """A look that needs the database says so when there is none."""

    def guarded() -> Finding:
        try:
            return look()
        except SettingsError as error:
            return Finding(_name(look), str(error), "set the variables named")
        except DBAPIError as error:
            return Finding(_name(look), f"could not look: {cause(error)}", "mend what is wrong above first")
        except (DomainError, DatabaseUnavailableError, OSError, subprocess.SubprocessError) as error:
            return Finding(_name(look), f"could not look: {error}", "mend what is wrong above first")

    return guarded


def _name(look: Callable[[], Finding]) -> str:
    return look.__name__.strip("_").capitalize()


LOOKS = tuple(
    map(_guarded, (_python, _settings, _database, _standard, _staff, _outbox, _channels, _webhooks, _prefect))
)
