"""This file checks who takes a ticket: grade, tier, duty, region, skill and load, in that order."""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assignment import (
    STARTING_TIER,
    SUPPORT_BY_PRIORITY,
    Candidate,
    Grounds,
    Need,
    choose_assignee,
    choose_lead,
    is_eligible,
    next_tier,
    read_grounds,
    write_grounds,
)
from domain.business_hours import BusinessCalendar
from domain.exceptions import NobodyEligibleError
from domain.people import Department, Role, Tier
from domain.tickets import Priority

NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # Tuesday 10:00 in Shanghai
DAY = BusinessCalendar("day", "Asia/Shanghai", (((time(9), time(18)),),) * 7)
LATE = BusinessCalendar("late", "Asia/Shanghai", (((time(14), time(22)),),) * 7)
NIGHT = BusinessCalendar("night", "Asia/Shanghai", (((time(20), time(0)),),) * 7)
ONE, TWO, THREE = Tier


def person(
    id: int,  # noqa: A002
    role: Role = Role.ENGINEER,
    *,
    is_senior: bool = False,
    tier: Tier = ONE,
    region: str | None = "east",
    skills: frozenset[str] = frozenset({"aircon"}),
    calendar: BusinessCalendar = DAY,
    load: int = 0,
) -> Candidate:
    return Candidate(id, f"person {id}", role, is_senior, tier, region, skills, calendar, load)


def need(
    priority: Priority = Priority.P2, tier: Tier = ONE, region: str | None = "east", skill: str | None = "aircon"
) -> Need:
    return Need(priority, tier, region, skill)


def chosen(candidates: list[Candidate], wanted: Need, *, except_for: int | None = None) -> int:
    """The id of the choice, which must not depend on the order of the list."""
    found = {
        choose_assignee(order, wanted, now=NOW, except_for=except_for).candidate.id
        for order in permutations(candidates)
    }
    assert len(found) == 1
    return found.pop()


class TestEligible:
    @pytest.mark.parametrize(
        ("priority", "role", "is_senior", "eligible"),
        [
            (Priority.P1, Role.ENGINEER, True, True),
            (Priority.P1, Role.ENGINEER, False, False),
            (Priority.P1, Role.AGENT, True, False),
            (Priority.P2, Role.ENGINEER, False, True),
            (Priority.P2, Role.ENGINEER, True, True),
            (Priority.P2, Role.AGENT, False, False),
            (Priority.P3, Role.AGENT, False, True),
            (Priority.P3, Role.ENGINEER, False, False),
            (Priority.P3, Role.SUPERVISOR, True, False),
        ],
    )
    def test_the_priority_asks_for_a_grade(
        self, priority: Priority, role: Role, is_senior: bool, eligible: bool
    ) -> None:
        assert is_eligible(person(1, role, is_senior=is_senior), need(priority)) is eligible

    @pytest.mark.parametrize("priority", list(Priority))
    @pytest.mark.parametrize("tier", [TWO, THREE])
    def test_above_the_first_tier_any_engineer_there_is_eligible(self, priority: Priority, tier: Tier) -> None:
        assert is_eligible(person(1, tier=tier), need(priority, tier))
        assert not is_eligible(person(1, Role.AGENT, tier=tier), need(priority, tier))

    @pytest.mark.parametrize(("of", "wanted"), [(ONE, TWO), (TWO, ONE), (THREE, TWO)])
    def test_nobody_of_another_tier_is_eligible(self, of: Tier, wanted: Tier) -> None:
        assert not is_eligible(person(1, is_senior=True, tier=of), need(Priority.P1, wanted))


class TestChoice:
    def test_an_urgent_ticket_goes_to_the_senior_engineer_even_under_load(self) -> None:
        assert chosen([person(1), person(2, is_senior=True, load=20), person(3, Role.AGENT)], need(Priority.P1)) == 2

    def test_an_important_ticket_goes_to_an_engineer(self) -> None:
        assert chosen([person(1, Role.AGENT), person(2, load=20)], need(Priority.P2)) == 2

    def test_a_general_ticket_goes_to_customer_service(self) -> None:
        assert chosen([person(1), person(2, Role.AGENT, load=20)], need(Priority.P3)) == 2

    def test_duty_beats_region(self) -> None:
        assert chosen([person(1, calendar=LATE), person(2, region="west")], need()) == 2

    def test_region_beats_skill(self) -> None:
        assert chosen([person(1, region="west"), person(2, skills=frozenset())], need()) == 2

    def test_skill_beats_load(self) -> None:
        assert chosen([person(1, skills=frozenset({"fridge"})), person(2, load=9)], need()) == 2

    def test_the_least_load_decides_among_equals(self) -> None:
        assert chosen([person(1, load=2), person(2, load=1), person(3, load=3)], need()) == 2

    def test_the_lowest_id_decides_when_nothing_else_does(self) -> None:
        assert chosen([person(3), person(2), person(5)], need()) == 2

    def test_somebody_without_a_region_serves_every_region(self) -> None:
        assert chosen([person(1, region="west"), person(2, region=None, load=5)], need()) == 2

    def test_a_ticket_without_region_and_skill_asks_for_load_only(self) -> None:
        assert (
            chosen([person(1, load=1), person(2, region="west", skills=frozenset())], need(region=None, skill=None))
            == 2
        )

    def test_a_skill_is_found_whatever_its_capitals(self) -> None:
        assert chosen([person(1, skills=frozenset()), person(2)], need(skill="AirCon")) == 2

    def test_the_one_who_had_it_is_left_out(self) -> None:
        assert chosen([person(1), person(2, load=9)], need(), except_for=1) == 2

    def test_supervisors_never_take_tickets(self) -> None:
        assert chosen([person(1, Role.SUPERVISOR), person(2, Role.AGENT)], need(Priority.P1)) == 2


