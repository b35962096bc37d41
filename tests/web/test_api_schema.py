"""The API against its own description: requests made up from it, right and wrong ones, never meet a crash."""

from __future__ import annotations

from itertools import cycle

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from domain.lifecycle import TicketState
from settings import get_settings
from tests.web.conftest import MakeApi, Site
from web.app import create_app

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FEW = settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_no_request_is_a_crash_or_gets_an_answer_that_is_not_described(
    environment: pytest.MonkeyPatch, site: Site, make_api: MakeApi
) -> None:
    environment.setenv("AFTERCARE_API_REQUESTS_PER_MINUTE", "1000000")
    get_settings.cache_clear()
    with site.desk() as desk:
        for state in TicketState:
            desk.bring_to(state)
    headers = {"Authorization": f"Bearer {make_api().key}"}
    statuses: dict[str, set[int]] = {}
    known = cycle(range(1, len(TicketState) + 1))

    def ask(case: schemathesis.Case) -> None:
        if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
            # What is right in form is asked of what there is, of the version there is.
            case.path_parameters |= {name: next(known) for name in case.path_parameters}
            case.headers.pop("If-Match", None)
        case.headers.pop("Authorization", None)
        answer = case.call(headers=headers)
        statuses.setdefault(case.operation.label, set()).add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    for found in schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app()).get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            seed(1)(FEW(given(case=operation.as_strategy(generation_mode=mode))(ask)))()

    assert set().union(*statuses.values()) >= {200, 404, 409, 422}
    assert len(statuses) > 30
