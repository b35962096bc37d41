"""Twilio's Messages as far as a sender sees them: stored, changed, listed late, reported on."""

from __future__ import annotations

import asyncio
import base64
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clock import utc_now
from tests.vendors.contract import Contract
from tests.vendors.place import Place, twilio_error
from tests.vendors.postman import Callback, Postman
from tests.vendors.signing import twilio_headers

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "token-of-the-tests"
OUR_NUMBER = "+15005550006"

# Numbers that are refused at once; +1500557 and a code is refused with that code, +1500556 and a code fails later.
REFUSED = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
REFUSED_WITH = re.compile(r"\+1500557(\d{5})")
FAILS_WITH = re.compile(r"\+1500556(\d{5})")
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
SMART = str.maketrans({"–": "-", "—": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "\u00a0": " "})
FINAL = frozenset({"delivered", "undelivered", "failed", "canceled"})


@dataclass
class Message:
    """One SMS at Twilio; ``sent_body`` is what we gave, ``body`` what Twilio made of it."""

    sid: str
    to: str
    sender: str | None
    service: str | None
    sent_body: str
    body: str
    mark: str
    callback: str | None
    created: datetime
    stored_at: float
    status: str
    statuses: list[str] = field(default_factory=list)
    error_code: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "account_sid": ACCOUNT_SID,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": format_datetime(self.created),
            "date_sent": format_datetime(self.created) if self.status in FINAL | {"sent"} else None,
            "date_updated": format_datetime(self.created),
            "direction": "outbound-api",
            "error_code": self.error_code,
            "error_message": None,
            "from": self.sender,
            "messaging_service_sid": self.service,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {},
            "to": self.to,
            "uri": f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{self.sid}.json",
        }


