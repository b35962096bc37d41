"""What operations may decide from the control room: about a ticket, and about a message; each with a reason (S-70)."""

from __future__ import annotations

from enum import StrEnum

# The kind of the event that keeps a decision and its reason in the ticket's history.
INTERVENTION = "intervention"


class TicketStep(StrEnum):
    """What may be done with one ticket by hand."""

    FOLLOW_UP = "follow_up"  # at once what waits for a later try: acknowledge, assign, climb
    ASSIGN = "assign"  # to somebody named, else to whom the rules choose (S-12)
    CLIMB_TIER = "climb_tier"  # to somebody of the next tier (S-13)
    CLOSE = "close"  # completed, and its customer need not be waited for
    REPAIR = "repair"  # check its history, reckon its deadlines and alarms anew


class MessageStep(StrEnum):
    """What may be done with one message by hand."""

    RESEND = "resend"  # it is over and did not arrive; that it may come twice is accepted
    CANCEL = "cancel"  # it waits, and is not to leave any more
