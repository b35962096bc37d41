"""How untidy history is repaired: the shortest way of ordinary commands that makes the recorded one possible."""

from __future__ import annotations

from collections import deque

from domain.exceptions import IllegalTransitionError
from domain.lifecycle import COMMANDS, CommandName, TicketState, next_state

# What a log may have left out: somebody contacted the customer, the customer answered, the work was done.
BRIDGES = (
    CommandName.ACKNOWLEDGE,
    CommandName.ASSIGN,
    CommandName.FIRST_CONTACT,
    CommandName.RECORD_REPLY,
    CommandName.COMPLETE,
    CommandName.REPORT_NOT_FIXED,
    CommandName.REOPEN,
)


def bridge(state: TicketState, command: CommandName) -> tuple[CommandName, ...]:
    """The shortest sequence of commands after which ``command`` is possible; empty when it is possible now.

    Raises IllegalTransitionError when there is none.
    """
    seen = {state}
    queue: deque[tuple[TicketState, tuple[CommandName, ...]]] = deque([(state, ())])
    while queue:
        at, path = queue.popleft()
        if at in COMMANDS[command].sources:
            return path
        for step in BRIDGES:
            if at not in COMMANDS[step].sources:
                continue
            following = next_state(at, step)
            if following not in seen:
                seen.add(following)
                queue.append((following, (*path, step)))
    raise IllegalTransitionError(
        f"nothing leads from '{state.value}' to a state in which '{command.value}' is possible"
    )
