"""Every figure that managers read, defined once: unit, formula, population, and what happens in odd cases (S-61).

``db/reports/`` counts by these definitions, ``domain/digest.py`` forms the shares, ``docs/metrics.md`` is this table
for readers, and ``[metric]`` of the labels says each formula in one sentence where the figure is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Metric:
    """``population``: what is counted at all. ``edges``: the cases that two people would count differently."""

    rule: str
    unit: str
    formula: str
    population: str
    edges: str = ""


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "opened": Metric(
            "S-61",
            "tickets",
            "tickets opened in the span",
            "all tickets, by the channel, category, priority and region that they have now",
            "A report that joins an open ticket (S-07) opens none. A reopened ticket was opened once. A cancelled one, "
            "and one whose customer was erased, stays counted. A ticket without a region is counted under no region.",
        ),
        "completed": Metric(
            "S-61",
            "times",
            "how often work was called complete in the span",
            "commands `complete`",
            "Work that was not fixed and is completed again counts again.",
        ),
        "closed": Metric(
            "S-61",
            "times",
            "how often a ticket was signed off, or closed without an answer, in the span",
            "commands `confirm_completion` and `close`",
            "A ticket that is reopened and closed again counts again.",
        ),
        "cancelled": Metric(
            "S-61", "times", "how often a ticket was cancelled in the span", "commands `cancel`", "It is never undone."
        ),
        "open_at_end": Metric(
            "S-61",
            "tickets",
            "tickets opened before the end of the span and not over by then",
            "all tickets; closed and cancelled ones are over",
            "A ticket that was reopened later counts as open from its opening on. In a span that still runs: open now.",
        ),
        "response_share": Metric(
            "S-10, S-14",
            "share",
            "promises kept ÷ promises kept or broken",
            "response clocks decided in the span: broken when the promised time ran out, kept when the customer was "
            "contacted before",
            "A promise still running is not counted yet. A reopened ticket makes a new promise, which counts itself. "
            "A ticket cancelled before its time ran out counts not at all, a broken promise stays broken even then.",
        ),
        "resolution_share": Metric(
            "S-10",
            "share",
            "promises kept ÷ promises kept or broken",
            "resolution clocks decided in the span: broken when the promised time ran out, kept when the work was "
            "complete before; time in the customer's hands does not count",
            "As for the response. Not fixed: the same clock goes on, so a kept promise is taken back and decided anew "
            "when the work is complete again.",
        ),
        "by_team": Metric(
            "S-57, S-61",
            "share",
            "as the response and resolution shares",
            "promises of the team of whoever had the ticket at the moment when the promise was decided",
            "A ticket that climbs because a promise broke burdens the team that had it before. Nobody had it: no team. "
            "Staff count for the team in which they are now; those who left, and teams without staff, stay in history.",
        ),
        "breach_causes": Metric(
            "S-61",
            "promises",
            "broken promises by the first cause that holds, in the order of `domain/breaches.py`",
            "response and resolution promises broken in the span; what happened on the ticket between the start of the "
            "promise and its breach",
            "Each has one cause. That a part was awaited is not known any more once the customer was erased.",
        ),
        "asked": Metric(
            "S-41",
            "surveys",
            "surveys that went out in the span",
            "forms sent and calls asked for",
            "A reminder is no second survey. A survey cancelled later was sent. Who is asked again about an "
            "improvement is not counted: they were chosen for being unhappy (S-55).",
        ),
        "answered": Metric(
            "S-41",
            "answers",
            "answers that arrived in the span",
            "one per survey: online, by phone, by SMS, imported",
            "The answer may belong to a survey of an earlier span. No answer is no score. Who is asked again about an "
            "improvement is not counted: they were chosen for being unhappy (S-55).",
        ),
        "means": Metric(
            "S-41",
            "score 1–5",
            "sum of the scores ÷ number of the scores given, for each dimension",
            "answers that arrived in the span",
            "A reply by SMS gives the overall score only and counts in no other mean.",
        ),
        "low_share": Metric(
            "S-42, S-52",
            "share",
            "overall scores of 3 or less ÷ overall scores",
            "answers that arrived in the span",
            "The limit is `callback.low_score` of the standard.",
        ),
        "stages": Metric(
            "S-50, S-52",
            "score 1–5, share",
            "mean and share of low scores, for each stage",
            "scores given to the stage in the span; how many these are stands beside them",
            "A stage that did not concern the customer has no score.",
        ),
        "callbacks_due": Metric(
            "S-42, S-43",
            "calls",
            "calls whose time was over in the span",
            "calls after low scores and surveys by phone",
            "Follow-up visits and cancelled calls do not count.",
        ),
        "callbacks_in_time_share": Metric(
            "S-42, S-43",
            "share",
            "calls done by then ÷ calls due",
            "calls whose time was over in the span",
            "A call never done is not in time. In a span that still runs, a call due later today is not in time yet.",
        ),
        "answered_benchmark": Metric(
            "S-61",
            "share",
            "tickets whose customer was contacted within 24 hours ÷ tickets",
            "tickets whose 24 hours ended in the span, and that were not cancelled",
            "Day and night count. Each ticket counts in one span only, and none whose time still runs.",
        ),
        "informed_benchmark": Metric(
            "S-61",
            "share",
            "tickets completed within 3 working days ÷ tickets",
            "tickets whose 3 working days ended in the span, and that were not cancelled",
            "A working day is 9 hours of the first calendar that closes, with its holidays and make-up days. Reopened "
            "later: the first completion counts; not fixed: the last before the ticket was closed.",
        ),
    }
)
