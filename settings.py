"""The only reader of the environment: every setting, checked, with a default that works without an account."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from enum import StrEnum
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from domain.contact import normalise_email
from domain.exceptions import InvalidInputError
from domain.rate_limit import Network
from domain.standard import Standard, load_standard


class SettingsError(Exception):
    """A setting in the environment is wrong; the text names it and says what to mend."""


def psycopg_url(url: str) -> str:
    """A Postgres URL as SQLAlchemy's psycopg driver takes it. Raises ValueError when it is none."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("must begin with postgresql://, for example postgresql://aftercare@localhost/aftercare")
    address = f"postgresql+psycopg://{rest}"
    try:
        make_url(address)
    except (ArgumentError, ValueError) as error:
        raise ValueError("cannot be read; write it like postgresql://aftercare@localhost:5432/aftercare") from error
    return address


def _not_empty(value: object) -> object:
    """An empty path would be the present folder. Raises ValueError."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("is empty; name a path or remove the variable")
    return value


def _page_address(url: str) -> str:
    """An address to which the pages' own paths can be added. Raises ValueError when it is none."""
    if not url:
        return url
    problem = "must be an address like https://service.example.com, without a question mark or #"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ValueError(problem) from error
    if not usable or parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(problem)
    return url


def _plain(value: str) -> str:
    """What vendors give out as keys and names has neither blanks nor letters outside ASCII. Raises ValueError."""
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("has a blank, a line break or a character outside ASCII in it; copy it again")
    return value


def _plain_secret(secret: SecretStr) -> SecretStr:
    _plain(secret.get_secret_value())
    return secret


def _sender_address(value: str) -> str:
    try:
        return normalise_email(value)
    except InvalidInputError as error:
        raise ValueError("must be an address alone, like service@example.com") from error


