"""What a command must be told: shown to people, and read from ``name=value`` by the type of the value's field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from cli.failure import CommandError
from domain.commands import COMMAND_TYPES
from domain.lifecycle import CommandName

ASSIGNEE = "assignee"
_ASSIGNEE_ID = "assignee_id"
_KINDS = {"integer": "whole number", "boolean": "yes or no: true, false", "number": "number", "string": "text"}


def read(command: CommandName, pairs: Sequence[str]) -> dict[str, Any]:
    """The values by name. Words are taken as they stand; only lists are JSON, and one word alone is a list of one.

    Raises CommandError when a pair is none or a name comes twice.
    """
    kinds = dict(_schemas(command))
    values: dict[str, Any] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or not name:
            raise CommandError(f"{pair!r} is no name=value")
        if name in values:
            raise CommandError(f"{name} is given twice; give it once")
        values[name] = _list(name, text) if kinds.get(name, {}).get("type") == "array" else text
    if ASSIGNEE in values and _ASSIGNEE_ID in values:
        raise CommandError(f"give {ASSIGNEE} or {_ASSIGNEE_ID}, not both")
    return values


def takes_assignee(command: CommandName) -> bool:
    """Whether the command is told a member of staff, who may be named by address."""
    return _ASSIGNEE_ID in COMMAND_TYPES[command].model_fields


def explain(command: CommandName) -> Iterator[tuple[str, str, str, str]]:
    """Each value a command takes: its name, what it looks like, whether it is needed, what it means."""
    fields = COMMAND_TYPES[command].model_fields
    for name, schema in _schemas(command):
        needed = "yes" if fields[name].is_required() else "no"
        if name == _ASSIGNEE_ID:
            yield ASSIGNEE, "a member of staff's address or name", needed, f"instead of {_ASSIGNEE_ID}"
            needed = "or this"
        yield name, _kind(schema), needed, fields[name].description or ""


def _schemas(command: CommandName) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON schema of each value, references resolved, an optional one as if it were there."""
    whole = COMMAND_TYPES[command].model_json_schema()
    known = whole.get("$defs", {})
    for name, schema in whole.get("properties", {}).items():
        present = next((part for part in schema.get("anyOf", []) if part.get("type") != "null"), schema)
        yield name, _resolved(present, known)


def _resolved(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    named = known.get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
    if "items" in named:
        return {**named, "items": _resolved(named["items"], known)}
    return dict(named)


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if schema.get("format") == "date-time":
        return "moment with zone, like 2026-11-24T14:00+08:00"
    if schema.get("type") == "array":
        inner = schema["items"]
        if inner.get("type") == "object":
            example = json.dumps([dict.fromkeys(inner["properties"], "…")], ensure_ascii=False)
            return f"list as JSON, like {example}"
        return 'list of texts as JSON, like ["…", "…"]; or one text'
    longest = f", at most {schema['maxLength']:,} characters" if "maxLength" in schema else ""
    return _KINDS.get(str(schema.get("type")), "value") + longest


def _list(name: str, text: str) -> Any:
    if not text.lstrip().startswith(("[", "{")):
        return [text]
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise CommandError(f'{name}: no JSON list ({error.msg}); write it like ["…", "…"]') from error
    return found if isinstance(found, list) else [found]
