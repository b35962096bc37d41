"""The rubric: percent, grade, the lot, and how far inspectors agree (S-56)."""

from __future__ import annotations

import pytest

from domain.agreement import Agreement, agreement
from domain.exceptions import StandardError
from domain.quality import Criterion, Grade, Result, draw, result_of
from domain.standard import Standard, load_standard

C = Criterion


@pytest.mark.parametrize(
    ("marks", "percent", "grade"),
    [
        ({}, 100.0, Grade.EXCELLENT),
        ({C.SOLUTION: 3}, 90.0, Grade.EXCELLENT),
        ({C.SOLUTION: 3, C.PATIENCE: 4}, 88.0, Grade.GOOD),
        (dict.fromkeys(C, 4), 80.0, Grade.GOOD),
        (dict.fromkeys(C, 4) | {C.SOLUTION: 3}, 75.0, Grade.GOOD),
        (dict.fromkeys(C, 3), 60.0, Grade.ACCEPTABLE),
        (dict.fromkeys(C, 3) | {C.COURTESY: 2}, 58.0, Grade.NEEDS_IMPROVEMENT),
        (dict.fromkeys(C, 1), 20.0, Grade.NEEDS_IMPROVEMENT),
    ],
)
def test_marks_become_percent_and_grade(
    marks: dict[Criterion, int], percent: float, grade: Grade, standard: Standard
) -> None:
    policy = standard.quality

    found = result_of(dict.fromkeys(C, 5) | marks, weights=policy.weights, borders=policy.grades)

    assert found == Result(percent, grade)


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ({"weights": {"solution": 0.5}}, "quality.weights: the weights sum to 1.25 and not to 1"),
        ({"weights": {"charm": 0.0}}, "quality.weights.charm"),
        ({"grades": {"good": 0.95}}, "quality.grades: a better grade needs a higher share"),
        ({"grades": {"needs_improvement": 0.1}}, "and no other grade"),
    ],
)
def test_a_rubric_that_does_not_add_up_is_refused(own: dict[str, object], problem: str) -> None:
    with pytest.raises(StandardError, match=problem):
        load_standard(under={"quality": own})


def test_the_lot_falls_on_everybody_and_falls_the_same_again() -> None:
    population = {7: range(100, 200), 3: [5, 4], 9: [1]}

    drawn = draw(population, seed=11, per_person=2, scored_twice=0.3)

    assert sorted(one.assessed_id for one in drawn) == [3, 3, 7, 7, 9]
    assert all(one.ticket_id in population[one.assessed_id] for one in drawn)
    assert [one.needs_two for one in drawn] == [True, True, False, False, False]
    assert draw({9: [1], 3: [4, 5], 7: list(range(100, 200))}, seed=11, per_person=2, scored_twice=0.3) == drawn
    assert draw(population, seed=12, per_person=2, scored_twice=0.3) != drawn


def test_agreement_is_stated_only_where_there_is_enough_to_state_it() -> None:
    good, poor = Result(80.0, Grade.GOOD), Result(50.0, Grade.NEEDS_IMPROVEMENT)

    assert agreement([(good, good)] * 9, least=10) == Agreement(9)
    assert agreement([(good, good)] * 10, least=10) == Agreement(10, difference=0.0)
    assert agreement([(good, good), (poor, poor)] * 5, least=10).kappa == 1.0
    by_chance = agreement([(good, good), (good, poor), (poor, good), (poor, poor)] * 5, least=10)
    assert (by_chance.kappa, by_chance.difference) == (0.0, 15.0)
    assert (by_chance.low or 1) < 0 < (by_chance.high or -1)