class Twilio:
    """One account."""

    def __init__(self, place: Place, postman: Postman, contract: Contract | None) -> None:
        self._place, self._postman, self._contract = place, postman, contract
        self._login = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.messages: dict[str, Message] = {}
        self._by_number: defaultdict[str, list[Message]] = defaultdict(list)
        self.opted_out: set[str] = set()

    def routes(self) -> list[Route]:
        """The part of Twilio's API that exists here."""
        base = "/2010-04-01/Accounts/{account}"
        return [
            Route(f"{base}/Messages.json", self._create, methods=["POST"]),
            Route(f"{base}/Messages.json", self._list, methods=["GET"]),
            Route(f"{base}/Messages/{{sid}}.json", self._fetch, methods=["GET"]),
        ]

    async def _create(self, request: Request) -> Response:
        body = await request.body()
        self._check(request, body)
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        refusal = self._unknown_account(request) or self._refusal(form)
        if refusal is not None:
            return await self._place.answer("twilio.send", lambda: refusal)
        return await self._place.answer("twilio.send", lambda: JSONResponse(self._store(form).as_json(), 201))

    async def _list(self, request: Request) -> Response:
        self._check(request, b"")
        return self._unknown_account(request) or await self._place.answer(
            "twilio.lookup", lambda: self._page(request.query_params)
        )

    async def _fetch(self, request: Request) -> Response:
        self._check(request, b"")
        return self._unknown_account(request) or await self._place.answer(
            "twilio.lookup", lambda: self._one(request.path_params["sid"])
        )

    def _check(self, request: Request, body: bytes) -> None:
        if self._contract is not None:
            self._contract.check("twilio", request, body)

    def _unknown_account(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != self._login:
            return twilio_error(401, 20003, "Authenticate")
        if request.path_params["account"] != ACCOUNT_SID:
            return twilio_error(404, 20404, "The requested resource was not found")
        return None

    def _refusal(self, form: dict[str, str]) -> Response | None:
        to, validity = form.get("To", ""), form.get("ValidityPeriod", "1")
        magic = REFUSED_WITH.fullmatch(to)
        for applies, code in (
            (not to, 21604),
            (not form.get("From") and not form.get("MessagingServiceSid"), 21603),
            (not form.get("Body"), 21619),
            (len(form.get("Body", "")) > 1600, 21617),
            (not validity.isdigit() or not 1 <= int(validity) <= 36_000, 90007),
            (not re.fullmatch(r"\+[1-9]\d{6,14}", to), 21211),
            (to in REFUSED, REFUSED.get(to, 0)),
            (magic is not None, int(magic[1]) if magic else 0),
            (to in self.opted_out, 21610),
        ):
            if applies:
                return twilio_error(400, code, f"refused with {code}")
        return None

    def _store(self, form: dict[str, str]) -> Message:
        callback = form.get("StatusCallback")
        service = form.get("MessagingServiceSid")
        message = Message(
            sid=f"SM{self._place.random.getrandbits(128):032x}",
            to=form["To"],
            sender=form.get("From"),
            service=service,
            sent_body=form["Body"],
            body=self._edited(form["Body"]),
            mark=parse_qs(urlsplit(callback or "").query).get("mid", ["-"])[0],
            callback=callback,
            created=utc_now().replace(microsecond=0),
            stored_at=monotonic(),
            status="accepted" if service else "queued",
        )
        self.messages[message.sid] = message
        self._by_number[message.to].append(message)
        steps = ["queued", "sent"] if service else ["sent"]
        magic = FAILS_WITH.fullmatch(message.to)
        self._step_later(message, [*steps, "undelivered" if magic else "delivered"], int(magic[1]) if magic else None)
        return message

    def _edited(self, body: str) -> str:
        for edit in self._place.knobs.edits:
            match edit:
                case "smart":
                    body = body.translate(SMART)
                case "shorten":
                    body = re.sub(r"https?://[\w./?=&%-]+", "https://s.brand.example/AbC123xyz", body)
                case "footer":
                    body += "\nReply STOP to opt out"
        return body

    def _step_later(self, message: Message, steps: list[str], error_code: int | None) -> None:
        def step() -> None:
            if message.sid not in self.messages:
                return  # forgotten meanwhile
            message.status = steps[0]
            message.statuses.append(steps[0])
            message.error_code = error_code if message.status == "undelivered" else None
            if message.callback:
                self._report(message)
            if steps[1:]:
                self._step_later(message, steps[1:], error_code)

        asyncio.get_running_loop().call_later(self._place.knobs.step_ms / 1000, step)

    def _report(self, message: Message) -> None:
        form = {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "MessageStatus": message.status,
            "SmsStatus": message.status,
            "To": message.to,
            "From": message.sender or OUR_NUMBER,
            "AccountSid": ACCOUNT_SID,
            "ApiVersion": "2010-04-01",
            **({"MessagingServiceSid": message.service} if message.service else {}),
            **({"ErrorCode": str(message.error_code)} if message.error_code else {}),
        }
        url, _, fragment = (message.callback or "").partition("#")
        retries = parse_qs(fragment).get("rc", ["1"])[0]
        self._call(url, form, tries=1 + int(retries))

    def receive(self, sender: str, body: str, to: str) -> str:
        """Somebody sends us an SMS: remembers STOP and START, posts it to us. Returns its sid."""
        word = body.strip().upper()
        if word in STOP_WORDS:
            self.opted_out.add(sender)
        elif word in START_WORDS:
            self.opted_out.discard(sender)
        sid = f"SM{self._place.random.getrandbits(128):032x}"
        form = {"MessageSid": sid, "SmsSid": sid, "From": sender, "To": to, "Body": body, "NumMedia": "0"}
        form |= {"AccountSid": ACCOUNT_SID, "ApiVersion": "2010-04-01", "FromCity": "", "FromState": ""}
        self._call(f"{self._place.knobs.public_url}/webhooks/twilio/inbound", form, tries=2)
        return sid

    def _call(self, url: str, form: dict[str, str], *, tries: int) -> None:
        self._postman.post(Callback("twilio", url, twilio_headers(AUTH_TOKEN, url, form), urlencode(form), tries))

    def _page(self, query: Any) -> Response:
        size = int(query.get("PageSize", "50"))
        page = int(query.get("Page", "0"))
        known = self._by_number[query["To"]] if "To" in query else list(self.messages.values())
        seen = [message for message in reversed(known) if self._is_listed(message)]
        shown = seen[page * size : (page + 1) * size]
        path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
        more = {**query, "Page": page + 1, "PageToken": "PA1"}
        return JSONResponse(
            {
                "messages": [message.as_json() for message in shown],
                "page": page,
                "page_size": size,
                "first_page_uri": f"{path}?Page=0",
                "next_page_uri": f"{path}?{urlencode(more)}" if len(seen) > (page + 1) * size else None,
                "previous_page_uri": None,
                "uri": path,
            }
        )

    def _is_listed(self, message: Message) -> bool:
        return message.stored_at + self._place.knobs.lag_s <= monotonic()

    def _one(self, sid: str) -> Response:
        message = self.messages.get(sid)
        return JSONResponse(message.as_json()) if message else twilio_error(404, 20404, "not found")

    def state(self) -> dict[str, Any]:
        """What became of each mark."""
        marks: dict[str, dict[str, Any]] = {}
        for message in self.messages.values():
            entry = marks.setdefault(message.mark, {"stored": 0, "ids": [], "statuses": [], "to": message.to})
            entry["stored"] += 1
            entry["ids"].append(message.sid)
            entry["statuses"].append(message.status)
        return marks
