"""Checks requests against the vendors' own OpenAPI, where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest
from starlette.requests import Request

SPECS = {"twilio": "slim_twilio_messages.json", "sendgrid": "slim_sendgrid_mail.json"}
HOSTS = {"twilio": "https://api.twilio.com", "sendgrid": "https://api.sendgrid.com"}


class Contract:
    """The vendors' specifications, and what broke them. Raises KeyError when AFTERCARE_SHARED names no folder."""

    def __init__(self) -> None:
        folder = Path(os.environ["AFTERCARE_SHARED"]) / "specs"
        self._specs = {vendor: OpenAPI.from_file_path(str(folder / name)) for vendor, name in SPECS.items()}
        self.violations: list[str] = []

    def check(self, vendor: str, request: Request, body: bytes) -> None:
        """Remember how a request breaks its vendor's specification."""
        asked = MockRequest(
            HOSTS[vendor],
            request.method.lower(),
            request.url.path,
            args=dict(request.query_params),
            headers=dict(request.headers),
            data=body or None,
            content_type=request.headers.get("content-type", "").partition(";")[0] or "application/json",
        )
        try:
            self._specs[vendor].validate_request(asked)
        except OpenAPIError as error:
            faults = getattr(error.__cause__, "schema_errors", None) or [error.__cause__ or error]
            said = "; ".join(str(getattr(fault, "message", fault)) for fault in faults)
            self.violations.append(f"{request.method} {request.url.path}: {said}")
