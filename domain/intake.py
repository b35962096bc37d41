"""What a customer reports, checked and written one way; when two reports are about one fault (S-01 to S-07)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from domain.commands import describe_fault
from domain.contact import normalise_email, normalise_phone
from domain.exceptions import InvalidInputError
from domain.figures import ZoneName
from domain.messages import Medium
from domain.people import CustomerTier
from domain.texts import NO_NUL, ShortText
from domain.tickets import Category, Channel, Impact

Description = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=5000, pattern=NO_NUL)]
SUBJECT_LENGTH = 60
_LONGEST_AGO, _CLOCKS_DIFFER = timedelta(days=50 * 365), timedelta(hours=1)
M = TypeVar("M", bound=BaseModel)


def require_happened(moment: datetime | None, *, now: datetime) -> None:
    """Raise InvalidInputError unless the moment of a fault, if it is known, is not ahead and not absurdly long ago."""
    if moment is None:
        return
    if moment > now + _CLOCKS_DIFFER:
        raise InvalidInputError("occurred_at", "lies ahead; say when it happened")
    if moment < now - _LONGEST_AGO:
        raise InvalidInputError("occurred_at", f"lies more than {_LONGEST_AGO.days // 365} years back")


class CustomerDetails(BaseModel):
    """Who reports (S-02). A phone number or an e-mail address is needed; both are written one way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ShortText
    phone: Annotated[str, Field(max_length=50)] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    tier: CustomerTier = CustomerTier.STANDARD
    language: Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")] | None = None
    preferred_medium: Medium | None = None
    time_zone: ZoneName | None = None
    region: ShortText | None = None
    wants_anonymity: bool = False

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.phone and not self.email:
            raise ValueError("give a phone number or an e-mail address, so that the customer can be reached")
        return self

    def normalised(self, *, phone_region: str) -> CustomerDetails:
        """The same with phone in E.164 and a checked address. Raises InvalidInputError."""
        return self.model_copy(
            update={
                "phone": normalise_phone(self.phone, region=phone_region) if self.phone else None,
                "email": normalise_email(self.email) if self.email else None,
            }
        )


class Report(BaseModel):
    """What is reported (S-03). Category, impact and safety are asked where they can be, else the words suggest them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Channel
    description: Description
    category: Category | None = None
    impact: Impact | None = None
    is_safety_risk: bool | None = None
    occurred_at: AwareDatetime | None = None
    usage_context: Annotated[str, Field(max_length=2000, pattern=NO_NUL)] | None = None
    wish: Annotated[str, Field(max_length=1000, pattern=NO_NUL)] | None = None
    product_model: ShortText | None = None
    serial_number: ShortText | None = None
    order_number: ShortText | None = None
    tags: list[ShortText] = Field(default=[], max_length=20)

    @property
    def subject(self) -> str:
        """The first sentence, short enough for an SMS."""
        first = next((line for line in self.description.splitlines() if line.strip()), self.description)
        for stop in ("。", "！", "!", "；", ". "):
            first = first.partition(stop)[0].strip() or first  # "！！！漏水" has words too
        return first if len(first) <= SUBJECT_LENGTH else first[: SUBJECT_LENGTH - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """An open ticket of the same customer, as far as the comparison needs it."""

    id: int
    category: Category
    product_model: str | None
    serial_number: str | None
    subject: str


def is_same_fault(existing: OpenTicket, report: Report, category: Category) -> bool:
    """True when the report joins the existing ticket instead of opening a second one (S-07).

    The same serial number, or the same product in the same category, or, with no product named, the same words.
    """
    if existing.serial_number and report.serial_number:
        return existing.serial_number.casefold() == report.serial_number.casefold() and existing.category == category
    if existing.product_model and report.product_model:
        return existing.product_model.casefold() == report.product_model.casefold() and existing.category == category
    return existing.subject.casefold() == report.subject.casefold()


def is_same_device(existing: OpenTicket, report: Report) -> bool:
    """True when both name one device, so that it is worth asking whether they are about one fault (S-07)."""
    if existing.serial_number and report.serial_number:
        return existing.serial_number.casefold() == report.serial_number.casefold()
    if existing.product_model and report.product_model:
        return existing.product_model.casefold() == report.product_model.casefold()
    return False


def build_report(values: dict[str, Any]) -> Report:
    """The report. Raises InvalidInputError with the path of the first value that is wrong."""
    return _build(Report, values)


def build_customer(values: dict[str, Any]) -> CustomerDetails:
    """The customer's details. Raises InvalidInputError with the path of the first value that is wrong."""
    return _build(CustomerDetails, values)


def _build(model: type[M], values: dict[str, Any]) -> M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(step) for step in fault["loc"]) or "contact"
        raise InvalidInputError(field, describe_fault(dict(fault))) from error
