"""This file checks that no message is queued with words missing, and by which medium it leaves."""

from __future__ import annotations

from typing import Any

import pytest

from domain.exceptions import DomainError
from domain.messages import (
    MESSAGES,
    TICKET_CONTEXT,
    Audience,
    LinkPurpose,
    Medium,
    MessageKind,
    check_context,
    choose_medium,
)

K = MessageKind
TICKET: dict[str, Any] = {
    "ticket_number": "TK-00000001",
    "customer_name": "王丽",
    "subject": "空调不制冷",
    "category": "product_fault",
    "priority": "P2",
    "respond_by": None,
    "resolve_by": None,
    "assignee_name": "",
}


class TestTraits:
    def test_every_kind_has_traits(self) -> None:
        assert set(MESSAGES) == set(MessageKind)

    @pytest.mark.parametrize("kind", list(MessageKind))
    def test_the_name_of_a_kind_tells_who_reads_it(self, kind: MessageKind) -> None:
        is_staff = kind.value.startswith("staff_") or kind is K.WEEKLY_DIGEST

        assert MESSAGES[kind].audience is (Audience.STAFF if is_staff else Audience.CUSTOMER)

    @pytest.mark.parametrize("kind", list(MessageKind))
    def test_customers_have_a_link_and_staff_have_none(self, kind: MessageKind) -> None:
        traits = MESSAGES[kind]

        assert (traits.link is not None) is (traits.audience is Audience.CUSTOMER)

    @pytest.mark.parametrize(
        ("kind", "link"),
        [
            (K.TICKET_RECEIVED, LinkPurpose.PROGRESS),
            (K.PLAN_PROPOSED, LinkPurpose.PLAN),
            (K.PLAN_REVISED, LinkPurpose.PLAN),
            (K.WORK_COMPLETED, LinkPurpose.SIGN_OFF),
            (K.SURVEY_INVITATION, LinkPurpose.SURVEY),
            (K.SURVEY_REMINDER, LinkPurpose.SURVEY),
            (K.SURVEY_THANKS, LinkPurpose.PROGRESS),
        ],
    )
    def test_a_message_links_to_what_it_asks_for(self, kind: MessageKind, link: LinkPurpose) -> None:
        assert MESSAGES[kind].link is link

    def test_every_purpose_of_a_link_is_used(self) -> None:
        used = {traits.link for traits in MESSAGES.values()} - {None}
        assert used == set(LinkPurpose) - {LinkPurpose.UNSUBSCRIBE}

    def test_stopped_channels_improvements_and_the_digest_are_about_no_ticket(self) -> None:
        lonely = [kind for kind, traits in MESSAGES.items() if not traits.about_ticket]
        assert lonely == [K.STAFF_CHANNEL_STOPPED, K.STAFF_IMPROVEMENT_ACTION, K.WEEKLY_DIGEST]

    def test_only_customers_news_without_a_question_merges(self) -> None:
        merging = [kind for kind, traits in MESSAGES.items() if traits.merges]
        assert all(MESSAGES[kind].audience is Audience.CUSTOMER for kind in merging)
        assert all(MESSAGES[kind].link is LinkPurpose.PROGRESS for kind in merging)
        assert not any(MESSAGES[kind].at_once for kind in merging)

    def test_surveys_and_digests_can_be_declined_and_nothing_else(self) -> None:
        declinable = {kind for kind, traits in MESSAGES.items() if traits.subscription is not None}
        assert declinable == {K.SURVEY_INVITATION, K.SURVEY_REMINDER, K.SURVEY_AGAIN, K.WEEKLY_DIGEST}


class TestContext:
    def test_the_words_about_a_ticket_are_known(self) -> None:
        assert set(TICKET) == TICKET_CONTEXT

    @pytest.mark.parametrize("kind", list(MessageKind))
    def test_a_full_context_is_accepted(self, kind: MessageKind) -> None:
        check_context(kind, {**TICKET, **dict.fromkeys(MESSAGES[kind].needs, "x")})

    @pytest.mark.parametrize("kind", list(MessageKind))
    def test_each_missing_word_is_named(self, kind: MessageKind) -> None:
        full = {**TICKET, **dict.fromkeys(MESSAGES[kind].needs, "x")}
        needed = MESSAGES[kind].needs | (TICKET_CONTEXT if MESSAGES[kind].about_ticket else set())

        for word in needed:
            with pytest.raises(DomainError) as refusal:
                check_context(kind, {name: value for name, value in full.items() if name != word})
            assert str(refusal.value) == f"message {kind.value} lacks {word}"

    def test_all_missing_words_are_named_in_order(self) -> None:
        with pytest.raises(DomainError) as refusal:
            check_context(K.DELAY_REPORTED, {**TICKET, "reason": "part out of stock"})

        assert str(refusal.value) == "message delay_reported lacks contingency, expected_at"

    def test_the_digest_needs_no_ticket(self) -> None:
        check_context(K.WEEKLY_DIGEST, {"digest": {}, "base": "", "charts": {}, "sheet": {}})

    def test_words_beyond_what_is_needed_do_no_harm(self) -> None:
        check_context(K.TICKET_JOINED, {**TICKET, "colour": "red"})


class TestMedium:
    @pytest.mark.parametrize(
        ("preferred", "phone", "email", "medium"),
        [
            (Medium.SMS, "+8613800138000", "w@example.com", Medium.SMS),
            (Medium.EMAIL, "+8613800138000", "w@example.com", Medium.EMAIL),
            (Medium.SMS, None, "w@example.com", Medium.EMAIL),
            (Medium.EMAIL, "+8613800138000", None, Medium.SMS),
            (Medium.SMS, "", "w@example.com", Medium.EMAIL),
            (Medium.EMAIL, "+8613800138000", "", Medium.SMS),
        ],
    )
    def test_the_preferred_medium_is_used_if_its_address_is_known(
        self, preferred: Medium, phone: str | None, email: str | None, medium: Medium
    ) -> None:
        assert choose_medium(preferred=preferred, phone=phone, email=email) is medium
