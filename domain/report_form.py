"""The public form: what a customer typed becomes who they are and what they report, or every fault at once (S-01)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from domain.contact import normalise_email, normalise_phone
from domain.exceptions import InvalidInputError
from domain.faults import Fault, fault_of
from domain.intake import CustomerDetails, Report, require_happened
from domain.messages import Medium
from domain.service_policies import Organisation
from domain.tickets import Category, Channel, Impact

M = TypeVar("M", bound=BaseModel)

_OF_CUSTOMER = ("name", "phone", "email", "language", "region")
_OF_REPORT = ("description", "usage_context", "wish", "product_model", "serial_number", "order_number")
_SEVERAL_LINES = frozenset({"description", "usage_context", "wish"})
FIELDS = (*_OF_CUSTOMER, *_OF_REPORT, "medium", "category", "occurred_at", "impact", "danger", "anonymous")


class FaultKind(StrEnum):
    """What is wrong with a field, for words in the reader's language (``[report_fault]``)."""

    MISSING = "missing"
    NOT_CHOSEN = "not_chosen"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"
    NO_CONTACT = "no_contact"
    NO_PHONE = "no_phone"
    NO_EMAIL = "no_email"
    PHONE_NEEDED = "phone_needed"
    EMAIL_NEEDED = "email_needed"
    NO_MOMENT = "no_moment"
    AHEAD = "ahead"
    TOO_LONG_AGO = "too_long_ago"


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that can be used."""

    customer: CustomerDetails
    report: Report


def tidy(typed: Mapping[str, str]) -> dict[str, str]:
    """Every field of the form as it is shown again: without blanks around it, and on one line where it has only one."""
    values = {}
    for name in FIELDS:
        value = typed.get(name, "").replace("\r\n", "\n")
        values[name] = value.strip() if name in _SEVERAL_LINES else " ".join(value.split())
    return values


def read_form(
    values: Mapping[str, str],
    *,
    organisation: Organisation,
    languages: Collection[str],
    regions: Collection[str],
    now: datetime,
) -> Filled | dict[str, Fault]:
    """What the customer typed (see ``tidy``), checked; or the fault of each field that is wrong.

    The time of the fault is meant in the organisation's zone, and the form says so. What triage needs is asked, the
    category may be left open: then the words suggest it (S-04).
    """
    faults: dict[str, Fault] = {}
    contact = _contact(values, organisation, faults)
    given: dict[str, Any] = {name: values[name] or None for name in _OF_CUSTOMER} | contact
    given["language"] = _one_of(values["language"], languages, "language", faults)
    given["region"] = _one_of(values["region"], regions, "region", faults) if values["region"] else None
    given["preferred_medium"] = _medium(values, faults)
    given["wants_anonymity"] = bool(values["anonymous"])
    told: dict[str, Any] = {name: values[name] or None for name in _OF_REPORT}
    told["channel"] = Channel.WEB
    told["impact"] = _one_of(values["impact"], [i.value for i in Impact], "impact", faults)
    danger = _one_of(values["danger"], ("yes", "no"), "danger", faults)
    told["is_safety_risk"] = None if danger is None else danger == "yes"
    if values["category"]:
        told["category"] = _one_of(values["category"], [c.value for c in Category], "category", faults)
    told["occurred_at"] = _moment(values["occurred_at"], organisation.time_zone, faults, now=now)
    customer = _built(CustomerDetails, given, faults)
    report = _built(Report, told, faults)
    return faults if faults or customer is None or report is None else Filled(customer, report)


def _contact(values: Mapping[str, str], organisation: Organisation, faults: dict[str, Fault]) -> dict[str, str | None]:
    """Phone and address written one way; at least one of them is needed."""
    if not values["phone"] and not values["email"]:
        faults["phone"] = Fault(FaultKind.NO_CONTACT)
    in_region = partial(normalise_phone, region=organisation.default_phone_region)
    return {
        "phone": _written(values["phone"], in_region, "phone", FaultKind.NO_PHONE, faults),
        "email": _written(values["email"], normalise_email, "email", FaultKind.NO_EMAIL, faults),
    }


def _written(
    text: str, write: Callable[[str], str], name: str, fault: FaultKind, faults: dict[str, Fault]
) -> str | None:
    if not text:
        return None
    try:
        return write(text)
    except InvalidInputError:
        faults[name] = Fault(fault)
        return None


def _medium(values: Mapping[str, str], faults: dict[str, Fault]) -> Medium | None:
    """By what the customer wishes to hear; only what they gave can be wished."""
    wish = values["medium"]
    if not wish:
        return None
    if _one_of(wish, [m.value for m in Medium], "medium", faults) is None:
        return None
    if not values["phone" if wish == Medium.SMS else "email"]:
        faults["medium"] = Fault(FaultKind.PHONE_NEEDED if wish == Medium.SMS else FaultKind.EMAIL_NEEDED)
    return Medium(wish)


def _one_of(value: str, offered: Collection[str], name: str, faults: dict[str, Fault]) -> str | None:
    if value in offered:
        return value
    faults[name] = Fault(FaultKind.NOT_CHOSEN)
    return None


def _moment(text: str, zone: str, faults: dict[str, Fault], *, now: datetime) -> datetime | None:
    """A local moment; nothing when the field is empty."""
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text)
        moment = local.replace(tzinfo=ZoneInfo(zone)) if local.tzinfo is None else None
        if moment is not None:
            require_happened(moment, now=now)
            return moment
    except InvalidInputError:
        faults["occurred_at"] = Fault(FaultKind.AHEAD if moment and moment > now else FaultKind.TOO_LONG_AGO)
        return None
    except (ValueError, OverflowError):
        pass
    faults["occurred_at"] = Fault(FaultKind.NO_MOMENT)
    return None


def _built(model: type[M], values: Mapping[str, Any], faults: dict[str, Fault]) -> M | None:
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        for found in error.errors():
            # Without a place: neither phone nor address, which was said where it was missed.
            if found["loc"]:
                faults.setdefault(str(found["loc"][0]), fault_of(found, otherwise=FaultKind.MISSING))
        if not faults:
            faults["phone"] = Fault(FaultKind.NO_CONTACT)
        return None
