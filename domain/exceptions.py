"""The rules' own errors: a rule was broken, the text says what to mend; never retried."""

from __future__ import annotations


class DomainError(Exception):
    """A rule of the service standard forbids this; shown to the person who tried."""


class IllegalTransitionError(DomainError):
    """The command is not possible in the ticket's present state."""


class ErasedError(IllegalTransitionError):
    """The personal data of the ticket or customer were erased: nothing more is done with them (S-71)."""


class NotPermittedError(DomainError):
    """The actor's role may not give this command (S-72)."""


class InvalidInputError(DomainError):
    """A value that a person gave cannot be used."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class NotFoundError(DomainError):
    """No such ticket, customer, member of staff, survey or callback."""


class IdempotencyKeyReusedError(DomainError):
    """The idempotency key was used before for a different request."""


class ChangedMeanwhileError(DomainError):
    """Somebody else has changed the ticket since it was read."""


class NobodyEligibleError(DomainError):
    """No active member of staff may take this ticket (S-12)."""


class StandardError(DomainError):
    """The service standard file has a missing or absurd figure."""


class CalendarNeverOpensError(DomainError):
    """The service calendar has no opening hours within ten years."""


class HistoryMapError(DomainError):
    """The map of a foreign event log does not fit the log."""
