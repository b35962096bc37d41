"""The commands and what each must be told; a command that can be built is complete."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from domain.exceptions import InvalidInputError
from domain.field_work import Conduct, Part, Verified
from domain.lifecycle import CommandName
from domain.people import Department
from domain.texts import NO_NUL, ShortText, Text
from domain.tickets import Category, Impact

# As large as any program can say exactly in JSON; nobody has the id 0.
LARGEST_ID = 2**53 - 1
Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]


class PlanKind(StrEnum):
    """What a plan does (S-21)."""

    REPAIR = "repair"
    EXCHANGE = "exchange"
    REFUND = "refund"
    REMOTE_GUIDANCE = "remote_guidance"
    SOFTWARE_UPDATE = "software_update"
    COMPENSATION = "compensation"


class PlanOption(BaseModel):
    """One of several ways the customer may choose (S-21)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: ShortText
    pros: Annotated[str, StringConstraints(max_length=500, pattern=NO_NUL)] = ""
    cons: Annotated[str, StringConstraints(max_length=500, pattern=NO_NUL)] = ""


FARTHEST = timedelta(days=366)


def require_soon(field: str, moment: datetime, *, now: datetime) -> None:
    """Raise InvalidInputError unless a promised moment lies ahead, and within a year."""
    if moment <= now:
        raise InvalidInputError(field, "lies in the past; say when it will be")
    if moment > now + FARTHEST:
        raise InvalidInputError(field, f"lies more than {FARTHEST.days} days ahead; nobody is promised that")


class Command(BaseModel):
    """What every command is: a name and what it must be told. Building one raises pydantic's ValidationError."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[CommandName]

    def payload(self) -> dict[str, Any]:
        """What was asked, as JSON values, for the event log."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Acknowledge(Command):
    """Tell the customer the number, what was understood, and what happens next by when (S-05)."""

    name = CommandName.ACKNOWLEDGE


class Assign(Command):
    """Give the ticket to a member of staff (S-12)."""

    name = CommandName.ASSIGN
    assignee_id: Id = Field(description="who takes it; on the command line assignee=address")
    reason: ShortText = Field(description="why this person; the assignee reads it")


class EscalateTier(Command):
    """Move the ticket one tier up, to a member of staff there (S-13)."""

    name = CommandName.ESCALATE_TIER
    assignee_id: Id = Field(description="who takes it; on the command line assignee=address")
    reason: ShortText = Field(description="why this person; the assignee reads it")


class FirstContact(Command):
    """The assignee has contacted the customer and confirmed the problem; stops the response clock (S-14)."""

    name = CommandName.FIRST_CONTACT
    summary: Text = Field(description="what the customer confirmed; they are told")
    verified: list[Verified] = Field(default=[], max_length=3, description="which data were verified (S-20)")


class ChangeCategory(Command):
    """Correct the suggested category (S-04)."""

    name = CommandName.CHANGE_CATEGORY
    category: Category = Field(description="the right one of the four")
    reason: ShortText = Field(description="why it is another")


class ChangePriority(Command):
    """Set impact and safety anew; the priority follows, both deadlines are recomputed from opening (S-11)."""

    name = CommandName.CHANGE_PRIORITY
    impact: Impact = Field(description="how much use is lost; the priority follows from it")
    is_safety_risk: bool = Field(default=False, description="somebody may be hurt: always P1")
    reason: ShortText = Field(description="why it is more or less urgent")


class AskCustomer(Command):
    """Ask the customer something; the resolution clock pauses."""

    name = CommandName.ASK_CUSTOMER
    question: Text = Field(description="what the customer is asked; the clock pauses")


class RecordReply(Command):
    """The customer has answered; the clock goes on."""

    name = CommandName.RECORD_REPLY
    reply: Text = Field(description="what the customer answered")


class ProposePlan(Command):
    """Propose a plan, or a new revision of it, to the customer (S-21 to S-23)."""

    name = CommandName.PROPOSE_PLAN
    kind: PlanKind = Field(description="what the plan does")
    steps: list[ShortText] = Field(min_length=1, max_length=20, description="what is done, in order")
    deadline_at: AwareDatetime = Field(description="by when it is done, with a zone: 2026-11-27T18:00+08:00")
    appointment_at: AwareDatetime | None = Field(default=None, description="when somebody comes, with a zone")
    options: list[PlanOption] = Field(default=[], max_length=5, description="ways to choose from: title, pros, cons")
    owner_id: Id | None = Field(default=None, description="who answers for it; none: whoever proposes it")

    @model_validator(mode="after")
    def _appointment_before_deadline(self) -> Self:
        if self.appointment_at is not None and self.appointment_at > self.deadline_at:
            raise ValueError("the appointment is after the plan's deadline")
        return self


