"""Log lines as JSON, a fact in each field, where ``AFTERCARE_LOG=json`` asks for them.

The pages set themselves up; Prefect's processes are told by its own variables. What was asked for, by what name or
number, and what people wrote is no fact for a log: routes, ticket numbers, kinds and ids are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

# Whose lines tell of requests, commands and messages; they are silent unless lines are JSON.
OURS = "aftercare"
FOR_PREFECT = MappingProxyType(
    {
        "PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER": "json",
        "PREFECT_LOGGING_FORMATTERS_JSON_CLASS": "logs.JsonLines",
        "PREFECT_LOGGING_COLORS": "false",
    }
)
_FACTS: ContextVar[Mapping[str, Any]] = ContextVar("facts", default=MappingProxyType({}))


class JsonLines(JsonFormatter):
    """One JSON object in a line, with what ``within`` says; Prefect gives a template, which is of no use."""

    def __init__(self, *_template: str) -> None:
        names = {"levelname": "level", "name": "logger"}
        super().__init__(
            "%(levelname)s %(name)s %(message)s",
            rename_fields=names,
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],  # uvicorn says its lines twice
            timestamp="at",
            json_ensure_ascii=False,
        )
        logging.getLogger(OURS).setLevel(logging.INFO)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """The line's own facts before those of its surroundings."""
        return {**_FACTS.get(), **log_data}


@contextmanager
def within(**facts: str | None) -> Iterator[None]:
    """Say these facts with every line of the block."""
    before = _FACTS.set({**_FACTS.get(), **facts})
    try:
        yield
    finally:
        _FACTS.reset(before)


def as_json() -> None:
    """Let this process, a web server, write JSON lines, its server's own too but those that name what was asked for."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    for name, is_told in (("uvicorn", True), ("uvicorn.access", False)):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = is_told
