"""The appraisal's rules: intervals, ranks that need volume, reasons that are more than chance (S-57)."""

from __future__ import annotations

from typing import Any

from domain.appraisal import Figure, Measure, appraise, lists_of
from domain.standard import Standard

M = Measure


def row(measure: Measure, person: int | None, count: int, mean: float, **more: Any) -> dict[str, Any]:
    """A row of a person of team 1, or of the house."""
    of_team = {"name": f"P{person}", "team_id": 1, "team": "East"} if person else {}
    nobody = {"staff_id": person, "name": None, "team_id": None, "team": None}
    return (
        nobody | of_team | {"measure": measure, "count": count, "mean": mean, "deviation": None, "hours": None} | more
    )


def test_figures_say_how_sure_they_are(standard: Standard) -> None:
    hours = [float(hour) for hour in range(1, 12)]
    rows = [
        row(M.FIRST_TIME, None, 20, 0.9),
        row(M.SATISFACTION, None, 4, 4.0, deviation=0.8165),
        row(M.QUALITY, None, 1, 0.8),
        row(M.HOURS, None, 11, 6.0, hours=hours),
        row(M.HOURS, 7, 2, 2.0, hours=[1.0, 3.0]),
    ]

    found = appraise(rows, standard.appraisal)

    assert found.house == {
        M.FIRST_TIME: Figure(20, 0.9, 0.699, 0.9721),  # Wilson 1927
        M.SATISFACTION: Figure(4, 4.0, 2.7008, 5.0),  # Student's t, and nobody gives more than 5
        M.QUALITY: Figure(1, 0.8, None, None),
        M.HOURS: Figure(11, 6.0, 2.0, 10.0),  # the second from each end
    }
    assert found.people[0].figures[M.HOURS] == Figure(2, 2.0, None, None)


def test_nobody_is_ranked_or_blamed_on_three_tickets(standard: Standard) -> None:
    rows = [
        row(M.FIRST_TIME, None, 143, 0.79),
        row(M.FIRST_TIME, 1, 60, 0.98),
        row(M.FIRST_TIME, 2, 40, 0.8),
        row(M.FIRST_TIME, 3, 40, 0.5),
        row(M.FIRST_TIME, 4, 3, 0.0),
        row(M.RESPONSE, None, 8, 0.5),
        row(M.RESPONSE, 4, 8, 1.0),
    ]

    found = appraise(rows, standard.appraisal)

    assert [(one.staff_id, one.rank) for one in found.people] == [(1, 1), (2, 2), (3, 3), (4, None)]
    assert [one.staff_id for one in found.praised] == [1, 4]
    assert [one.staff_id for one in found.coached] == [3]
    assert lists_of(found)["coaching"] == [
        {
            "name": "P3",
            "team": "East",
            "tickets": 40,
            "reasons": [{"measure": "first_time", "value": 0.5, "house": 0.79, "count": 40}],
        }
    ]
    assert found.of_team(2).people == []
    assert appraise([], standard.appraisal).praised == []


def test_few_cases_are_drawn_towards_the_house(standard: Standard) -> None:
    rows = [row(M.FIRST_TIME, None, 100, 0.8), row(M.FIRST_TIME, 1, 8, 1.0), row(M.FIRST_TIME, 2, 80, 0.95)]

    people = appraise(rows, standard.appraisal).people

    assert [(one.staff_id, one.index) for one in people] == [(2, 0.9333), (1, 0.8889)]
