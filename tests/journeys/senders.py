"""This file is one sender process of the delivery test: it runs ``message_delivery`` round and round until shot."""

from __future__ import annotations

import sys

from clock import utc_now


def main(rounds: int) -> None:
    """Run the flow for the present moment."""
    from flows.message_delivery import message_delivery

    print("ready", flush=True)
    for _ in range(rounds):
        message_delivery(now=utc_now(), return_state=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