class AgreePlan(Command):
    """The customer agrees (S-22). ``option`` counts from 1; ``agreed_by_phone_with`` when staff record it."""

    name = CommandName.AGREE_PLAN
    option: int | None = Field(default=None, ge=1, description="the chosen way, counted from 1")
    agreed_by_phone_with: ShortText | None = Field(default=None, description="with whom staff agreed by phone (S-22)")
    agreed_at: AwareDatetime | None = Field(default=None, description="when that was, with a zone; none: now")


class ObjectToPlan(Command):
    """The customer objects, with a reason; a new revision follows (S-23)."""

    name = CommandName.OBJECT_TO_PLAN
    reason: Text = Field(description="what is wrong with the plan")
    proposed_at: AwareDatetime | None = Field(default=None, description="when it would suit the customer, with a zone")


class LogStep(Command):
    """Log a key step at once; unless internal the customer is told (S-30, S-31)."""

    name = CommandName.LOG_STEP
    step: Text = Field(description="what was done; the customer reads it")
    is_internal: bool = Field(default=False, description="the customer is not told")
    visit: list[Conduct] | None = Field(
        default=None, max_length=3, description="it was a visit: what of the conduct checklist was kept (S-30)"
    )
    parts: list[Part] = Field(default=[], max_length=10, description="parts used, awaited or arrived (S-34)")


class ReportDelay(Command):
    """The promise is in danger: reason, new time, and what is done meanwhile (S-32)."""

    name = CommandName.REPORT_DELAY
    reason: Text = Field(description="why it takes longer; the customer reads it")
    expected_at: AwareDatetime = Field(description="the new time, with a zone")
    contingency: Text = Field(description="what is done meanwhile, such as a loaner device")


class RequestSupport(Command):
    """Ask another department for help with the ticket, whatever its priority (S-12)."""

    name = CommandName.REQUEST_SUPPORT
    department: Literal[Department.TECHNICAL_SUPPORT, Department.PARTS_SUPPLY] = Field(description="who is asked")
    request: Text = Field(description="what is needed; the department reads it")


class AddNote(Command):
    """A note for colleagues, or what the customer said."""

    name = CommandName.ADD_NOTE
    note: Text = Field(description="for colleagues")


class ReportAgain(Command):
    """The same fault was reported again and joins this ticket (S-07)."""

    name = CommandName.REPORT_AGAIN
    description: Text = Field(description="what was said this time")


class Complete(Command):
    """The work is done and tested (S-35).

    From diagnosis only as ``guidance_only``: answered in conversation, nothing executed that needs consent (S-22).
    """

    name = CommandName.COMPLETE
    summary: Text = Field(description="what was done; the customer reads it")
    tested: bool = Field(default=False, description="the result was tested (S-35)")
    guidance_only: bool = Field(default=False, description="answered in conversation, nothing was executed")
    usage_advice: Annotated[str, StringConstraints(max_length=1000, pattern=NO_NUL)] = Field(
        default="", description="what the customer should do or avoid"
    )

    @model_validator(mode="after")
    def _tested_or_guidance(self) -> Self:
        if not self.tested and not self.guidance_only:
            raise ValueError("the result must be tested before it is called done (S-35): set tested")
        return self


class ReportNotFixed(Command):
    """The customer says that it does not work; back to work (S-40)."""

    name = CommandName.REPORT_NOT_FIXED
    reason: Text = Field(description="what is still wrong")


class ConfirmCompletion(Command):
    """The customer confirms that it works and signs (S-40)."""

    name = CommandName.CONFIRM_COMPLETION
    signed_by: ShortText = Field(description="who signs that it works")


class Close(Command):
    """No answer to the sign-off within the time of the standard."""

    name = CommandName.CLOSE


class Reopen(Command):
    """A closed ticket's problem is back."""

    name = CommandName.REOPEN
    reason: Text = Field(description="what is back")


class Cancel(Command):
    """The ticket is not needed any more."""

    name = CommandName.CANCEL
    reason: Text = Field(description="why it is not needed any more")


COMMAND_TYPES: dict[CommandName, type[Command]] = {c.name: c for c in Command.__subclasses__()}


def build_command(name: CommandName, values: dict[str, Any]) -> Command:
    """The command of that name. Raises InvalidInputError with the path of the first value that is wrong."""
    try:
        return COMMAND_TYPES[name].model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(step) for step in fault["loc"]) or name.value
        raise InvalidInputError(field, describe_fault(dict(fault))) from error


def describe_fault(fault: dict[str, Any]) -> str:
    """One of pydantic's faults as a sentence that says what to mend."""
    if fault["type"] == "missing":
        return "is missing"
    if fault["type"] == "extra_forbidden":
        return "this command takes no such value"
    return str(fault["msg"]).removeprefix("Value error, ")
