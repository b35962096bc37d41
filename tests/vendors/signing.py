"""How the vendors sign what they post: Twilio with the account's token, SendGrid with a key of its own."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]


def twilio_headers(token: str, url: str, form: Mapping[str, str]) -> dict[str, str]:
    """The headers of a callback to ``url`` as Twilio sees it."""
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": RequestValidator(token).compute_signature(url, form),
    }


class EventKey:
    """SendGrid's key for its Event Webhook; one seed, one key, so that a restarted server keeps it."""

    def __init__(self, seed: int) -> None:
        self._key = ec.derive_private_key(seed + 1, ec.SECP256R1())

    @property
    def public(self) -> str:
        """The public key as SendGrid's settings page shows it."""
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()

    def headers(self, body: bytes, timestamp: str) -> dict[str, str]:
        """The headers of a post of events."""
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }
