"""This file assembles the API: its door, its operations, its description, and what it says when something is wrong."""

from __future__ import annotations

from functools import partial

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg.errors import UniqueViolation
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from domain.exceptions import DomainError
from settings import get_settings
from web.access import NO_OTHER_TELEMETRY
from web.api import (
    articles,
    attachments,
    commands,
    customers,
    description,
    follow_up,
    problems,
    reports,
    staff,
    tickets,
    webhooks,
)
from web.api.asked import KEY
from web.api.door import Door
from web.api.problems import Fault
from web.problems import note_outage


def create_api() -> FastAPI:
    """The application under ``/api/v1``; it has its own problems, the pages keep theirs."""
    api = FastAPI(
        telemetry=NO_OTHER_TELEMETRY,
        title=description.TITLE,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        root_path_in_servers=False,
        redirect_slashes=False,
    )
    answers = problems.documented(401, 403, 422, 429, 503)
    for part in (articles, customers, tickets, commands, attachments, follow_up, staff, reports, webhooks):
        api.include_router(part.router, responses=answers, dependencies=[Depends(KEY)])
    api.include_router(description.router)
    api.openapi = partial(description.describe, api)  # type: ignore[method-assign]
    api.add_middleware(Door, per_minute=get_settings().api_requests_per_minute, open_paths=description.OPEN_PATHS)
    _explain_errors(api)
    return api


def _explain_errors(api: FastAPI) -> None:
    """Whatever goes wrong is a problem of one form, and never says what is inside."""

    @api.exception_handler(DomainError)
    def explain(_request: Request, error: DomainError) -> Response:
        return problems.of_error(error)

    @api.exception_handler(RequestValidationError)
    def explain_request(_request: Request, error: RequestValidationError) -> Response:
        return problems.of_faults(error.errors())

    @api.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # so broken that not even the place can be named
            is_form = request.headers.get("content-type", "").lower().startswith("multipart/")
            return problems.invalid([Fault(path="body", problem="is no form" if is_form else "is no JSON")])
        said = (
            f"this address does not take {request.method}" if error.status_code == 405 else "there is no such address"
        )
        return problems.of_status(error.status_code, said, error.headers)

    @api.exception_handler(DataError)
    def unstorable(_request: Request, _error: DataError) -> Response:
        return problems.invalid([Fault(path="body", problem="has a value that cannot be stored")])

    @api.exception_handler(IntegrityError)
    def collided(_request: Request, error: IntegrityError) -> Response:
        if not isinstance(error.orig, UniqueViolation):
            raise error
        return problems.problem("not-possible", "another request was faster; look again and repeat it if need be")

    @api.exception_handler(OperationalError)
    @api.exception_handler(PoolTimeoutError)
    def unavailable(_request: Request, error: OperationalError | PoolTimeoutError) -> Response:
        note_outage(error)
        return problems.problem("unavailable")

    @api.exception_handler(Exception)
    def crashed(_request: Request, _error: Exception) -> Response:
        # The error itself rises on to the server's log.
        return problems.problem("error")
