"""Prefect blocks with the vendors' credentials: an operator's form in the UI, its secret fields encrypted at rest."""

from __future__ import annotations

from typing import Any

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from channels.registry import chosen, needs
from domain.messages import Medium
from settings import EmailTransport, Settings, SmsTransport

# Each vendor's credentials are the document of this name.
DOCUMENT = "aftercare"


class TwilioCredentials(Block):
    """What Aftercare needs to send SMS by Twilio."""

    _block_type_name = "Aftercare Twilio"
    _block_type_slug = "aftercare-twilio"
    _description = "Account and sender with which Aftercare sends SMS by Twilio. Save it under the name 'aftercare'."

    account_sid: str = Field(description="Account SID, begins with AC")
    auth_token: SecretStr = Field(description="The account's primary auth token")
    sender: str = Field(description="Sender: a number in E.164, or a Messaging Service SID that begins with MG")

    def settings(self) -> dict[str, Any]:
        """The settings that this block stands for."""
        is_service = self.sender.startswith("MG")
        name = "twilio_messaging_service_sid" if is_service else "twilio_from"
        return {"twilio_account_sid": self.account_sid, "twilio_auth_token": self.auth_token, name: self.sender}


class SendGridCredentials(Block):
    """What Aftercare needs to send e-mail by SendGrid."""

    _block_type_name = "Aftercare SendGrid"
    _block_type_slug = "aftercare-sendgrid"
    _description = "Key and sender with which Aftercare sends e-mail by SendGrid. Save it under the name 'aftercare'."

    api_key: SecretStr = Field(description="An API key that may send mail")
    sender: str = Field(description="The verified sender's address")

    def settings(self) -> dict[str, Any]:
        """The settings that this block stands for."""
        return {"sendgrid_api_key": self.api_key, "sendgrid_from": self.sender}


class SmtpCredentials(Block):
    """What Aftercare needs to send e-mail by a mail server."""

    _block_type_name = "Aftercare SMTP"
    _block_type_slug = "aftercare-smtp"
    _description = "Mail server with which Aftercare sends e-mail. Save it under the name 'aftercare'."

    host: str = Field(description="The server's name")
    sender: str = Field(description="The sender's address")
    username: str | None = Field(default=None, description="Empty: without sign-in")
    password: SecretStr | None = Field(default=None, description="Empty: without sign-in")

    def settings(self) -> dict[str, Any]:
        """The settings that this block stands for."""
        named = {"smtp_host": self.host, "smtp_from": self.sender}
        return named | {"smtp_username": self.username, "smtp_password": self.password}


BLOCKS: dict[SmsTransport | EmailTransport, type[TwilioCredentials | SendGridCredentials | SmtpCredentials]] = {
    SmsTransport.TWILIO: TwilioCredentials,
    EmailTransport.SENDGRID: SendGridCredentials,
    EmailTransport.SMTP: SmtpCredentials,
}


def with_blocks(settings: Settings) -> Settings:
    """The settings, with what a chosen transport lacks taken from its Prefect block; the environment wins."""
    for medium in Medium:
        transport = chosen(medium, settings)
        if all(needs(transport, settings).values()):
            continue
        try:
            found = BLOCKS[transport].load(DOCUMENT)
        except ValueError:  # Prefect's word for: there is no such block
            continue
        block: Any = found
        lacking = {name: value for name, value in block.settings().items() if getattr(settings, name) is None}
        settings = settings.model_copy(update=lacking)
    return settings
