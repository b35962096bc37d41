"""What stands before the replicas, as Caddy does in ``deployments/compose.yaml``: ``front 4200:4201,4202 …``.

A connection goes to the next replica in turn, to another one when it does not answer; one that breaks stays broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from itertools import cycle


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while said := await source.read(65536):
            target.write(said)
            await target.drain()
    except OSError:
        pass
    finally:
        with contextlib.suppress(OSError):
            target.close()


async def _stand_before(port: int, replicas: list[int]) -> None:
    turns = cycle(range(len(replicas)))

    async def lead_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(turns)
        for replica in replicas[first:] + replicas[:first]:
            try:
                inside, out = await asyncio.open_connection("127.0.0.1", replica)
            except OSError:
                continue
            await asyncio.gather(_copy(reader, out), _copy(inside, writer))
            return
        writer.close()

    server = await asyncio.start_server(lead_on, "127.0.0.1", port)
    await server.serve_forever()


async def _main(places: list[str]) -> None:
    pairs = (place.split(":") for place in places)
    await asyncio.gather(*(_stand_before(int(port), [int(r) for r in inside.split(",")]) for port, inside in pairs))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
