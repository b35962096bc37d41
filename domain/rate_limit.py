"""How many requests somebody may make: a bucket of tokens that fills evenly, one token for each request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was left at a moment."""

    tokens: float
    at: datetime


def take(bucket: Bucket | None, *, per_minute: int, now: datetime) -> tuple[Bucket, timedelta | None]:
    """The bucket after one request, and how long to wait when it was empty (None: the request may pass).

    A bucket holds a minute's tokens; a new one is full. A clock that goes backwards fills nothing.
    """
    if bucket is None:
        bucket = Bucket(per_minute, now)
    gained = max(now - bucket.at, timedelta()) / _MINUTE * per_minute
    tokens = min(bucket.tokens + gained, per_minute)
    if tokens >= 1:
        return Bucket(tokens - 1, now), None
    return Bucket(tokens, now), (1 - tokens) / per_minute * _MINUTE
