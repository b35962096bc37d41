"""SendGrid's Mail Send, Email Logs and Event Webhook as far as a sender sees them."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64decode
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clock import utc_now
from tests.vendors.contract import Contract
from tests.vendors.place import Place, read_json, sendgrid_error
from tests.vendors.postman import Callback, Postman
from tests.vendors.signing import EventKey

API_KEY = "SG.key-of-the.tests"
MARK = "aftercare_mid"
EVENTS_PATH = "/webhooks/sendgrid/events"
TRIES = 30
FORBIDDEN_HEADERS = frozenset(
    {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"}
    | {"to", "from", "subject", "reply-to", "cc", "bcc"}
)
# What happens to a mail by its recipient's name (before the plus): the events after "processed".
FATES: dict[str, list[dict[str, str]]] = {
    "bounce": [{"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"}],
    "full": [{"event": "bounce", "type": "bounce", "status": "5.2.2", "reason": "552 5.2.2 mailbox full"}],
    "blocked": [{"event": "bounce", "type": "blocked", "status": "5.7.1", "reason": "550 5.7.1 spam"}],
    "deferred": [
        {"event": "deferred", "response": "451 4.7.1 try again later", "attempt": "1"},
        {"event": "delivered"},
    ],
    "spamreport": [{"event": "delivered"}, {"event": "spamreport"}],
    "unsubscribe": [{"event": "delivered"}, {"event": "unsubscribe"}],
    "opener": [{"event": "delivered"}, {"event": "open"}, {"event": "click", "url": "https://aftercare.example/s/1"}],
}
DROPPED = {"dropped-bounced": "Bounced Address", "dropped-invalid": "Invalid", "dropped-odd": "Something New"}
DROPPED |= {"dropped-spam": "Spam Reporting Address", "dropped-unsubscribed": "Unsubscribed Address"}
SUPPRESSES = {
    "bounce": "Bounced Address",
    "spamreport": "Spam Reporting Address",
    "unsubscribe": "Unsubscribed Address",
}
STATUS_OF = {"processed": "processed", "delivered": "delivered", "deferred": "deferred", "dropped": "dropped"}


@dataclass
class Mail:
    """One mail to one recipient at SendGrid."""

    message_id: str
    to: str
    subject: str
    mark: str
    request: dict[str, Any]
    created: datetime
    stored_at: float
    status: str = "processed"
    reason: str = ""
    statuses: list[str] = field(default_factory=list)

    @property
    def full_id(self) -> str:
        """The id in events and logs: the answer's, with the server behind it."""
        return f"{self.message_id}.recvd-5f6b8c9d-7x2kq-1-{self.message_id[:8]}-2A.0"

    def row(self) -> dict[str, Any]:
        """A line of the logs."""
        return {
            "from_email": self.request["from"]["email"],
            "sg_message_id": self.full_id,
            "subject": self.subject,
            "to_email": self.to,
            "reason": self.reason,
            "status": self.status,
            "sg_message_id_created_at": self.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


class SendGrid:
    """One account."""

    def __init__(self, place: Place, postman: Postman, contract: Contract | None, seed: int) -> None:
        self._place, self._postman, self._contract = place, postman, contract
        self.key = EventKey(seed)
        self._era = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._era += 1
        self.mails: list[Mail] = []
        self._by_address: defaultdict[str, list[Mail]] = defaultdict(list)
        self.suppressed: dict[str, str] = {}
        self._batch: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        """The part of SendGrid's API that exists here."""
        return [
            Route("/v3/mail/send", self._send, methods=["POST"]),
            Route("/v3/logs", self._search, methods=["POST"]),
            Route("/v3/logs/{full_id}", self._details, methods=["GET"]),
        ]

    async def _send(self, request: Request) -> Response:
        if self._contract is not None:
            self._contract.check("sendgrid", request, await request.body())
        asked = await read_json(request)
        refusal = self._unauthorized(request) or self._refusal(asked)
        if refusal is not None:
            return await self._place.answer("sendgrid.send", lambda: refusal)
        return await self._place.answer("sendgrid.send", lambda: self._store(asked))

    async def _search(self, request: Request) -> Response:
        asked = await read_json(request) or {}
        return self._unauthorized(request) or await self._place.answer(
            "sendgrid.lookup", lambda: self._page(str(asked.get("query", "")), int(asked.get("limit", 10)))
        )

    async def _details(self, request: Request) -> Response:
        return self._unauthorized(request) or await self._place.answer(
            "sendgrid.lookup", lambda: self._one(request.path_params["full_id"])
        )

    def _unauthorized(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            return sendgrid_error(401, "The provided authorization grant is invalid, expired, or revoked")
        return None

    def _refusal(self, asked: Any) -> Response | None:
        if not isinstance(asked, dict):
            return sendgrid_error(400, "Bad Request")
        sender = asked.get("from", {}).get("email", "")
        people = asked.get("personalizations") or [{}]
        address = (people[0].get("to") or [{}])[0].get("email") or ""
        kinds = [part.get("type") for part in asked.get("content", [])]
        headers = {name.lower() for name in asked.get("headers", {})}
        for applies, status, message, blamed in (
            ("@" not in sender, 400, "The from email does not contain a valid address.", "from.email"),
            (
                sender.startswith("unverified@"),
                403,
                "The from address does not match a verified Sender Identity",
                "from",
            ),
            (
                not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address),
                400,
                "Does not contain a valid address.",
                TO_FIELD,
            ),
            (not asked.get("subject"), 400, "The subject is required.", "subject"),
            (not kinds, 400, "Content is required.", "content"),
            ("text/plain" in kinds[1:], 400, "text/plain must be first.", "content"),
            (bool(headers & FORBIDDEN_HEADERS), 400, "a reserved header", "headers"),
            (_too_large(asked), 413, "The size of the message is larger than 30 MB.", ""),
            (_half_a_file(asked), 400, "The attachment content must be base64 encoded.", "attachments.0.content"),
        ):
            if applies:
                return sendgrid_error(status, message, blamed)
        return None

    def _store(self, asked: dict[str, Any]) -> Response:
        if asked.get("mail_settings", {}).get("sandbox_mode", {}).get("enable") is True:
            return Response(status_code=200)
        message_id = f"{self._place.random.getrandbits(128):032x}"[:22]
        for person in asked["personalizations"]:
            mail = Mail(
                message_id=message_id,
                to=person["to"][0]["email"],
                subject=person.get("subject") or asked["subject"],
                mark=person.get("custom_args", {}).get(MARK, "-"),
                request=asked,
                created=utc_now().replace(microsecond=0),
                stored_at=monotonic(),
            )
            self.mails.append(mail)
            self._by_address[mail.to].append(mail)
            self._happen(mail)
        return Response(status_code=202, headers={"X-Message-Id": message_id})

    def _happen(self, mail: Mail) -> None:
        name = mail.to.partition("@")[0].partition("+")[0]
        why = self.suppressed.get(mail.to.lower()) or DROPPED.get(name)
        events = [{"event": "dropped", "reason": why}] if why else FATES.get(name, [{"event": "delivered"}])
        delay = self._place.knobs.step_ms / 1000
        loop = asyncio.get_running_loop()
        for number, event in enumerate([{"event": "processed"}, *events], 1):
            loop.call_later(delay * number, self._record, mail, event, self._era)

    def _record(self, mail: Mail, event: dict[str, str], era: int) -> None:
        if era != self._era:
            return  # forgotten meanwhile
        word = event["event"]
        mail.statuses.append(word)
        mail.reason = event.get("reason", "")
        if word == "bounce":
            mail.status = "bounced" if event["type"] == "bounce" else "blocked"
        else:
            mail.status = STATUS_OF.get(word, mail.status)
        if word in SUPPRESSES and event.get("type") != "blocked":
            self.suppressed[mail.to.lower()] = SUPPRESSES[word]
        told = {} if mail.mark == "-" else {MARK: mail.mark}
        self.tell(
            {
                "email": mail.to,
                "timestamp": int(utc_now().timestamp()),
                "sg_message_id": mail.full_id,
                "sg_event_id": f"{self._place.random.getrandbits(96):024x}",
                **event,
                **told,
            }
        )

    def tell(self, event: dict[str, Any]) -> None:
        """Add an event to the batch that is posted next."""
        if not self._batch:
            asyncio.get_running_loop().call_later(self._place.knobs.batch_ms / 1000, self._post)
        self._batch.append(event)

    def _post(self) -> None:
        events, self._batch = self._batch, []
        if not events:
            return  # forgotten meanwhile
        self._place.random.shuffle(events)
        body = json.dumps(events, ensure_ascii=False, separators=(",", ":")) + "\r\n"
        headers = self.key.headers(body.encode(), str(int(utc_now().timestamp())))
        url = self._place.knobs.public_url + EVENTS_PATH
        self._postman.post(Callback("sendgrid", url, headers, body, TRIES))

    def _page(self, query: str, limit: int) -> Response:
        if not self._place.knobs.logs_bought:
            return sendgrid_error(403, "access forbidden")
        wanted = {name: json.loads(f'"{value}"') for name, value in re.findall(r'(\w+) = "((?:[^"\\]|\\.)*)"', query)}
        asked = self._by_address[wanted["to_email"]] if "to_email" in wanted else self.mails
        rows = [mail.row() for mail in reversed(asked) if self._is_listed(mail)]
        found = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
        return JSONResponse({"messages": found[:limit]})

    def _is_listed(self, mail: Mail) -> bool:
        return mail.stored_at + self._place.knobs.lag_s <= monotonic()

    def _one(self, full_id: str) -> Response:
        mail = next((mail for mail in self.mails if mail.full_id == full_id), None)
        if mail is None or not self._is_listed(mail):
            return sendgrid_error(404, "not found")
        arguments = {} if mail.mark == "-" else {MARK: mail.mark}
        return JSONResponse(mail.row() | {"events": [], "api_key_id": "k", "client_ip": "", "custom_args": arguments})

    def state(self) -> dict[str, Any]:
        """What became of each mark."""
        marks: dict[str, dict[str, Any]] = {}
        for mail in self.mails:
            entry = marks.setdefault(mail.mark, {"stored": 0, "ids": [], "statuses": [], "to": mail.to})
            entry["stored"] += 1
            entry["ids"].append(mail.message_id)
            entry["statuses"].append(mail.status)
        return marks


def _too_large(asked: dict[str, Any]) -> bool:
    return len(json.dumps(asked)) > 30 * 2**20


def _half_a_file(asked: dict[str, Any]) -> bool:
    """Whether a file is none, or is to be shown in the HTML and lacks the name by which that asks for it."""
    try:
        files = [b64decode(file["content"], validate=True) and file for file in asked.get("attachments", [])]
    except (KeyError, ValueError):
        return True
    return any(not file or (file.get("disposition") == "inline") != ("content_id" in file) for file in files)


TO_FIELD = "personalizations.0.to.0.email"
