"""Commands by the API: one address for each that staff may give, its body described by ``domain.commands``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Body, Response

from clock import utc_now
from db import commands
from db.held import hold
from db.session import transaction
from db.standards import get_standard
from domain.commands import COMMAND_TYPES, Command
from domain.exceptions import InvalidInputError, NotFoundError
from domain.lifecycle import COMMANDS, CommandName
from domain.people import STAFF_ROLES
from web.api import shapes
from web.api.asked import Known, Number, OnceKey, id_of, once_key
from web.api.examples import COMMANDS as EXAMPLES
from web.api.problems import JSON_BODY, documented
from web.api.versions import IfMatch, require_unchanged, set_etag

router = APIRouter(prefix="/tickets/{number}/commands", tags=["commands"])

_DONE = {"headers": {"ETag": {"schema": {"type": "string"}, "description": "The ticket's version now."}}}


def _giving(name: CommandName) -> Callable[..., shapes.Applied]:
    def give(
        caller: Known, number: Number, once: OnceKey, command: Command, response: Response, if_match: IfMatch = None
    ) -> shapes.Applied:
        key = once_key(caller.actor, once)
        with transaction() as connection:
            held = hold(connection, id_of(number))
            # Whoever asks again with the same key has the old version at hand: they get the first answer.
            if commands.find_by_key(connection, key) is None:
                require_unchanged(if_match, held.row)
            try:
                applied = commands.apply_to(
                    held, command, caller.actor, standard=get_standard(), now=utc_now(), idempotency_key=key
                )
            except NotFoundError as error:  # the ticket is there: it is whom the command names
                raise InvalidInputError("assignee_id", str(error).partition(";")[0]) from error
        set_etag(response, held.row)
        return shapes.Applied(number=applied.number, state=applied.state, was_repeated=applied.was_repeated)

    give.__annotations__["command"] = Annotated[COMMAND_TYPES[name], Body(examples=[EXAMPLES[name]])]
    return give


for _name, _traits in COMMANDS.items():
    if _traits.by & STAFF_ROLES:
        router.add_api_route(
            f"/{_name.value}",
            _giving(_name),
            methods=["POST"],
            response_model=shapes.Applied,
            responses={200: _DONE, **documented(404, 409, 412, *JSON_BODY)},
            operation_id=_name.value,
            name=_name.value,
            description=f"{COMMAND_TYPES[_name].__doc__}\n\nFor: {', '.join(sorted(_traits.by & STAFF_ROLES))}. "
            f"While the ticket is: {', '.join(sorted(_traits.sources))}.",
        )
