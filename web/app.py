"""This file assembles the web application: pages, API, the mailbox while trying, health, and kind error pages."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

import logs
from db.session import transaction
from domain.exceptions import DomainError, InvalidInputError
from settings import get_settings, written_standard
from web import mailbox, metrics, pages, photos, privacy, problems, progress, report, survey, unsubscribe, webhooks
from web.access import NO_OTHER_TELEMETRY, Access
from web.api.app import create_api
from web.api.description import PREFIX
from web.api.problems import problem
from web.headers import Headers
from web.limits import Limits
from web.workbench import (
    actions,
    appraisal,
    board,
    callbacks,
    churn,
    digest,
    feedback,
    improvement,
    knowledge,
    lists,
    outbox,
    paper,
    quality,
    refusals,
    reviews,
    sheet,
    sign_in,
    ticket_list,
    tickets,
)
from web.workbench import photos as workbench_photos


def create_app() -> FastAPI:
    """The application that ``aftercare up`` serves."""
    settings = get_settings()
    if settings.log == "json":
        logs.as_json()
    written_standard()  # read now, with a second's worth of holidays: not while the first customer waits
    # A redirect to the same path with or without a slash would be built from the Host header.
    app = FastAPI(
        title="Aftercare",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=NO_OTHER_TELEMETRY,
    )
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.mount(PREFIX, create_api())
    app.include_router(progress.router)
    app.include_router(photos.router)
    app.include_router(pages.router)
    app.include_router(survey.router)
    app.include_router(unsubscribe.router)
    app.include_router(webhooks.router)
    app.include_router(report.router)
    app.include_router(privacy.router)
    app.include_router(metrics.router)
    work = (sign_in, lists, board, digest, outbox, sheet, ticket_list, tickets, callbacks)
    judging = (feedback, paper, quality, appraisal, churn, reviews, improvement, actions, knowledge)
    for part in (*work, *judging, workbench_photos):
        app.include_router(part.router)
    refusals.explain(app)
    if not settings.public_url:
        # Whoever reaches these pages in public would read everybody's messages: only for trying on one machine.
        app.include_router(mailbox.router)

    @app.get("/health")
    def health() -> PlainTextResponse:
        """Answers when the database does."""
        try:
            with transaction() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError:
            return PlainTextResponse("the database does not answer", status_code=503)
        return PlainTextResponse("ok")

    _explain_errors(app)
    app.add_middleware(Limits, settings=settings)
    app.add_middleware(Headers)
    app.add_middleware(Access)
    return app


def _explain_errors(app: FastAPI) -> None:
    """Whatever a request gets wrong is answered by a page in the reader's language."""

    @app.exception_handler(DomainError)
    def explain(request: Request, error: DomainError) -> HTMLResponse:
        return problems.problem_page(request, error)

    @app.exception_handler(RequestValidationError)
    def explain_request(request: Request, error: RequestValidationError) -> HTMLResponse:
        where, name = (*error.errors()[0]["loc"], "")[:2]
        if where == "path":
            return problems.not_found_page(request)
        return problems.problem_page(request, InvalidInputError(str(name), "cannot be read"))

    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeoutError)
    def unavailable(request: Request, error: OperationalError | PoolTimeoutError) -> HTMLResponse:
        problems.note_outage(error)
        return problems.unavailable_page(request)

    @app.exception_handler(Exception)
    def crashed(request: Request, _error: Exception) -> Response:
        # The error itself rises on to the server's log.
        return problems.error_page(request)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        if f"{request.scope['path']}/".startswith(f"{PREFIX}/"):
            # The prefix alone, or a path with a line break, misses the API's mount, but asked for the API.
            return problem("not-found", "there is no such address")
        if error.status_code == 400:  # a form that is none
            return problems.problem_page(request, InvalidInputError("answer", "cannot be read"))
        return problems.not_found_page(request, status=error.status_code)
