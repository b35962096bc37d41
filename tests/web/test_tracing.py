"""One trace leads from the request to the message, sent to a real receiver, and says nothing of anybody."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import text

import tracing
from clock import utc_now
from db import follow_ups, inbox
from db.session import transaction
from domain.delivery import InboundText
from domain.messages import LinkPurpose, Medium
from tasks import claims, messages
from tasks.inbox import handle_inbox
from tests.web.conftest import Api, Site

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
WORDS = {"name": "王可儿", "phone": "+8613800138000"}
SAID = "冰箱漏水 zebra-quartz"
REPORT = {"channel": "web", "description": SAID}
# By day, that somebody was assigned leaves at once too.
RECEIVED = text(
    "SELECT b.body FROM mailbox_entries b JOIN messages m ON m.id = b.message_id "
    "WHERE b.address = :phone AND m.kind = 'ticket_received'"
)


@dataclass
class Collector:
    """What an OTLP receiver was sent."""

    bodies: list[bytes] = field(default_factory=list)

    def spans(self) -> list[Span]:
        """Every span, decoded."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [s for r in requests for of in r.resource_spans for scope in of.scope_spans for s in scope.spans]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A receiver, named by OpenTelemetry's own variable."""
    taken = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")  # it would export addresses and exceptions
    tracing.is_on.cache_clear()
    tracing._provider.cache_clear()
    yield taken
    tracing._provider().shutdown()
    tracing._provider.cache_clear()
    monkeypatch.undo()
    tracing.is_on.cache_clear()
    server.shutdown()
    server.server_close()


def attributes(span: Span) -> dict[str, str | int]:
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def deliver(site: Site) -> None:
    """What the two flows do, without what they tell Prefect."""
    now = utc_now()
    with transaction(site.database) as connection:
        for ticket_id, _ in follow_ups.find_due(connection, now=now, limit=1):
            follow_ups.carry_out_next(connection, ticket_id, standard=site.standard, now=now)
    claimed = claims.claim_messages(Medium.SMS, now=now)
    messages.send_messages.fn(Medium.SMS, [taken[0] for taken in claimed.messages], claimed.send_by, now)


def test_one_trace_leads_from_the_request_to_the_message_and_names_nobody(
    collector: Collector, site: Site, api: Api
) -> None:
    opened = api.post("/tickets", {"customer": WORDS, "report": REPORT}, traceparent=CALLER)
    deliver(site)
    with transaction(site.database) as connection:
        body = connection.execute(RECEIVED, WORDS).scalar_one()
    path = re.search(r"https?://[^/]+(/\S+)", body).group(1)  # type: ignore[union-attr]
    assert site.client.get(path).status_code == 200
    assert site.client.get(f"/progress/guessed-{path.rpartition('/')[2]}?phone=13800138000").status_code in {404, 410}
    tracing.flush()

    number = opened.json()["number"]
    trace_id = bytes.fromhex(CALLER.split("-")[1])
    by_id = {span.span_id: span for span in collector.spans()}
    sent = next(span for span in by_id.values() if span.name == "send ticket_received")
    line = [sent]
    while line[-1].parent_span_id in by_id:
        line.append(by_id[line[-1].parent_span_id])
    names = [span.name for span in reversed(line)]
    assert names == ["POST /api/v1/tickets", "open", "follow up", "acknowledge", "send ticket_received"]
    assert {span.trace_id for span in line} == {trace_id}
    assert attributes(sent)["aftercare.ticket"] == number
    assert attributes(sent)["messaging.system"] == "mailbox"
    assert by_id[sent.links[0].span_id].name == "send messages"
    assert {span.name for span in by_id.values() if span.kind == Span.SPAN_KIND_SERVER} >= {"GET /progress/{token}"}

    exported = b"".join(collector.bodies)
    secrets = [*WORDS.values(), "13800138000", SAID, "zebra", path.rpartition("/")[2], api.key, "127.0.0.1"]
    assert [secret for secret in secrets if secret.encode() in exported] == []


def test_what_a_customer_texts_leads_from_the_callback_to_the_event(collector: Collector, site: Site) -> None:
    now = utc_now()
    with site.desk() as desk:
        ticket_id = desk.open(SAID, phone=WORDS["phone"])
    with transaction(site.database) as connection, tracing.span("POST", {}, kind="server"):
        inbox.store(connection, "twilio", [InboundText("SM1", WORDS["phone"], "zebra")], now=now)
    handle_inbox.fn(now)
    tracing.flush()

    with transaction(site.database) as connection:
        latest = "SELECT traceparent FROM ticket_events WHERE ticket_id = :t ORDER BY seq DESC LIMIT 1"
        _, trace_id, span_id, _ = connection.execute(text(latest), {"t": ticket_id}).scalar_one().split("-")
    by_name = {span.name: span for span in collector.spans()}
    assert by_name["take in InboundText"].parent_span_id == by_name["POST"].span_id
    assert by_name["POST"].trace_id == bytes.fromhex(trace_id)
    assert bytes.fromhex(span_id) in {span.span_id for span in by_name.values()}
    assert b"zebra" not in b"".join(collector.bodies)


def test_a_stranger_cannot_go_on_with_a_trace_nor_an_error_tell_its_words(collector: Collector, site: Site) -> None:
    site.client.get(site.link(LinkPurpose.PROGRESS, 1), headers={"traceparent": CALLER})
    with pytest.raises(ValueError, match="zebra"), tracing.span("failing", {}):
        raise ValueError(SAID)
    tracing.flush()

    assert bytes.fromhex(CALLER.split("-")[1]) not in b"".join(collector.bodies)
    assert b"zebra" not in b"".join(collector.bodies)
    failing = next(span for span in collector.spans() if span.name == "failing")
    assert attributes(failing) == {"error.type": "ValueError"}


def test_while_it_is_off_nothing_is_stored(site: Site, api: Api) -> None:
    api.post("/tickets", {"customer": WORDS, "report": REPORT})
    deliver(site)

    with transaction(site.database) as connection:
        stored = connection.execute(text("SELECT count(traceparent) FROM ticket_events")).scalar_one()
        kept = connection.execute(text("SELECT provider, outcome, took >= 0, waited >= took FROM handovers")).all()
    assert {*kept} == {("mailbox", "accepted", True, True)}  # how long it took is kept all the same
    assert tracing.traceparent() is None
    assert stored == 0
