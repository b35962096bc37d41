"""This file checks when a message may leave: the night, the daily limit, news said together, opt-outs, old news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.courtesy import (
    Before,
    Decision,
    Postpone,
    Recipient,
    Send,
    Switch,
    Withhold,
    decide,
    is_out_of_date,
    quiet_until,
)
from domain.delivery import Remedy
from domain.lifecycle import TicketState
from domain.messages import MESSAGES, Audience, Medium, MessageKind
from domain.satisfaction import SurveyState
from domain.standard import load_standard
from domain.tickets import Priority

POLICY = load_standard().courtesy
K = MessageKind
SHANGHAI = "Asia/Shanghai"
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
NIGHT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
MORNING = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)  # 8:00 in Shanghai the next day
BOTH = {Medium.SMS: "+8613800138000", Medium.EMAIL: "li@example.com"}


def decision(kind: MessageKind = K.PROGRESS_STEP, medium: Medium = Medium.SMS, **changes: Any) -> Decision:
    recipient = Recipient(
        addresses=changes.pop("addresses", BOTH),
        suppressed=changes.pop("suppressed", {}),
        time_zone=changes.pop("time_zone", SHANGHAI),
        has_declined=changes.pop("has_declined", False),
    )
    values: dict[str, Any] = {"priority": Priority.P2, "is_first_attempt": True, "policy": POLICY, "now": NOON}
    return decide(kind, medium, recipient, changes.pop("before", Before()), **(values | changes))


class TestTheNight:
    def test_holds_a_notice_until_the_recipients_morning(self) -> None:
        assert decision(now=NIGHT) == Postpone(MORNING)

    def test_is_that_of_the_recipient_and_not_of_the_organisation(self) -> None:
        assert decision(now=NIGHT, time_zone="Europe/London") == Send()
        assert isinstance(decision(now=NOON, time_zone="America/New_York"), Postpone)

    def test_holds_back_nothing_urgent(self) -> None:
        assert decision(now=NIGHT, priority=Priority.P1) == Send()

    @pytest.mark.parametrize("kind", [K.SURVEY_INVITATION, K.SURVEY_REMINDER, K.TICKET_CLOSED, K.FOLLOW_UP_VISIT])
    def test_holds_back_what_can_wait_of_an_urgent_ticket_too(self, kind: MessageKind) -> None:
        assert decision(kind, now=NIGHT, priority=Priority.P1) == Postpone(MORNING)

    @pytest.mark.parametrize("kind", [kind for kind, traits in MESSAGES.items() if traits.at_once])
    def test_holds_back_no_answer_to_what_the_customer_has_just_done(self, kind: MessageKind) -> None:
        assert decision(kind, now=NIGHT) == Send()

    @pytest.mark.parametrize("kind", [kind for kind in K if MESSAGES[kind].audience is Audience.STAFF])
    def test_holds_back_nothing_from_staff(self, kind: MessageKind) -> None:
        assert decision(kind, Medium.EMAIL, now=NIGHT) == Send()

    def test_ends_at_the_right_moment_when_the_clocks_change(self) -> None:
        before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # an hour later it is 3:00 in Berlin, not 2:00

        assert quiet_until("Europe/Berlin", POLICY, now=before) == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)

    @given(
        moment=st.datetimes(timezones=st.just(UTC)).map(
            lambda moment: moment.replace(year=2025 + moment.year % 3, day=min(moment.day, 28))
        ),
        zone=st.sampled_from([SHANGHAI, "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
    )
    def test_always_ends_within_a_day_and_by_day(self, moment: datetime, zone: str) -> None:
        until = quiet_until(zone, POLICY, now=moment)

        if until is not None:
            assert timedelta(0) < until - moment <= timedelta(hours=12)
            assert until.astimezone(ZoneInfo(zone)).time() == POLICY.quiet_until
            assert quiet_until(zone, POLICY, now=until) is None


class TestTheDailyLimit:
    full = Before(sent=[NOON - timedelta(minutes=n) for n in range(POLICY.messages_per_customer_and_day)])

    def test_puts_one_more_off_until_the_next_morning(self) -> None:
        assert decision(before=self.full) == Postpone(MORNING)
        assert decision(before=Before(sent=list(self.full.sent)[1:])) == Send()

    def test_counts_the_recipients_own_day(self) -> None:
        yesterday = Before(sent=[moment - timedelta(hours=13) for moment in self.full.sent])

        assert decision(before=yesterday) == Send()

    def test_does_not_hold_back_what_is_sent_again_or_urgent(self) -> None:
        assert decision(before=self.full, is_first_attempt=False) == Send()
        assert decision(before=self.full, priority=Priority.P1) == Send()


class TestNewsOfOneTicket:
    def test_wait_for_each_other_for_a_few_minutes(self) -> None:
        last = NOON - timedelta(minutes=1)

        assert decision(before=Before([last], [last])) == Postpone(last + POLICY.merge_within)

    def test_do_not_wait_for_what_was_said_long_ago_or_about_another_ticket(self) -> None:
        assert decision(before=Before([NOON], [NOON - POLICY.merge_within])) == Send()
        assert decision(before=Before([NOON], [])) == Send()

    def test_a_question_does_not_wait(self) -> None:
        assert decision(K.QUESTION_ASKED, before=Before([NOON], [NOON])) == Send()


class TestWhoCannotBeReached:
    def test_is_written_to_by_the_other_medium(self) -> None:
        assert decision(suppressed={Medium.SMS: Remedy.OPTED_OUT}) == Switch(Medium.EMAIL)
        assert decision(addresses={Medium.EMAIL: "li@example.com"}) == Switch(Medium.EMAIL)
        assert decision(medium=Medium.EMAIL, suppressed={Medium.EMAIL: Remedy.BAD_ADDRESS}) == Switch(Medium.SMS)

    def test_by_neither_is_left_alone_and_the_reason_said(self) -> None:
        nowhere = {Medium.SMS: Remedy.OPTED_OUT, Medium.EMAIL: Remedy.BAD_ADDRESS}

        assert decision(suppressed=nowhere) == Withhold("opted_out")
        assert decision(K.CALLBACK_PROMISED, suppressed=nowhere, priority=Priority.P1) == Withhold("opted_out")
        assert decision(addresses={}) == Withhold("no_address")

    @pytest.mark.parametrize("reason", [Remedy.OPTED_OUT, Remedy.COMPLAINED])
    def test_by_their_own_wish_is_not_surveyed_by_the_other_medium(self, reason: Remedy) -> None:
        assert decision(K.SURVEY_INVITATION, suppressed={Medium.SMS: reason}) == Withhold(reason.value)
        assert decision(K.SURVEY_INVITATION, suppressed={Medium.SMS: Remedy.BAD_ADDRESS}) == Switch(Medium.EMAIL)

    def test_declines_surveys_and_gets_the_rest(self) -> None:
        assert decision(K.SURVEY_INVITATION, has_declined=True) == Withhold("declined")
        assert decision(K.PROGRESS_STEP, has_declined=True) == Send()
        assert decision(K.WEEKLY_DIGEST, Medium.EMAIL, has_declined=True) == Withhold("declined")


PLAN = {"plan": {"revision": 2}}
REMINDER = {"appointment_at": (NOON + timedelta(hours=1)).isoformat(), "plan_revision": 1}
SURVEY = {"expires_at": (NOON + timedelta(hours=1)).isoformat(), "survey_id": 1}


@pytest.mark.parametrize(
    ("kind", "context", "facts", "old"),
    [
        (K.PLAN_REVISED, PLAN, {"state": TicketState.PLAN_PROPOSED, "plan_revision": 2}, False),
        (K.PLAN_REVISED, PLAN, {"state": TicketState.PLAN_PROPOSED, "plan_revision": 3}, True),
        (K.PLAN_REVISED, PLAN, {"state": TicketState.IN_WORK, "plan_revision": 2}, True),
        (K.APPOINTMENT_REMINDER, REMINDER, {"state": TicketState.IN_WORK, "plan_revision": 1}, False),
        (K.APPOINTMENT_REMINDER, REMINDER, {"state": TicketState.IN_WORK, "plan_revision": 2}, True),
        (K.APPOINTMENT_REMINDER, REMINDER, {"state": TicketState.CANCELLED, "plan_revision": 1}, True),
        (
            K.APPOINTMENT_REMINDER,
            REMINDER | {"appointment_at": NOON.isoformat()},
            {"state": TicketState.IN_WORK, "plan_revision": 1},
            True,
        ),
        (K.WORK_COMPLETED, {"completion_no": 1}, {"state": TicketState.COMPLETED, "completion_no": 1}, False),
        (K.WORK_COMPLETED, {"completion_no": 1}, {"state": TicketState.COMPLETED, "completion_no": 2}, True),
        (K.WORK_COMPLETED, {"completion_no": 1}, {"state": TicketState.IN_WORK, "completion_no": 1}, True),
        (K.SURVEY_REMINDER, SURVEY, {"survey": SurveyState.SENT}, False),
        (K.SURVEY_REMINDER, SURVEY, {"survey": SurveyState.ANSWERED}, True),
        (K.SURVEY_REMINDER, SURVEY | {"expires_at": NOON.isoformat()}, {"survey": SurveyState.SENT}, True),
        (K.PROGRESS_STEP, {}, {"state": TicketState.CLOSED}, False),
        (K.PROGRESS_STEP, {}, {"state": TicketState.CLOSED, "was_held": True}, True),
        (K.PROGRESS_STEP, {}, {"state": TicketState.IN_WORK, "was_held": True}, False),
        (K.QUESTION_ASKED, {}, {"state": TicketState.WAITING_CUSTOMER}, False),
        (K.QUESTION_ASKED, {}, {"state": TicketState.DIAGNOSING}, True),
        (K.FOLLOW_UP_VISIT, {"visit_at": NOON.isoformat()}, {}, True),
    ],
)
def test_what_is_settled_meanwhile_is_not_said_any_more(
    kind: MessageKind, context: dict[str, Any], facts: dict[str, Any], old: bool
) -> None:
    nothing: dict[str, Any] = dict.fromkeys(("state", "plan_revision", "completion_no", "survey"))

    assert is_out_of_date(kind, context, **({"was_held": False} | nothing | facts), now=NOON) is old
