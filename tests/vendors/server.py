"""A local Twilio and SendGrid: ``python -m tests.vendors.server --port 4020`` (control under ``/control``)."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.vendors.contract import Contract
from tests.vendors.faults import TARGETS, Fault
from tests.vendors.place import Knobs, Place, read_json
from tests.vendors.postman import Postman
from tests.vendors.sendgrid_api import SendGrid
from tests.vendors.twilio_api import OUR_NUMBER, Twilio


class Control:
    """What a test may see and change."""

    def __init__(self, seed: int, knobs: Knobs, *, validate: bool) -> None:
        self._at_start = asdict(knobs)
        self.place = Place(seed, knobs)
        self.postman = Postman(self.place)
        self.contract = Contract() if validate else None
        self.twilio = Twilio(self.place, self.postman, self.contract)
        self.sendgrid = SendGrid(self.place, self.postman, self.contract, seed)

    def routes(self) -> list[Route]:
        """The addresses under ``/control``."""
        return [
            Route("/control/state", self._state),
            Route("/control/counts", self._counts),
            Route("/control/messages", self._messages),
            Route("/control/callbacks", self._callbacks),
            Route("/control/public_key", self._public_key),
            Route("/control/violations", self._violations),
            Route("/control/knobs", self._knobs, methods=["GET", "PATCH"]),
            Route("/control/faults", self._faults, methods=["GET", "POST", "PATCH", "DELETE"]),
            Route("/control/inbound", self._inbound, methods=["POST"]),
            Route("/control/events", self._events, methods=["POST"]),
            Route("/control", self._reset, methods=["DELETE"]),
        ]

    async def _state(self, request: Request) -> Response:
        return JSONResponse({"twilio": self.twilio.state(), "sendgrid": self.sendgrid.state()})

    async def _counts(self, request: Request) -> Response:
        return JSONResponse(
            {
                "requests": dict(self.place.counts),
                "faults": dict(self.place.faults.counts),
                "callbacks": dict(self.postman.counts),
                "callbacks_under_way": self.postman.under_way,
                "stored": {"twilio": len(self.twilio.messages), "sendgrid": len(self.sendgrid.mails)},
            }
        )

    async def _messages(self, request: Request) -> Response:
        texts = [
            asdict(message) | {"created": message.created.isoformat()} for message in self.twilio.messages.values()
        ]
        mails = [asdict(mail) | {"created": mail.created.isoformat()} for mail in self.sendgrid.mails]
        return JSONResponse({"twilio": texts, "sendgrid": mails})

    async def _callbacks(self, request: Request) -> Response:
        return JSONResponse(self.postman.state())

    async def _public_key(self, request: Request) -> Response:
        return JSONResponse({"key": self.sendgrid.key.public})

    async def _violations(self, request: Request) -> Response:
        return JSONResponse(self.contract.violations if self.contract else [])

    async def _knobs(self, request: Request) -> Response:
        if request.method == "PATCH":
            self.place.knobs.change(await read_json(request))
        return JSONResponse(asdict(self.place.knobs))

    async def _faults(self, request: Request) -> Response:
        faults = self.place.faults
        match request.method:
            case "POST":
                asked = await read_json(request)
                target, times = asked.pop("target"), asked.pop("times", 1)
                faults.order(target, Fault(**asked), times)
            case "PATCH":
                faults.set_chances(await read_json(request))
            case "DELETE":
                faults.clear()
        return JSONResponse(faults.state())

    async def _inbound(self, request: Request) -> Response:
        asked = await read_json(request)
        return JSONResponse({"sid": self.twilio.receive(asked["from"], asked["body"], asked.get("to", OUR_NUMBER))})

    async def _events(self, request: Request) -> Response:
        for event in await read_json(request):
            self.sendgrid.tell(event)
        return Response(status_code=204)

    async def _reset(self, request: Request) -> Response:
        self.twilio.clear()
        self.sendgrid.clear()
        self.place.faults.clear()
        self.place.faults.counts.clear()
        self.place.counts.clear()
        self.postman.clear()
        self.place.knobs.change(self._at_start)
        if self.contract:
            self.contract.violations.clear()
        return Response(status_code=204)


def create_app(seed: int, knobs: Knobs, *, validate: bool = False) -> Starlette:
    """Both vendors and their control."""
    control = Control(seed, knobs, validate=validate)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await control.postman.close()

    routes = [*control.twilio.routes(), *control.sendgrid.routes(), *control.routes()]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.control = control
    return app


def _chance(text: str) -> tuple[str, str, float]:
    """``KIND=P`` for both vendors' sends, or ``TARGET:KIND=P``."""
    name, _, chance = text.partition("=")
    target, colon, kind = name.rpartition(":")
    return (target if colon else "", kind, float(chance))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--validate", action="store_true", help="check requests against AFTERCARE_SHARED/specs")
    parser.add_argument("--fault", type=_chance, action="append", default=[], metavar="[TARGET:]KIND=P")
    for name, value in asdict(Knobs()).items():
        kind: Any = json.loads if isinstance(value, bool | list) else str if value is None else type(value)
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=value)
    return parser.parse_args()


def main() -> None:
    """Serve until told to stop."""
    arguments = _arguments()
    knobs = Knobs(**{name: getattr(arguments, name) for name in asdict(Knobs())})
    app = create_app(arguments.seed, knobs, validate=arguments.validate)
    chances: dict[str, dict[str, float]] = {target: {} for target in TARGETS}
    for target, kind, chance in arguments.fault:
        for one in [target] if target else ["twilio.send", "sendgrid.send"]:
            chances[one][kind] = chance
    app.state.control.place.faults.set_chances(chances)
    # No access log and no proxy headers: the server must be faster than what it tests.
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False, proxy_headers=False)


if __name__ == "__main__":
    main()
