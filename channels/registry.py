"""Which transport serves a medium, by the settings; what it lacks is named before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import SecretStr

from channels.base import Transport
from channels.sendgrid_email import SendGridEmail
from channels.smtp_email import SmtpEmail
from channels.twilio_sms import TwilioSms
from domain.messages import Medium
from settings import EmailTransport, Settings, SettingsError, SmsTransport, written_standard

WEBHOOKS = "/webhooks/"
TWILIO_STATUS_PATH = "/webhooks/twilio/status"
TWILIO_INBOUND_PATH = "/webhooks/twilio/inbound"
SENDGRID_EVENTS_PATH = "/webhooks/sendgrid/events"


def chosen(medium: Medium, settings: Settings) -> SmsTransport | EmailTransport:
    """The transport that the settings name for a medium."""
    return settings.sms if medium is Medium.SMS else settings.email


def needs(transport: SmsTransport | EmailTransport, settings: Settings) -> Mapping[str, object]:
    """The variables without which a transport cannot send, each with its value (None: missing)."""
    match transport:
        case SmsTransport.TWILIO:
            return {
                "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
                "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
                "TWILIO_FROM": settings.twilio_from or settings.twilio_messaging_service_sid,
            }
        case EmailTransport.SENDGRID:
            return {"SENDGRID_API_KEY": settings.sendgrid_api_key, "SENDGRID_FROM": settings.sendgrid_from}
        case EmailTransport.SMTP:
            return {"SMTP_HOST": settings.smtp_host, "SMTP_FROM": settings.smtp_from}
        case _:
            return {}


def require(settings: Settings, media: Collection[Medium] = tuple(Medium)) -> None:
    """Raise SettingsError that names each variable which a chosen transport needs and does not have."""
    lacking = [
        f"AFTERCARE_{medium.value.upper()}={chosen(medium, settings).value} needs {name}"
        for medium in media
        for name, value in needs(chosen(medium, settings), settings).items()
        if not value
    ]
    if lacking:
        raise SettingsError(f"{'; '.join(lacking)}: set it, or save it in the Prefect block of the vendor")


def build(medium: Medium, settings: Settings, mailbox: Transport) -> Transport:
    """The transport of a medium. Raises SettingsError when it lacks something."""
    require(settings, [medium])
    match chosen(medium, settings):
        case SmsTransport.TWILIO:
            return _twilio(settings)
        case EmailTransport.SENDGRID:
            return _sendgrid(settings)
        case EmailTransport.SMTP:
            return _smtp(settings)
        case _:
            return mailbox


def _twilio(settings: Settings) -> Transport:
    return TwilioSms(
        account_sid=settings.twilio_account_sid or "",
        auth_token=_open(settings.twilio_auth_token),
        previous_auth_token=_open(settings.twilio_previous_auth_token) or None,
        sender=settings.twilio_from,
        messaging_service_sid=settings.twilio_messaging_service_sid,
        api_base_url=settings.twilio_api_base_url,
        callback_url=f"{settings.web_url}{TWILIO_STATUS_PATH}" if settings.public_url else None,
        timeout=settings.vendor_timeout,
    )


def _sendgrid(settings: Settings) -> Transport:
    return SendGridEmail(
        api_key=_open(settings.sendgrid_api_key),
        sender=settings.sendgrid_from or "",
        sender_name=_sender_name(),
        api_base_url=settings.sendgrid_api_base_url,
        webhook_public_key=settings.sendgrid_webhook_public_key,
        timeout=settings.vendor_timeout,
    )


def _smtp(settings: Settings) -> Transport:
    return SmtpEmail(
        host=settings.smtp_host or "",
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=_open(settings.smtp_password) or None,
        security=settings.smtp_security,
        sender=settings.smtp_from or "",
        sender_name=_sender_name(),
        timeout=settings.vendor_timeout,
    )


def _sender_name() -> str:
    organisation = written_standard().organisation
    return organisation.name[organisation.default_language]


def calls_back(medium: Medium, settings: Settings) -> bool:
    """Whether the chosen transport's vendor reports by callbacks."""
    return chosen(medium, settings) in (SmsTransport.TWILIO, EmailTransport.SENDGRID)


def callback_reader(medium: Medium, settings: Settings) -> Transport | None:
    """The transport that can check and read its vendor's callbacks; None when the settings do not let it.

    Checking needs the vendor's key in this process's environment, not in a Prefect block. Without it the fate of
    messages is found by polling.
    """
    match chosen(medium, settings):
        case SmsTransport.TWILIO if settings.twilio_auth_token:
            # Reading needs the token alone; the sender may be in a block.
            return _twilio(settings.model_copy(update={"twilio_from": settings.twilio_from or "none"}))
        case EmailTransport.SENDGRID if settings.sendgrid_webhook_public_key:
            return _sendgrid(settings)
        case _:
            return None


def _open(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
