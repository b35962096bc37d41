"""Hands a webhook over: only to an address that may be reached, for no longer than allowed, and to no redirect."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import httpcore
import httpx

from domain.rate_limit import Network
from domain.webhooks import Answer, Verdict, may_be_reached, read_status


class _AddressRefusedError(Exception):
    """The receiver's name leads to an address to which nothing is sent."""


def hand_over(
    url: str, headers: Mapping[str, str], body: bytes, *, inside: Sequence[Network], seconds: float, now: datetime
) -> Answer:
    """Post it and say what came of it; unless it was taken, nobody knows whether the receiver has got it.

    The name is looked up here, and the connection goes to the very address that was looked at. ``inside``: networks
    that are not public and may be reached all the same. ``seconds``: for all of it, however the receiver drags it out.
    """
    guard = _Guard(inside, time.monotonic() + seconds)
    limits = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    sent: list[tuple[bytes | str, bytes | str]] = list(headers.items())
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_certificates(), max_connections=1, network_backend=guard) as pool,
            pool.stream("POST", url, headers=sent, content=body, extensions={"timeout": limits}) as response,
        ):
            said = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            return read_status(response.status, said.get(b"retry-after"), now=now)
    except _AddressRefusedError:
        return Answer(Verdict.OUT_OF_REACH, "address_not_allowed")
    except httpcore.TimeoutException:
        return Answer(Verdict.OUT_OF_REACH, "timeout")
    except httpcore.NetworkError:
        return Answer(Verdict.OUT_OF_REACH, "unreachable")
    except httpcore.ProtocolError:
        return Answer(Verdict.OUT_OF_REACH, "no_http")


@cache
def _certificates() -> ssl.SSLContext:
    """Who vouches for receivers; their certificate must be for the name in the address, not for its number."""
    return httpx.create_ssl_context()


@dataclass(frozen=True)
class _Guard(httpcore.NetworkBackend):
    """Opens connections to addresses that may be reached, until ``ends`` (on ``time.monotonic``)."""

    inside: Sequence[Network]
    ends: float

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  the end is one for all
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(type(error).__name__) from error
        addresses = [str(place[0]) for *_, place in found]
        # A name that leads inside and outside is up to no good.
        if not all(may_be_reached(address, self.inside) for address in addresses):
            raise _AddressRefusedError
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.NetworkError):
                return self._connect(address, port, local_address, socket_options)
        return self._connect(addresses[-1], port, local_address, socket_options)

    def _connect(
        self, address: str, port: int, local_address: str | None, socket_options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        left = _left(self.ends, httpcore.ConnectTimeout)
        stream = httpcore.SyncBackend().connect_tcp(address, port, left, local_address, socket_options)
        return _Stream(stream, self.ends)


@dataclass(frozen=True)
class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends when its time is over: a limit for each read alone, a drip would outlast."""

    inner: httpcore.NetworkStream
    ends: float

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self.inner.read(max_bytes, _left(self.ends, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self.inner.write(buffer, _left(self.ends, httpcore.WriteTimeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        left = _left(self.ends, httpcore.ConnectTimeout)
        return _Stream(self.inner.start_tls(ssl_context, server_hostname, left), self.ends)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


def _left(ends: float, otherwise: type[Exception]) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise otherwise("the time is over")
    return left
