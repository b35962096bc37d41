"""What is to be done next with a ticket: the step at hand, its commands, and what is said to the customer (S-06)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from domain.lifecycle import CommandName, TicketState
from domain.satisfaction import CallbackKind


class NextStep(StrEnum):
    """The step at hand."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    CONTACT = "contact"
    PLAN = "plan"
    PLAN_AGAIN = "plan_again"
    AWAIT_CONSENT = "await_consent"
    AWAIT_REPLY = "await_reply"
    WORK = "work"
    TELL_DELAY = "tell_delay"
    AWAIT_SIGN_OFF = "await_sign_off"
    OVER = "over"


class Script(StrEnum):
    """One file of words in ``templates/<language>/scripts/`` (S-06)."""

    GREETING = "greeting"
    ASKING = "asking"
    CALMING = "calming"
    RESTATING = "restating"
    PROPOSING = "proposing"
    OBJECTION = "objection"
    DELAY = "delay"
    REMINDING = "reminding"
    CONFIRMING = "confirming"
    LOW_SCORE = "low_score"
    SURVEYING = "surveying"
    VISITING = "visiting"
    FAREWELL = "farewell"


# What the words of a script may use; moments are datetimes.
SCRIPT_CONTEXT = frozenset(
    {
        "comment",
        "customer_name",
        "delay",
        "description",
        "is_safety_risk",
        "objection",
        "order_number",
        "organisation",
        "overall",
        "plan",
        "product_model",
        "promised_at",
        "question",
        "serial_number",
        "staff_name",
        "state",
        "subject",
        "summary",
        "ticket_number",
        "understood",
        "usage_advice",
        "wish",
    }
)

S = TicketState
C = CommandName
N = NextStep

_BY_STATE: Mapping[TicketState, NextStep] = MappingProxyType(
    {
        S.NEW: N.ACKNOWLEDGE,
        S.ACKNOWLEDGED: N.ASSIGN,
        S.ASSIGNED: N.CONTACT,
        S.DIAGNOSING: N.PLAN,
        S.PLAN_PROPOSED: N.AWAIT_CONSENT,
        S.IN_WORK: N.WORK,
        S.WAITING_CUSTOMER: N.AWAIT_REPLY,
        S.COMPLETED: N.AWAIT_SIGN_OFF,
        S.CLOSED: N.OVER,
        S.CANCELLED: N.OVER,
    }
)

# The commands that carry a step out, the usual one first.
COMMANDS_OF: Mapping[NextStep, tuple[CommandName, ...]] = MappingProxyType(
    {
        N.ACKNOWLEDGE: (C.ACKNOWLEDGE,),
        N.ASSIGN: (C.ASSIGN,),
        N.CONTACT: (C.FIRST_CONTACT,),
        N.PLAN: (C.PROPOSE_PLAN, C.ASK_CUSTOMER),
        N.PLAN_AGAIN: (C.PROPOSE_PLAN, C.ASK_CUSTOMER),
        N.AWAIT_CONSENT: (C.AGREE_PLAN, C.OBJECT_TO_PLAN),
        N.AWAIT_REPLY: (C.RECORD_REPLY,),
        N.WORK: (C.LOG_STEP, C.COMPLETE),
        N.TELL_DELAY: (C.REPORT_DELAY, C.LOG_STEP, C.COMPLETE),
        N.AWAIT_SIGN_OFF: (C.CONFIRM_COMPLETION, C.REPORT_NOT_FIXED),
        N.OVER: (),
    }
)

_BETWEEN: Mapping[NextStep, tuple[Script, ...]] = MappingProxyType(
    {
        N.ACKNOWLEDGE: (Script.ASKING, Script.CALMING),
        N.ASSIGN: (Script.ASKING, Script.CALMING),
        N.CONTACT: (Script.CALMING, Script.ASKING, Script.RESTATING),
        N.PLAN: (Script.RESTATING, Script.PROPOSING),
        N.PLAN_AGAIN: (Script.OBJECTION, Script.PROPOSING),
        N.AWAIT_CONSENT: (Script.PROPOSING, Script.OBJECTION),
        N.AWAIT_REPLY: (Script.REMINDING,),
        N.WORK: (Script.RESTATING, Script.DELAY),
        N.TELL_DELAY: (Script.DELAY, Script.CALMING),
        N.AWAIT_SIGN_OFF: (Script.CONFIRMING,),
        N.OVER: (Script.ASKING,),
    }
)
_OF_CALL: Mapping[CallbackKind, Script] = MappingProxyType(
    {
        CallbackKind.LOW_SCORE: Script.LOW_SCORE,
        CallbackKind.PHONE_SURVEY: Script.SURVEYING,
        CallbackKind.FOLLOW_UP_VISIT: Script.VISITING,
    }
)


def next_step(state: TicketState, *, was_objected: bool, is_agreed: bool, is_endangered: bool) -> NextStep:
    """The step at hand.

    ``is_agreed``: the customer agreed to the latest plan; without one nothing is executed (S-22), also when work came
    back as not fixed after guidance only.
    ``was_objected``: the customer objected to the latest plan (S-23). ``is_endangered``: a part is late or the promise
    is past, and the customer has not been told (S-32).
    """
    if state is S.DIAGNOSING and was_objected:
        return N.PLAN_AGAIN
    if state is S.IN_WORK and is_endangered:
        return N.TELL_DELAY
    if state is S.IN_WORK and not is_agreed:
        return N.PLAN
    return _BY_STATE[state]


def scripts_of(step: NextStep) -> tuple[Script, ...]:
    """What is said at a step, in order."""
    return (Script.GREETING, *_BETWEEN[step], Script.FAREWELL)


def scripts_of_call(kind: CallbackKind) -> tuple[Script, ...]:
    """What is said when a customer is called back, in order (S-42, S-43)."""
    return (Script.GREETING, _OF_CALL[kind], Script.FAREWELL)
