"""What keeps the house in order: flows are deployed, words are there, nothing reads the clock."""

from __future__ import annotations

import importlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from cli.main import app
from db import schema
from db.effects import EFFECTS
from domain.commands import COMMAND_TYPES
from domain.lifecycle import COMMANDS, STATES, CommandName, TicketState
from domain.messages import MESSAGES, Audience, MessageKind
from settings import Settings
from templates.languages import HERE, languages

ROOT = Path(__file__).parents[1]
DEPLOYMENTS = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text("utf-8"))["deployments"]
NOT_FLOWS = {"__init__", "drain_window", "parameters", "report", "worker"}
FLOWS = sorted(path.stem for path in (ROOT / "flows").glob("*.py") if path.stem not in NOT_FLOWS)
LONGEST = 300


def test_every_flow_is_deployed_and_every_deployments_flow_exists() -> None:
    entrypoints = {deployment["entrypoint"] for deployment in DEPLOYMENTS}

    assert entrypoints == {f"flows.{name}.{name}" for name in FLOWS}


@pytest.mark.parametrize("name", FLOWS)
def test_file_function_flow_and_deployment_have_one_name(name: str) -> None:
    flow = getattr(importlib.import_module(f"flows.{name}"), name)
    deployment = next(d for d in DEPLOYMENTS if d["entrypoint"] == f"flows.{name}.{name}")

    assert flow.name == name
    assert deployment["name"] == name.replace("_", "-")
    assert "now" in flow.parameters.properties


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d["name"])
def test_every_schedule_has_slug_and_zone_and_leaves_a_pause_alone(deployment: dict[str, object]) -> None:
    assert deployment["description"]
    assert "schedules" in deployment or "by-hand" in deployment["tags"]  # type: ignore[operator]
    for schedule in deployment.get("schedules", []):  # type: ignore[attr-defined]
        assert schedule["slug"]
        assert schedule["timezone"]
        assert "active" not in schedule


def test_every_command_has_traits_a_type_and_an_effect() -> None:
    assert set(COMMANDS) == set(COMMAND_TYPES) == set(EFFECTS) == set(CommandName)


def test_every_state_has_traits() -> None:
    assert set(STATES) == set(TicketState)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", MessageKind)
def test_every_message_has_its_words_in_every_language(kind: MessageKind, language: str) -> None:
    folder = HERE / language / kind.value
    sms = {"sms.txt"} if MESSAGES[kind].audience is Audience.CUSTOMER else set()

    assert {path.name for path in folder.iterdir()} >= {"email_subject.txt", "email.html"} | sms


def test_every_language_has_the_same_pages() -> None:
    pages = [{path.name for path in (HERE / language / "pages").iterdir()} for language in languages()]

    assert all(found == pages[0] for found in pages)


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = sorted(path.name[:4] for path in (ROOT / "db/migrations/versions").glob("[0-9]*.py"))

    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
    assert schema.head() == numbers[-1]


def test_only_the_clock_reads_the_time() -> None:
    reading = re.compile(r"datetime\.now\(|utcnow\(|date\.today\(|[^.]time\.time\(")
    rooms = ("domain", "db", "channels", "tasks", "templates", "replay", "flows", "web", "cli")
    guilty = [
        str(path.relative_to(ROOT))
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if reading.search(path.read_text("utf-8"))
    ]

    assert guilty == []


def test_sql_is_written_only_in_its_room() -> None:
    statement = re.compile(r"^from sqlalchemy import .*\b(insert|update|delete|select)\b", re.MULTILINE)
    guilty = {
        str(path.relative_to(ROOT))
        for room in ("domain", "channels", "tasks", "flows", "web", "cli", "replay", "templates")
        for path in (ROOT / room).rglob("*.py")
        if statement.search(path.read_text("utf-8"))
    }

    assert guilty == set()


def test_modules_are_split_by_noun_before_they_grow_long() -> None:
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    rooms = [line for line in tracked.splitlines() if not line.startswith(("tests/", "db/migrations/"))]
    long = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in rooms}

    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_the_lock_names_every_dependency_and_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]

    for requirement in wanted:
        name = re.split(r"[\[<>=,; ]", requirement)[0].lower()
        assert re.search(rf"^{re.escape(name)}(\[[^]]*\])?==", lock, re.MULTILINE), f"{name}: run 'make lock'"
    assert "://" not in lock


VARIABLES = {
    str(field.validation_alias or f"AFTERCARE_{name.upper()}") for name, field in Settings.model_fields.items()
}


def test_every_setting_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")

    assert [name for name in sorted(VARIABLES) if f"#{name}=" not in example] == []


def test_what_containers_are_told_are_settings_that_exist() -> None:
    variable = re.compile(r"^ +((?:AFTERCARE|TWILIO|SENDGRID|SMTP)_[A-Z_]+):", re.MULTILINE)
    manifests = [ROOT / "deployments/compose.yaml", *(ROOT / "deployments/kubernetes").glob("*.yaml")]
    told = {name for path in manifests for name in variable.findall(path.read_text("utf-8"))}

    assert len(told) > 10
    assert told <= VARIABLES


def test_the_image_writes_only_where_a_container_may() -> None:
    """Compose makes its file system read-only; Prefect's server serves no UI if it cannot write the UI's files."""
    image = (ROOT / "deployments/Containerfile").read_text("utf-8")
    folders = dict(re.findall(r"\b([A-Z_]+)=(/\S+)", image))
    container = yaml.safe_load((ROOT / "deployments/compose.yaml").read_text("utf-8"))["x-image"]
    writable = [*container["tmpfs"], *(volume.partition(":")[2] for volume in container["volumes"])]

    assert container["read_only"]
    assert {"AFTERCARE_HOME", "PREFECT_HOME", "PREFECT_SERVER_UI_STATIC_DIRECTORY"} <= folders.keys()
    assert [name for name, folder in folders.items() if not folder.startswith(tuple(writable))] == []


def test_what_containers_run_are_programs_and_commands_that_exist() -> None:
    services = yaml.safe_load((ROOT / "deployments/compose.yaml").read_text("utf-8"))["services"]
    manifests = [*yaml.safe_load_all((ROOT / "deployments/kubernetes/jobs.yaml").read_text("utf-8"))]
    ours = [service["command"] for service in services.values() if "aftercare" in service.get("command", [])[:1]]
    ours += [job["spec"]["template"]["spec"]["containers"][0]["args"] for job in manifests]

    group = get_command(app)
    for command in ours:
        found: object = group
        for word in command[1:]:
            found = found.commands[word]  # type: ignore[attr-defined]

    assert len(ours) == 4
