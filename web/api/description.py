"""The API's description: OpenAPI 3.1, and a page that shows it without asking anybody else for anything."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse

from domain.exceptions import NotFoundError
from web.api.problems import Problem

PREFIX = "/api/v1"
TITLE = "Aftercare API"
VERSION = "1.0.0"
ABOUT = """What staff do, for other systems: CRM, call centre, chat, shop.

Send `Authorization: Bearer ac_…`. A key acts as one member of staff in one role; `read` and `write` are its scopes.
To administrators, what people wrote is not shown: such values are empty.
What is wrong is told as `application/problem+json` (RFC 9457), and nothing of such a request is stored.
Moments are written with their zone and told in UTC."""

_SHIPPED = Path(str(files("fastapi_offline"))) / "static"
_OWN = Path(__file__).parents[1] / "static"
_ASSETS = {
    "swagger-ui.css": _SHIPPED / "swagger-ui.css",
    "swagger-ui-bundle.js": _SHIPPED / "swagger-ui-bundle.js",
    "start.js": _OWN / "api_docs.js",
}
OPEN_PATHS = (
    f"{PREFIX}/openapi.json",
    f"{PREFIX}/docs",
    *(f"{PREFIX}/docs/{name}" for name in _ASSETS),
)
# Swagger UI sets styles of its own and draws its icons from data; it runs no script but those two.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{TITLE}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{PREFIX}/docs/swagger-ui.css">
<script src="{PREFIX}/docs/swagger-ui-bundle.js" defer></script>
<script src="{PREFIX}/docs/start.js" defer></script>
</head>
<body>
<main id="description" data-url="{PREFIX}/openapi.json"></main>
<noscript>This page needs JavaScript; the description itself is <a href="{PREFIX}/openapi.json">here</a>.</noscript>
</body>
</html>
"""

router = APIRouter(prefix="/docs", include_in_schema=False)


@router.get("")
def docs() -> HTMLResponse:
    """The description for people."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/{name}")
def asset(name: str) -> FileResponse:
    """What the page is made of."""
    if name not in _ASSETS:
        raise NotFoundError("there is no such file")
    return FileResponse(_ASSETS[name], headers={"Cache-Control": "max-age=86400"})


def describe(api: FastAPI) -> dict[str, Any]:
    """The description with the shape of problems, which no operation returns by itself."""
    if api.openapi_schema is None:
        whole = get_openapi(
            title=TITLE, version=VERSION, description=ABOUT, routes=api.routes, servers=[{"url": PREFIX}]
        )
        shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        parts = shape.pop("$defs", {})
        whole["components"]["schemas"] |= {"Problem": shape, **parts}
        api.openapi_schema = whole
    return api.openapi_schema
