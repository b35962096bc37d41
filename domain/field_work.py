"""What is recorded beside a step of the work: data verified, conduct on a visit, parts used and awaited.

Rules S-20, S-30 and S-34.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from domain.texts import ShortText


class Verified(StrEnum):
    """What the first contact checked against the customer's own words (S-20)."""

    CUSTOMER = "customer"
    PRODUCT = "product"
    ORDER = "order"


class Conduct(StrEnum):
    """What a visit keeps to (S-30)."""

    UNIFORM = "uniform"
    BADGE_SHOWN = "badge_shown"
    CLEANED_UP = "cleaned_up"


class PartUse(StrEnum):
    """What became of a part: in the product, on its way, or here (S-34)."""

    USED = "used"
    AWAITED = "awaited"
    ARRIVED = "arrived"


class Part(BaseModel):
    """A part of the work (S-34)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ShortText
    quantity: Annotated[int, Field(ge=1, le=999)] = 1
    use: PartUse = PartUse.USED
    expected_at: AwareDatetime | None = Field(default=None, description="when an awaited part should arrive")

    @model_validator(mode="after")
    def _awaited_has_moment(self) -> Self:
        if (self.use is PartUse.AWAITED) != (self.expected_at is not None):
            raise ValueError("an awaited part, and no other, says when it should arrive (S-34): expected_at")
        return self


@dataclass(frozen=True, slots=True)
class AwaitedPart:
    """A part that is still on its way. ``endangers``: it is late, or comes after what was promised (S-32)."""

    name: str
    quantity: int
    expected_at: datetime
    endangers: bool


def awaited_parts(
    steps: Iterable[Mapping[str, Any]], *, promised_at: datetime | None, now: datetime
) -> list[AwaitedPart]:
    """The parts that the steps' payloads, oldest first, leave awaited; the newest word about a part counts."""
    waiting: dict[str, Mapping[str, Any]] = {}
    for payload in steps:
        for part in payload.get("parts", ()):
            name = str(part["name"]).casefold()
            if part.get("use") == PartUse.AWAITED:
                waiting[name] = part
            else:
                waiting.pop(name, None)
    found = []
    for part in waiting.values():
        expected_at = datetime.fromisoformat(part["expected_at"])
        endangers = expected_at <= now or (promised_at is not None and expected_at > promised_at)
        found.append(AwaitedPart(part["name"], part.get("quantity", 1), expected_at, endangers))
    return found
