"""The kind no of the API: RFC 9457 problems that name each value to mend; documented where they may come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Response
from pydantic import BaseModel, Field

from domain.api_keys import KeyRefusedError
from domain.commands import describe_fault
from domain.exceptions import (
    ChangedMeanwhileError,
    DomainError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
)
from domain.lifecycle import TicketState

MEDIA_TYPE = "application/problem+json"
_PLACES = frozenset({"body", "query", "path", "header"})


class Fault(BaseModel):
    """One value to mend."""

    path: str = Field(description="Where it is: `body`, `query`, `path` or `header`, then its name, dotted.")
    problem: str = Field(description="What is wrong with it.")


class Current(BaseModel):
    """A ticket as it is, where it is not what the caller has read."""

    number: str
    state: TicketState
    etag: str = Field(description="For `If-Match`, once you have read what has changed.")


class Problem(BaseModel):
    """Why a request was not carried out (RFC 9457); nothing of it was stored."""

    type: str = Field(description="What kind of problem it is, for programs.")
    title: str = Field(description="The same for people.")
    status: int
    detail: str = Field(description="What happened this time.")
    errors: list[Fault] = Field(default=[], description="The values to mend, if values are wrong.")
    current: Current | None = Field(default=None, description="With 412: the ticket as it is now.")


class StaleError(ChangedMeanwhileError):
    """Somebody has changed the ticket since the caller read it; ``current`` says what it is now."""

    def __init__(self, current: Current) -> None:
        super().__init__("the ticket has changed since you read it; read it again")
        self.current = current


# Status, the last word of the type, title, and an example of a detail.
_KINDS: Mapping[str, tuple[int, str, str]] = {
    "key-refused": (401, "No valid key", "the key is unknown, has expired or was revoked"),
    "not-permitted": (403, "Not permitted", "'assign' is not for the role 'agent'; it is for: manager, supervisor"),
    "not-found": (404, "Not found", "no ticket has the number TK-00001024"),
    "wrong-method": (405, "Method not allowed", "this address does not take PUT"),
    "not-possible": (
        409,
        "Not possible now",
        "'complete' is not possible while the ticket is 'new'; possible now: acknowledge",
    ),
    "key-reused": (409, "Idempotency key reused", "the idempotency key was used for something else; use a new one"),
    "changed-meanwhile": (412, "Changed meanwhile", "the ticket has changed since you read it; read it again"),
    "too-large": (413, "Too large", "the body is larger than 64 kB"),
    "photo-too-large": (413, "Too large", "the photo is larger than 10 MB"),
    "not-json": (415, "Not JSON", "send JSON with Content-Type: application/json"),
    "not-a-form": (415, "Not a form", "send the photo as a part of multipart/form-data"),
    "invalid": (422, "Invalid values", "1 value is wrong"),
    "too-many": (429, "Too many requests", "this key has used up its requests; try again in 3 seconds"),
    "error": (500, "Error", "this should not have happened; nothing was stored"),
    "unavailable": (503, "Unavailable", "the database does not answer; nothing was stored, try again"),
}
_BY_STATUS = {status: kind for kind, (status, _, _) in _KINDS.items()}
# Kinds of which only some operations speak.
_BY_NAME = frozenset({"too-large", "photo-too-large", "not-json", "not-a-form"})
_BY_ERROR: Mapping[type[DomainError], str] = {
    KeyRefusedError: "key-refused",
    NotPermittedError: "not-permitted",
    NotFoundError: "not-found",
    ChangedMeanwhileError: "changed-meanwhile",
    InvalidInputError: "invalid",
}


def problem(
    kind: str,
    detail: str = "",
    *,
    errors: Sequence[Fault] = (),
    current: Current | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response; its detail is the kind's own unless another is given."""
    told = _told(kind, detail, errors, current)
    status = told.status
    # Escaped, because a path may quote what no UTF-8 can carry.
    content = json.dumps(_shown(told))
    extra = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Response(content, status, extra | dict(headers or {}), MEDIA_TYPE)


def _told(kind: str, detail: str, errors: Sequence[Fault], current: Current | None) -> Problem:
    status, title, usual = _KINDS[kind]
    named = f"urn:aftercare:problem:{kind}"
    return Problem(type=named, title=title, status=status, detail=detail or usual, errors=list(errors), current=current)


def _shown(told: Problem) -> dict[str, Any]:
    return told.model_dump(mode="json", exclude_defaults=True)


def of_status(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The problem that a status of HTTP stands for."""
    return problem(_BY_STATUS.get(status, "not-found"), detail, headers=headers)


def of_error(error: DomainError) -> Response:
    """The problem behind a rule's no."""
    if isinstance(error, InvalidInputError):
        place = error.field if error.field.partition(".")[0] in _PLACES else f"body.{error.field}"
        return invalid([Fault(path=place, problem=error.problem)])
    if isinstance(error, StaleError):
        tag = {"ETag": error.current.etag}
        return problem("changed-meanwhile", str(error), current=error.current, headers=tag)
    if isinstance(error, IdempotencyKeyReusedError):
        return problem("key-reused")  # its sentence quotes the key as events keep it
    # Hints to the command line help nobody here.
    return problem(_BY_ERROR.get(type(error), "not-possible"), str(error).partition("; see 'aftercare")[0])


def of_faults(faults: Sequence[Mapping[str, Any]]) -> Response:
    """The problem behind what pydantic found; what was sent is not repeated."""
    return invalid([Fault(path=".".join(map(str, fault["loc"])), problem=_sentence(fault)) for fault in faults])


def invalid(errors: Sequence[Fault]) -> Response:
    """Each value that is wrong."""
    detail = "1 value is wrong" if len(errors) == 1 else f"{len(errors)} values are wrong"
    return problem("invalid", detail, errors=errors)


def _sentence(fault: Mapping[str, Any]) -> str:
    match fault["type"]:
        case "extra_forbidden":
            return "no such value is taken here"
        case "json_invalid":
            return "is no JSON"
    return describe_fault(dict(fault))


# What may be wrong with the form of a body.
JSON_BODY = ("too-large", "not-json")


def documented(*expected: int | str) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation may answer with, each with an example: all of a status, or one kind by name."""
    found: dict[int, dict[str, str]] = {}
    for kind, (status, title, _) in _KINDS.items():
        if kind in expected or (status in expected and kind not in _BY_NAME):
            found.setdefault(status, {})[kind] = title
    return {status: _documented(status, kinds) for status, kinds in found.items()}


def _documented(status: int, kinds: Mapping[str, str]) -> dict[str, Any]:
    examples = {kind: {"summary": title, "value": _example(kind)} for kind, title in kinds.items()}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    headers = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}} if status == 429 else {}
    title = " / ".join(kinds.values())
    return {"description": title, "content": {MEDIA_TYPE: content}} | ({"headers": headers} if headers else {})


def _example(kind: str) -> dict[str, Any]:
    errors = [Fault(path="body.report.description", problem="is missing")] if kind == "invalid" else []
    now = Current(number="TK-00001024", state=TicketState.IN_WORK, etag='"8"') if kind == "changed-meanwhile" else None
    return _shown(_told(kind, "", errors, now))