class TestOffDuty:
    def test_when_nobody_is_on_duty_the_one_whose_duty_begins_first_takes_it(self) -> None:
        assert chosen([person(1, calendar=NIGHT), person(2, calendar=LATE, region="west", load=9)], need()) == 2

    def test_region_decides_between_those_whose_duty_begins_together(self) -> None:
        assert chosen([person(1, calendar=LATE, region="west"), person(2, calendar=LATE)], need()) == 2

    def test_somebody_on_duty_is_on_duty_however_lately_it_began(self) -> None:
        since_ten = BusinessCalendar("ten", "Asia/Shanghai", (((time(10), time(18)),),) * 7)

        assert chosen([person(1, load=1), person(2, calendar=since_ten)], need()) == 2

    def test_the_reason_says_that_duty_is_still_to_come(self) -> None:
        choice = choose_assignee([person(1, calendar=LATE)], need(), now=NOW)

        assert choice.reason == "next_on_duty; region=east; skill=aircon; open=0"


class TestGrounds:
    @given(
        st.builds(
            Grounds,
            is_on_duty=st.booleans(),
            load=st.integers(0, 10**6),
            region=st.sampled_from(["", "east", "上海 浦东", "a=b, open=9"]),
            skill=st.sampled_from(["", "KFR-35", "open=3", "air_conditioner"]),
            widened=st.sampled_from(["", "any_grade", "any_tier"]),
        )
    )
    def test_what_was_written_is_read_again(self, grounds: Grounds) -> None:
        assert read_grounds(write_grounds(grounds)) == grounds

    @given(region=st.text(max_size=300), skill=st.text(max_size=300))
    def test_whatever_a_region_or_product_is_called_it_fits_into_a_command(self, region: str, skill: str) -> None:
        written = write_grounds(Grounds(True, 3, region, skill, "any_grade"))
        found = read_grounds(written)

        assert len(written) <= 200
        assert found is not None
        assert (found.load, found.widened) == (3, "any_grade")

    @pytest.mark.parametrize("words", ["", "on duty", "he knows the house; on_duty", "on_duty; open=many", "open=3"])
    def test_the_words_of_a_person_are_no_grounds(self, words: str) -> None:
        assert read_grounds(words) is None


class TestWidening:
    def test_without_a_senior_engineer_anybody_of_the_tier_takes_it(self) -> None:
        choice = choose_assignee([person(1, load=3), person(2, tier=TWO, is_senior=True)], need(Priority.P1), now=NOW)

        assert choice.candidate.id == 1
        assert choice.reason == "any_grade; on_duty; region=east; skill=aircon; open=3"

    def test_with_nobody_on_the_tier_anybody_takes_it(self) -> None:
        choice = choose_assignee([person(1)], need(Priority.P2, THREE), now=NOW)

        assert choice.candidate.id == 1
        assert choice.reason == "any_tier; on_duty; region=east; skill=aircon; open=0"

    def test_somebody_of_the_usual_grade_takes_it_even_off_duty(self) -> None:
        assert chosen([person(1), person(2, is_senior=True, calendar=NIGHT)], need(Priority.P1)) == 2

    def test_the_usual_choice_names_no_widening(self) -> None:
        choice = choose_assignee([person(1, region="west", skills=frozenset())], need(), now=NOW)

        assert choice.reason == "on_duty; open=0"

    def test_nobody_at_all_is_an_error_that_says_what_to_do(self) -> None:
        with pytest.raises(NobodyEligibleError, match="add one before opening tickets"):
            choose_assignee([], need(), now=NOW)

    def test_supervisors_and_managers_alone_are_nobody(self) -> None:
        with pytest.raises(NobodyEligibleError):
            choose_assignee([person(1, Role.SUPERVISOR), person(2, Role.MANAGER)], need(), now=NOW)

    def test_the_only_one_left_out_leaves_nobody(self) -> None:
        with pytest.raises(NobodyEligibleError):
            choose_assignee([person(1)], need(), now=NOW, except_for=1)