def _event_key(value: str) -> str:
    try:
        key = load_der_public_key(base64.b64decode(value, validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("is no public key; copy it from SendGrid's page of the signed Event Webhook") from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("is a key of another kind; copy it from SendGrid's page of the signed Event Webhook")
    return value


def _networks(value: str) -> str:
    for part in filter(None, map(str.strip, value.split(","))):
        try:
            ip_network(part)
        except ValueError as error:
            raise ValueError(f"{part!r} is no address; write 10.0.0.5 or 10.0.0.0/24, several with commas") from error
    return value


def _read_networks(value: str) -> tuple[Network, ...]:
    return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())


def _apprise(secret: SecretStr) -> SecretStr:
    from apprise import Apprise

    if not Apprise().add(secret.get_secret_value()):
        raise ValueError(
            "names something that Apprise does not know; write it like mailtos://user:password@example.com"
        )
    return secret


PostgresUrl = Annotated[str, AfterValidator(psycopg_url)]
NamedPath = Annotated[Path, BeforeValidator(_not_empty)]
PageAddress = Annotated[str, AfterValidator(_page_address)]
Plain = Annotated[str, AfterValidator(_plain)]
PlainSecret = Annotated[SecretStr, AfterValidator(_plain_secret)]
SenderAddress = Annotated[str, AfterValidator(_sender_address)]
Networks = Annotated[str, AfterValidator(_networks)]
EventKey = Annotated[str, AfterValidator(_event_key)]


class SmsTransport(StrEnum):
    """By what SMS leave."""

    MAILBOX = "mailbox"
    TWILIO = "twilio"


class EmailTransport(StrEnum):
    """By what e-mail leaves."""

    MAILBOX = "mailbox"
    SMTP = "smtp"
    SENDGRID = "sendgrid"


class Settings(BaseSettings):
    """What an operator may set; each name is prefixed with ``AFTERCARE_`` in the environment."""

    model_config = SettingsConfigDict(env_prefix="AFTERCARE_", env_file=".env", extra="ignore")

    home: NamedPath = Field(
        default=Path(".aftercare"), description="Where the embedded database, logs and secrets live."
    )
    database_url: PostgresUrl | None = Field(default=None, description="Postgres 15 or newer; none: the embedded one.")
    prefect_database_url: PostgresUrl | None = Field(
        default=None, description="Prefect's own database; none: a database 'prefect' beside the product's."
    )
    standard: NamedPath | None = Field(default=None, description="A TOML file with this company's own figures.")
    public_url: PageAddress = Field(default="", description="The address under which customers reach the pages.")
    web_port: int = Field(default=8080, ge=1, le=65535)
    prefect_port: int = Field(default=4200, ge=1, le=65535)
    api_requests_per_minute: int = Field(default=600, ge=1, description="How often one key may ask the API.")
    page_requests_per_minute: int = Field(default=600, ge=1, description="How often one address may ask for pages.")
    failed_links_per_minute: int = Field(
        default=20, ge=1, description="How often one address may come with links or keys that were never given out."
    )
    trusted_proxies: Networks = Field(default="", description="Proxies whose X-Forwarded-For tells who really asks.")
    secret_key: SecretStr | None = Field(default=None, min_length=16, description="Signs links; none: made in home.")
    templates: NamedPath | None = Field(default=None, description="A folder with your own words, laid over ours.")
    sms: SmsTransport = Field(default=SmsTransport.MAILBOX, description="By what SMS leave.")
    email: EmailTransport = Field(default=EmailTransport.MAILBOX, description="By what e-mail leaves.")
    vendor_timeout: float = Field(default=10, gt=0, le=120, description="Seconds after which a vendor is given up.")
    webhook_networks: Networks = Field(
        default="", description="Networks that are not public and to which webhooks may go all the same."
    )
    log: Literal["plain", "json"] = Field(default="plain", description="How log lines are written.")
    metrics_token: PlainSecret | None = Field(
        default=None, min_length=16, description="What Prometheus must show at /metrics; none: there is no such page."
    )
    alarm_address: Annotated[SecretStr, AfterValidator(_apprise)] | None = Field(
        default=None, description="Where alarms about the service go: Apprise addresses with blanks between."
    )
    # The vendors' own names, as their documents write them.
    twilio_account_sid: Plain | None = Field(default=None, validation_alias="TWILIO_ACCOUNT_SID")
    twilio_auth_token: PlainSecret | None = Field(default=None, validation_alias="TWILIO_AUTH_TOKEN")
    twilio_previous_auth_token: PlainSecret | None = Field(default=None, validation_alias="TWILIO_PREVIOUS_AUTH_TOKEN")
    twilio_from: str | None = Field(default=None, validation_alias="TWILIO_FROM")
    twilio_messaging_service_sid: Plain | None = Field(default=None, validation_alias="TWILIO_MESSAGING_SERVICE_SID")
    twilio_api_base_url: str = Field(default="https://api.twilio.com", validation_alias="TWILIO_API_BASE_URL")
    sendgrid_api_key: PlainSecret | None = Field(default=None, validation_alias="SENDGRID_API_KEY")
    sendgrid_from: SenderAddress | None = Field(default=None, validation_alias="SENDGRID_FROM")
    sendgrid_webhook_public_key: EventKey | None = Field(default=None, validation_alias="SENDGRID_WEBHOOK_PUBLIC_KEY")
    sendgrid_api_base_url: str = Field(default="https://api.sendgrid.com", validation_alias="SENDGRID_API_BASE_URL")
    smtp_host: str | None = Field(default=None, validation_alias="SMTP_HOST")
    smtp_port: int = Field(default=587, ge=1, le=65535, validation_alias="SMTP_PORT")
    smtp_username: str | None = Field(default=None, validation_alias="SMTP_USERNAME")
    smtp_password: SecretStr | None = Field(default=None, validation_alias="SMTP_PASSWORD")
    smtp_security: Literal["none", "starttls", "tls"] = Field(default="starttls", validation_alias="SMTP_SECURITY")
    smtp_from: SenderAddress | None = Field(default=None, validation_alias="SMTP_FROM")

    @model_validator(mode="before")
    @classmethod
    def _empty_vendor_variable_is_none(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Compose and Kubernetes hand on what was not set as an empty text."""
        return {name: value for name, value in values.items() if value or not name.isupper()}

    @model_validator(mode="after")
    def _ports_of_their_own(self) -> Self:
        if self.web_port == self.prefect_port:
            raise ValueError(f"AFTERCARE_WEB_PORT and AFTERCARE_PREFECT_PORT are both {self.web_port}; change one")
        return self

    @property
    def web_url(self) -> str:
        """The address of the customer pages, without a slash at its end."""
        return (self.public_url or f"http://127.0.0.1:{self.web_port}").rstrip("/")

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The proxies that are trusted to say for whom they ask."""
        return _read_networks(self.trusted_proxies)

    @property
    def prefect_url(self) -> str:
        """The address of the Prefect server that ``aftercare up`` and ``aftercare demo`` start."""
        return f"http://127.0.0.1:{self.prefect_port}"

    def runs_url(self, ticket_number: str) -> str | None:
        """Where Prefect shows what its runs did to a ticket; None where people do not reach the server we know."""
        return None if self.public_url else f"{self.prefect_url}/events?resource=aftercare.ticket.{ticket_number}"

    def ticket_url(self, ticket_number: str) -> str:
        """The ticket's page at the workbench."""
        return f"{self.web_url}/workbench/tickets/{ticket_number}"

    @property
    def postgres_folder(self) -> Path:
        """The embedded database's data; a folder of its own, because the package opens its parents when run as root."""
        return self.home.absolute() / "postgres" / "data"

    @property
    def inside_networks(self) -> tuple[Network, ...]:
        """Networks that are not public and to which webhooks may go all the same."""
        return _read_networks(self.webhook_networks)

    def signing_key(self) -> str:
        """The key that signs links: from the environment, else a file that only its owner can read."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        return kept_secret(self.home, "signing_key")


def require_home(home: Path) -> None:
    """Make the home if it is missing. Raises SettingsError when it cannot be made or written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"AFTERCARE_HOME: {home} cannot be made ({error.strerror}); name another folder") from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise SettingsError(f"AFTERCARE_HOME: {home} may not be written; mend its permissions or name another folder")


def kept_secret(home: Path, name: str) -> str:
    """A random key (32 bytes, URL-safe base64) that is made once and kept in a file only its owner can read."""
    require_home(home)
    path = home.absolute() / "secrets" / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Written aside and linked, so that nobody ever reads half a key and the first of two writers wins.
        aside = path.with_name(f"{name}.{os.getpid()}")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(32)))
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
    return path.read_text("ascii")


def _variable(place: tuple[int | str, ...]) -> str:
    """The variable behind a fault: a vendor's own name as it is, ours with its prefix."""
    name = "_".join(map(str, place))
    return name if name.isupper() else f"AFTERCARE_{name.upper()}"


@cache
def get_settings() -> Settings:
    """The settings of this process. Raises SettingsError that names each variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        faults = (
            f"{_variable(e['loc'])}: " * bool(e["loc"]) + e["msg"].removeprefix("Value error, ") for e in error.errors()
        )
        raise SettingsError("; ".join(faults)) from error


@cache
def written_standard() -> Standard:
    """The service standard as the files have it. Raises StandardError that names the file and the figure."""
    return load_standard(get_settings().standard)
