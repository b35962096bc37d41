"""How many requests somebody may make: a bucket of tokens that fills evenly, one token for each request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

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


class Buckets:
    """The buckets of all who come. Whoever was away for a minute is forgotten: their bucket is full again anyway."""

    def __init__(self, *, per_minute: int, most: int = 50_000) -> None:
        self._per_minute, self._most = per_minute, most
        # In the order of their last request, so that those who may be forgotten stand first.
        self._known: dict[str, Bucket] = {}

    def __len__(self) -> int:
        return len(self._known)

    def take(self, who: str, *, now: datetime) -> timedelta | None:
        """One request; how long to wait when it may not pass."""
        bucket, wait = take(self._known.pop(who, None), per_minute=self._per_minute, now=now)
        self._known[who] = bucket
        self._forget(now)
        return wait

    def wait(self, who: str, *, now: datetime) -> timedelta | None:
        """How long a request would have to wait now; nothing is taken."""
        known = self._known.get(who)
        return None if known is None else take(known, per_minute=self._per_minute, now=now)[1]

    def _forget(self, now: datetime) -> None:
        while self._known:
            first = next(iter(self._known))
            if len(self._known) <= self._most and self._known[first].at > now - _MINUTE:
                return
            del self._known[first]


Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded_for: str, *, proxies: Sequence[Network]) -> str:
    """Who asks: the address that connected; behind a proxy that is trusted, the one which that proxy names.

    ``forwarded_for`` is X-Forwarded-For, in which everybody may write what they like: only what trusted proxies added
    at its end counts. An IPv6 client has a whole /64 to choose from and is known by it.
    """
    hops = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    address = peer
    while hops and _is_in(address, proxies):
        address = hops.pop()
    return _known_by(address)


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def _known_by(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return str(found)