class TestTiers:
    def test_every_ticket_begins_in_the_regional_department(self) -> None:
        assert STARTING_TIER is Tier.REGIONAL_DEPARTMENT

    def test_a_ticket_climbs_to_the_centre_then_to_technical_support_and_no_further(self) -> None:
        assert next_tier(Tier.REGIONAL_DEPARTMENT) is Tier.REGIONAL_CENTRE
        assert next_tier(Tier.REGIONAL_CENTRE) is Tier.TECHNICAL_SUPPORT
        assert next_tier(Tier.TECHNICAL_SUPPORT) is None

    def test_an_urgent_ticket_alone_calls_in_technical_support_and_parts(self) -> None:
        assert SUPPORT_BY_PRIORITY == {
            Priority.P1: (Department.TECHNICAL_SUPPORT, Department.PARTS_SUPPLY),
            Priority.P2: (),
            Priority.P3: (),
        }


class TestLead:
    @staticmethod
    def told(leads: list[Candidate], region: str | None = "east") -> int | None:
        found = choose_lead(leads, Role.SUPERVISOR, region=region, now=NOW)
        return found.id if found else None

    def test_duty_beats_region(self) -> None:
        away = person(1, Role.SUPERVISOR, calendar=NIGHT)

        assert self.told([away, person(2, Role.SUPERVISOR, region="west")]) == 2

    def test_the_regions_own_lead_is_told_before_one_for_all_and_one_of_another(self) -> None:
        west, everywhere, east = (
            person(n, Role.SUPERVISOR, region=r) for n, r in ((1, "west"), (2, None), (3, "east"))
        )

        assert self.told([west, everywhere, east]) == 3
        assert self.told([west, everywhere]) == 2
        assert self.told([west]) == 1

    def test_nobody_of_another_role_is_told(self) -> None:
        assert self.told([person(1, Role.MANAGER), person(2)]) is None


people = st.builds(
    person,
    st.integers(1, 50),
    st.sampled_from([Role.AGENT, Role.ENGINEER, Role.SUPERVISOR]),
    is_senior=st.booleans(),
    tier=st.sampled_from(Tier),
    region=st.sampled_from(["east", "west", None]),
    skills=st.sampled_from([frozenset(), frozenset({"aircon"})]),
    calendar=st.sampled_from([DAY, LATE, NIGHT]),
    load=st.integers(0, 5),
)
needs = st.builds(
    need,
    st.sampled_from(Priority),
    st.sampled_from(Tier),
    st.sampled_from(["east", None]),
    st.sampled_from(["aircon", None]),
)


def loses_to(loser: Candidate, winner: Candidate, wanted: Need) -> bool:
    """The rule said as a comparison of two: the first point on which they differ decides."""
    opens = {"day": 0, "late": 14, "night": 20}  # at 10:00

    def points(one: Candidate) -> list[int]:
        far = wanted.region is not None and one.region not in (None, wanted.region)
        unskilled = wanted.skill is not None and wanted.skill not in one.skills
        kept_free = one.is_senior and wanted.priority is not Priority.P1
        return [opens[one.calendar.name], int(far), int(unskilled), int(kept_free), one.load, one.id]

    for worse, better in zip(points(loser), points(winner), strict=True):
        if worse != better:
            return worse > better
    return True


@given(candidates=st.lists(people, max_size=8, unique_by=lambda one: one.id), wanted=needs, left_out=st.integers(1, 50))
@settings(deadline=None)
def test_nobody_in_the_same_circle_would_have_been_better(
    candidates: list[Candidate], wanted: Need, left_out: int
) -> None:
    willing = [c for c in candidates if c.role is not Role.SUPERVISOR and c.id != left_out]
    usual = [c for c in willing if is_eligible(c, wanted)]
    circle = usual or [c for c in willing if c.tier is wanted.tier] or willing

    if not circle:
        with pytest.raises(NobodyEligibleError):
            choose_assignee(candidates, wanted, now=NOW, except_for=left_out)
        return

    winner = choose_assignee(candidates, wanted, now=NOW, except_for=left_out).candidate
    assert winner in circle
    assert all(loses_to(other, winner, wanted) for other in circle)


def test_a_senior_engineer_is_kept_free_for_what_is_urgent() -> None:
    senior, regular = person(1, is_senior=True, load=0), person(2, load=4)

    assert choose_assignee([senior, regular], need(Priority.P2), now=NOW).candidate is regular
    assert choose_assignee([senior, regular], need(Priority.P1), now=NOW).candidate is senior
