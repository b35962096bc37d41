"""Customers by the API: added or found, read with contact data masked for who need not read them (S-02, S-71)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from clock import utc_now
from db import customers, intake
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_TAKE_REPORTS, require_role
from domain.contact import normalise_email, normalise_phone
from domain.exceptions import InvalidInputError
from domain.intake import CustomerDetails
from templates.languages import language_for, languages
from web.api import shapes
from web.api.asked import Id, Known, may_read_contact, naming, note_contact_view
from web.api.examples import CUSTOMER
from web.api.problems import JSON_BODY, documented

router = APIRouter(prefix="/customers", tags=["customers"])


@router.post("", status_code=201, responses={200: {"model": shapes.Customer}, **documented(*JSON_BODY)})
def add_customer(
    caller: Known, details: Annotated[CustomerDetails, Body(examples=[CUSTOMER])], response: Response
) -> shapes.Customer:
    """Add a customer, or find the one who has this number or address (200); who is known is not changed."""
    require_role(caller.actor, MAY_TAKE_REPORTS, "adding customers")
    require_words(details, "body.language")
    now = utc_now()
    with transaction() as connection:
        customer_id = intake.find_or_add_customer(connection, details, standard=get_standard(), now=now)
        row = customers.get(connection, customer_id)
    # Only one who was added by this request was added at this very moment.
    response.status_code = 201 if row["created_at"] == now else 200
    return shapes.customer(row, open_=may_read_contact(caller))


@router.get("")
def find_customers(
    caller: Known,
    phone: Annotated[str | None, Query(max_length=50, examples=["+8613800138000"])] = None,
    email: Annotated[str | None, Query(max_length=254, examples=["wang.li@example.com"])] = None,
) -> shapes.Page[shapes.Customer]:
    """The customers with this number or this address; give one of them at least."""
    if not phone and not email:
        raise InvalidInputError("query.phone", "is missing; give a phone number or an e-mail address")
    with naming("query."):
        number = normalise_phone(phone, region=get_standard().organisation.default_phone_region) if phone else None
        address = normalise_email(email) if email else None
    with transaction() as connection:
        rows = customers.find(connection, phone=number, email=address)
        note_contact_view(connection, caller, [row["id"] for row in rows])
    found = [shapes.customer(row, open_=may_read_contact(caller)) for row in rows]
    return shapes.Page(items=found, next_cursor=None)


@router.get("/{customer_id}", responses=documented(404))
def get_customer(caller: Known, customer_id: Id) -> shapes.Customer:
    """One customer."""
    with transaction() as connection:
        row = customers.get(connection, customer_id)
        note_contact_view(connection, caller, [row["id"]])
    return shapes.customer(row, open_=may_read_contact(caller))


def require_words(details: CustomerDetails, path: str) -> None:
    """Raise InvalidInputError unless there are words in the customer's language, if one is named."""
    if details.language is None:
        return
    asked = details.language.replace("_", "-").casefold().partition("-")[0]
    if language_for(details.language).casefold().partition("-")[0] != asked:
        raise InvalidInputError(path, f"there are no words in this language; there are {', '.join(languages())}")
