"""Delivers the vendors' callbacks as life does: late, twice, out of order, or never."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.vendors.place import Place

CONNECTIONS = 16
KEPT = 10_000


@dataclass(frozen=True)
class Callback:
    """One signed post; ``url`` is the address that was signed, ``tries`` how often it is posted until it is taken."""

    vendor: str
    url: str
    headers: dict[str, str]
    body: str
    tries: int


class Postman:
    """Posts callbacks to ``deliver_to``, or keeps them when there is none."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._errands: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.kept: deque[Callback] = deque(maxlen=KEPT)
        self.counts: Counter[str] = Counter()

    @property
    def under_way(self) -> int:
        """How many callbacks are still to be delivered."""
        return len(self._errands)

    def post(self, callback: Callback) -> None:
        """Send one out, by chance twice, by chance never."""
        knobs, chance = self._place.knobs, self._place.random
        if chance.random() < knobs.lost:
            self.counts["lost"] += 1
            return
        if knobs.deliver_to is None:
            self.kept.append(callback)
            return
        for _ in range(2 if chance.random() < knobs.twice else 1):
            errand = asyncio.get_running_loop().create_task(self._deliver(callback, chance.random() * knobs.late_ms))
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)

    def state(self) -> list[dict[str, Any]]:
        """What was kept."""
        return [asdict(callback) for callback in self.kept]

    def clear(self) -> None:
        """Forget what was kept and what is under way."""
        for errand in list(self._errands):
            errand.cancel()
        self.kept.clear()
        self.counts.clear()

    async def close(self) -> None:
        """Drop what is under way."""
        self.clear()
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, callback: Callback, late_ms: float) -> None:
        await asyncio.sleep(late_ms / 1000)
        address = urlsplit(callback.url)
        for number in range(1, callback.tries + 1):
            base = self._place.knobs.deliver_to or ""
            target = base.rstrip("/") + address.path + (f"?{address.query}" if address.query else "")
            if await self._is_taken(target, callback):
                self.counts["delivered"] += 1
                return
            self.counts["refused"] += 1
            await asyncio.sleep(self._place.knobs.retry_ms * number / 1000)
        self.counts["given_up"] += 1

    async def _is_taken(self, target: str, callback: Callback) -> bool:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS), timeout=aiohttp.ClientTimeout(total=15)
            )
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self._session.post(target, data=callback.body.encode(), headers=callback.headers) as answer:
                self.counts[f"status_{answer.status}"] += 1
                return answer.status < 300
        self.counts["unreachable"] += 1
        return False
