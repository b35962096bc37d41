"""What the workbench says to who may not: nobody is signed in, the role may not, the form is not ours."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from domain.exceptions import NotPermittedError
from web.language import page_language
from web.workbench.door import SIGN_IN, ForeignFormError, NotSignedInError
from web.workbench.frame import show_outside


def explain(app: FastAPI) -> None:
    """Let the application answer so."""

    @app.exception_handler(NotSignedInError)
    def lead_to_sign_in(request: Request, _error: NotSignedInError) -> RedirectResponse:
        query = f"?{request.url.query}" if request.url.query else ""
        then = quote(f"{request.url.path}{query}", safe="") if request.method == "GET" else ""
        return RedirectResponse(f"{SIGN_IN}?next={then}" if then else SIGN_IN, status_code=303)

    @app.exception_handler(NotPermittedError)
    def refuse(request: Request, error: NotPermittedError) -> HTMLResponse:
        why = "foreign_form" if isinstance(error, ForeignFormError) else "not_your_role"
        return show_outside(request, "refused", page_language(request), status=403, why=why)
