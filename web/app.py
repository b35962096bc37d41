"""This file assembles the web application: pages, API, the mailbox while trying, health, and kind error pages."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from db.session import transaction
from domain.exceptions import DomainError, InvalidInputError
from settings import get_settings
from web import mailbox, pages, photos, problems, progress, survey, unsubscribe, webhooks
from web.api.app import create_api
from web.api.description import PREFIX
from web.api.problems import problem
from web.policy import POLICY
from web.workbench import lists, refusals, sign_in

# The pages load nothing from anywhere else and cannot be framed; links must not leak through referrers.
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# An e-mail shown in the mailbox brings its own inlined styles; it can do nothing but open links in new tabs.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def create_app() -> FastAPI:
    """The application that ``aftercare up`` serves."""
    app = FastAPI(title="Aftercare", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.mount(PREFIX, create_api())
    app.include_router(progress.router)
    app.include_router(photos.router)
    app.include_router(pages.router)
    app.include_router(survey.router)
    app.include_router(unsubscribe.router)
    app.include_router(webhooks.router)
    for part in (sign_in, lists):
        app.include_router(part.router)
    refusals.explain(app)
    if not get_settings().public_url:
        # Whoever reaches these pages in public would read everybody's messages: only for trying on one machine.
        app.include_router(mailbox.router)

    @app.middleware("http")
    async def add_headers(request: Request, call_next):  # type: ignore[no-untyped-def]
        response: Response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if request.url.path.startswith("/mailbox/message/"):
            response.headers["Content-Security-Policy"] = _MAIL_POLICY
        elif request.url.path.startswith("/mailbox"):
            response.headers["Content-Security-Policy"] += "; frame-src 'self'"
        return response

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
    def unavailable(request: Request, _error: OperationalError) -> HTMLResponse:
        return problems.unavailable_page(request)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        if request.scope["path"].startswith(f"{PREFIX}/"):
            # A path with a line break misses the API's mount; whoever asks the API still gets its form of a problem.
            return problem("not-found", "there is no such address")
        if error.status_code == 400:  # a form that is none
            return problems.problem_page(request, InvalidInputError("answer", "cannot be read"))
        return problems.not_found_page(request, status=error.status_code)
