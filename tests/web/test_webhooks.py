"""What vendors post is stored once and answered at once; what is forged, broken or too large changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from db.models import InboxEntry
from db.session import engine, transaction
from domain.standard import Standard
from tests.vendors.signing import EventKey, twilio_headers
from tests.web.conftest import Site
from web.app import create_app

PUBLIC = "https://care.example.com/service"
STATUS, INBOUND, EVENTS = "/webhooks/twilio/status?mid=7-1", "/webhooks/twilio/inbound", "/webhooks/sendgrid/events"
TOKEN = "the-token-of-the-tests"
KEY = EventKey(1)
SENT = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+8613800138000", "ErrorCode": ""}
TEXT = {"MessageSid": "SM2", "From": "+8613800138000", "Body": "你好", "NumMedia": "0"}
DELIVERED = {"event": "delivered", "email": "a@example.com", "aftercare_mid": "7-1", "sg_event_id": "e1"}
DELIVERED |= {"timestamp": "1795572000", "sg_message_id": "X1.filter"}


@pytest.fixture
def vendors_site(environment: pytest.MonkeyPatch, database: str, standard: Standard) -> Iterator[Site]:
    """The pages of an organisation that sends by Twilio and SendGrid and is reached behind a proxy with a prefix."""
    values = {
        "AFTERCARE_DATABASE_URL": database.replace("+psycopg", ""),
        "AFTERCARE_PUBLIC_URL": PUBLIC,
        "AFTERCARE_SMS": "twilio",
        "AFTERCARE_EMAIL": "sendgrid",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "SENDGRID_WEBHOOK_PUBLIC_KEY": KEY.public,
    }
    for name, value in values.items():
        environment.setenv(name, value)
    with TestClient(create_app()) as client:
        yield Site(client, database, standard)


def twilio(
    site: Site, path: str, form: dict[str, str], *, signed_url: str = "", token: str = TOKEN, **more: str
) -> Any:
    headers = twilio_headers(token, signed_url or PUBLIC + path, form) | more
    return site.client.post(path, content=urlencode(form).encode(), headers=headers)


def sendgrid(site: Site, body: bytes, *, key: EventKey = KEY, sent: bytes | None = None) -> Any:
    return site.client.post(EVENTS, content=sent or body, headers=key.headers(body, "1795572000"))


def kept(site: Site) -> list[tuple[str, str, str]]:
    """Source, kind and key of what was stored."""
    with transaction(site.database) as connection:
        query = select(InboxEntry.source, InboxEntry.kind, InboxEntry.key).order_by(InboxEntry.id)
        return [tuple(row) for row in connection.execute(query)]


class TestTwilio:
    def test_a_status_is_stored_once_however_often_it_comes(self, vendors_site: Site) -> None:
        answers = [twilio(vendors_site, STATUS, SENT) for _ in range(3)]

        assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3
        assert kept(vendors_site) == [("twilio", "Report", "SM1:delivered")]

    def test_a_text_is_stored_and_answered_without_words(self, vendors_site: Site) -> None:
        answer = twilio(vendors_site, INBOUND, TEXT)

        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
        assert answer.text.endswith("<Response/>")
        assert kept(vendors_site) == [("twilio", "InboundText", "SM2")]

    @pytest.mark.parametrize(
        "change",
        [
            {"token": "another"},
            {"signed_url": "http://testserver" + STATUS},
            {"signed_url": PUBLIC + STATUS.replace("7-1", "8-1")},
            {"signed_url": PUBLIC.replace("https", "http") + STATUS},
        ],
    )
    def test_a_forged_status_is_refused(self, vendors_site: Site, change: dict[str, str]) -> None:
        assert twilio(vendors_site, STATUS, SENT, **change).status_code == 403
        assert kept(vendors_site) == []

    def test_the_address_in_the_request_is_not_trusted(self, vendors_site: Site) -> None:
        answer = twilio(vendors_site, STATUS, SENT, Host="evil.example", **{"X-Forwarded-Host": "evil.example"})

        assert answer.status_code == 204

    @pytest.mark.parametrize("headers", [{}, {"X-Twilio-Signature": ""}, {"X-Twilio-Signature": "AAAA"}])
    def test_an_unsigned_post_is_refused(self, vendors_site: Site, headers: dict[str, str]) -> None:
        for path in (STATUS, INBOUND):
            assert vendors_site.client.post(path, data=SENT, headers=headers).status_code == 403
        assert kept(vendors_site) == []

    def test_a_status_without_our_mark_says_nothing(self, vendors_site: Site) -> None:
        assert twilio(vendors_site, "/webhooks/twilio/status", SENT).status_code == 400

    def test_an_oversized_body_is_not_read_to_its_end(self, vendors_site: Site) -> None:
        assert twilio(vendors_site, INBOUND, TEXT | {"Body": "x" * 70_000}).status_code == 413
        assert kept(vendors_site) == []


class TestSendGrid:
    def test_events_are_stored_once_each(self, vendors_site: Site) -> None:
        body = json.dumps([DELIVERED, DELIVERED | {"sg_event_id": "e2", "event": "open"}, DELIVERED]).encode()

        assert [sendgrid(vendors_site, body).status_code for _ in range(2)] == [204, 204]
        assert kept(vendors_site) == [("sendgrid", "Report", "e1")]

    def test_a_body_that_was_written_again_is_refused(self, vendors_site: Site) -> None:
        body = json.dumps([DELIVERED]).encode()

        assert sendgrid(vendors_site, body, sent=json.dumps([DELIVERED], indent=1).encode()).status_code == 403
        assert sendgrid(vendors_site, body + b"\r\n", sent=body).status_code == 403

    def test_another_key_is_refused(self, vendors_site: Site) -> None:
        assert sendgrid(vendors_site, json.dumps([DELIVERED]).encode(), key=EventKey(2)).status_code == 403

    @pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"[[]]", b"null", b"\xff\xfe", b'[{"event": {}}]'])
    def test_what_is_signed_and_says_nothing_does_no_harm(self, vendors_site: Site, body: bytes) -> None:
        assert sendgrid(vendors_site, body).status_code in {204, 400, 403}
        assert kept(vendors_site) == []

    def test_an_oversized_body_is_refused(self, vendors_site: Site) -> None:
        assert sendgrid(vendors_site, b"[" + b" " * 2_000_001 + b"]").status_code == 413


@given(body=st.binary(max_size=300), signature=st.text(st.characters(codec="ascii", exclude_categories=["C"])))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_never_accepted_and_never_a_crash(vendors_site: Site, body: bytes, signature: str) -> None:
    headers = {
        "X-Twilio-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": signature,
    }
    for path in (STATUS, INBOUND, EVENTS):
        assert vendors_site.client.post(path, content=body, headers=headers).status_code in {400, 403}


@pytest.mark.parametrize("path", [STATUS, INBOUND, EVENTS])
def test_nobody_posts_where_no_vendor_was_chosen(site: Site, path: str) -> None:
    assert site.client.post(path, content=b"").status_code == 404


@pytest.mark.parametrize("path", [STATUS, INBOUND, EVENTS])
def test_looking_at_the_address_shows_nothing(vendors_site: Site, path: str) -> None:
    assert vendors_site.client.get(path).status_code == 405


def test_while_the_database_is_away_the_vendor_is_asked_to_come_again(
    vendors_site: Site, environment: pytest.MonkeyPatch
) -> None:
    from db.session import database_url

    environment.setenv("AFTERCARE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    from settings import get_settings

    get_settings.cache_clear()
    database_url.cache_clear()

    assert twilio(vendors_site, STATUS, SENT).status_code == 503

    engine("postgresql+psycopg://nobody@127.0.0.1:1/none").dispose()
