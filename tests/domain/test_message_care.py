"""What a person does about a message that did not arrive."""

from __future__ import annotations

import pytest

from domain.delivery import MessageState
from domain.message_care import Advice, advise
from domain.messages import Audience

S, A = MessageState, Advice


@pytest.mark.parametrize(
    ("state", "code", "audience", "expected"),
    [
        (S.QUEUED, None, Audience.CUSTOMER, A.WAIT),
        (S.SENDING, None, Audience.CUSTOMER, A.WAIT),
        (S.DELIVERED, None, Audience.CUSTOMER, A.NOTHING),
        (S.MERGED, None, Audience.CUSTOMER, A.NOTHING),
        (S.WITHHELD, "out_of_date", Audience.CUSTOMER, A.NOTHING),
        (S.WITHHELD, "declined", Audience.STAFF, A.NOTHING),
        (S.WITHHELD, "no_address", Audience.CUSTOMER, A.ASK_ADDRESS),
        (S.WITHHELD, "opted_out", Audience.CUSTOMER, A.ASK_WISH),
        (S.UNKNOWN, "connection_lost", Audience.CUSTOMER, A.FIND_OUT),
        (S.FAILED, "30003", Audience.CUSTOMER, A.CALL),
        (S.FAILED, None, Audience.CUSTOMER, A.CALL),
        (S.FAILED, "550", Audience.STAFF, A.TELL_COLLEAGUE),
    ],
)
def test_each_fate_has_its_advice(state: MessageState, code: str | None, audience: Audience, expected: Advice) -> None:
    assert advise(state, code, audience) is expected
