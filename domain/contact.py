"""Phone numbers and e-mail addresses: checked, written one way, and masked where they need not be read (S-71)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from domain.exceptions import InvalidInputError

# What looks like an address, or like a number by which somebody is reached or known, in what people wrote.
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"\+?\d(?:[\s()-]{0,2}\d){6,}[Xx]?", re.ASCII)
_TITLES = "先生|女士|小姐|太太"
# Instead of a name that is not to be shown; the same in every language.
ANONYMOUS = "***"


def normalise_phone(text: str, *, region: str) -> str:
    """The number in E.164 (``+8613800138000``); ``region`` (ISO 3166) is assumed when it has no country code.

    Raises InvalidInputError when it is no valid number.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise InvalidInputError("phone", f"not a phone number ({error}); write it like +86 138 0013 8000") from error
    if not phonenumbers.is_valid_number(number):
        raise InvalidInputError("phone", "no such phone number exists; write it like +86 138 0013 8000")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalise_email(text: str) -> str:
    """The address with its domain in lower case.

    Raises InvalidInputError when it is no address. Whether the domain receives mail is not looked up.
    """
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise InvalidInputError("email", f"not an e-mail address ({error})") from error


def mask_phone(phone: str | None) -> str:
    """``+8613800138000`` as ``+86138****8000``; nothing of a number too short to hide four digits of it."""
    if not phone:
        return ""
    return f"{phone[:-8]}****{phone[-4:]}" if len(phone) > 8 else "****"


def mask_email(email: str | None) -> str:
    """``wang.li@example.com`` as ``w***@example.com``; an empty text for none."""
    if not email:
        return ""
    local, at, host = email.rpartition("@")
    return f"{local[:1]}***@{host}" if at else "***"


def mask_address(address: str | None) -> str:
    """A phone number or an e-mail address, whichever it is, masked."""
    return mask_email(address) if address and "@" in address else mask_phone(address)


def shown_name(row: Mapping[str, Any], column: str = "customer_name", *, to_servers: bool) -> str:
    """A customer's name as a reader sees it: ``***`` where they asked for it and the reader only judges or runs (S-02).

    ``row`` has ``wants_anonymity``. ``to_servers``: the reader serves the customer and must know whom.
    """
    return ANONYMOUS if row["wants_anonymity"] and not to_servers else str(row[column])


def mask_words(text: str, name: str, *, known: Iterable[str | None] = ()) -> str:
    """What a customer wrote, without their name, numbers by which people are reached or known, and addresses (S-71).

    Of the customer's name each part counts, of a Chinese one the family name where a title follows. ``known``: what
    else of theirs is not to be read, like a serial number.
    """
    text = _NUMBER.sub(ANONYMOUS, _ADDRESS.sub(ANONYMOUS, text))
    parts = [part for part in {name, *name.split()} if len(part) > 1]
    alternatives = [re.escape(part) if not part.isascii() else rf"\b{re.escape(part)}\b" for part in parts]
    alternatives += [re.escape(word) for word in known if word and len(word) > 1]
    if name and not name.isascii():
        alternatives.append(rf"{re.escape(name[0])}(?={_TITLES})")
    found = "|".join(sorted(alternatives, key=len, reverse=True))
    return re.sub(found, ANONYMOUS, text, flags=re.IGNORECASE) if found else text
