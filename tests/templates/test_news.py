"""This file checks that several news of one ticket are said in one message, however many and however long."""

from __future__ import annotations

from typing import Any

import pytest

from domain.messages import MESSAGES, Medium, MessageKind
from domain.segments import sms_size
from templates.languages import HERE, languages
from templates.render import Words, WordsError, render_message
from templates.samples import SAMPLE_NOW, sample_context
from templates.variants import HOSTILE_NAME, HOSTILE_TEXT, sample_link

K = MessageKind
MERGING = [kind for kind in K if MESSAGES[kind].merges]
LINK = sample_link(MESSAGES[K.TICKET_UPDATES].link or pytest.fail("news have a link"))
ORGANISATION = {"en": "Aftercare", "zh-CN": "安心售后"}


def update(kind: MessageKind, language: str, **changes: Any) -> dict[str, Any]:
    return {"kind": kind.value, "context": sample_context(kind, language=language) | changes}


def said(
    updates: list[dict[str, Any]],
    medium: Medium = Medium.SMS,
    language: str = "en",
    link: str | None = LINK,
    **own: Any,
) -> Words:
    context = sample_context(K.TICKET_UPDATES, language=language) | {"updates": updates} | own
    return render_message(
        K.TICKET_UPDATES,
        medium,
        language=language,
        context=context,
        recipient_name="王丽",
        organisation=ORGANISATION[language],
        time_zone="Asia/Shanghai",
        link=link,
        now=SAMPLE_NOW,
    )


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", K)
def test_a_kind_has_a_sentence_of_news_exactly_when_it_merges(kind: MessageKind, language: str) -> None:
    assert (HERE / language / kind.value / "update.txt").is_file() == MESSAGES[kind].merges


def test_news_are_said_as_a_person_would() -> None:
    assert "Daniel Evans takes your ticket and contacts you by Tue 24 Nov, 18:00." in (
        said([update(K.TICKET_ASSIGNED, "en")]).text
    )
    assert (
        "张伟负责处理，11月24日（周二）18:00前联系您。"
        in said([update(K.TICKET_ASSIGNED, "zh-CN")], language="zh-CN").text
    )


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", MERGING)
def test_a_sentence_of_news_promises_nothing_that_is_past(kind: MessageKind, language: str) -> None:
    text = said([update(kind, language, respond_by="2026-11-20T00:00:00Z", resolve_by=None)], language=language).text

    assert "20 Nov" not in text
    assert "11月20日" not in text


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("link", [LINK, None])
@pytest.mark.parametrize("number", [1, 3, 40, 400])
@pytest.mark.parametrize("words", ["", "W" * 2000, "长" * 2000, HOSTILE_TEXT])
def test_an_sms_of_news_stays_within_four_segments(number: int, words: str, link: str | None, language: str) -> None:
    own: dict[str, Any] = dict.fromkeys(("reason", "contingency", "step", "summary"), words) if words else {}
    kinds = (MERGING * number)[:number]

    text = said(
        [update(kind, language, **own) for kind in kinds], language=language, link=link, subject=words or "x"
    ).text

    assert sms_size(text).segments <= 4, text
    assert (link or "") in text


def test_news_that_find_no_room_are_counted() -> None:
    updates = [
        update(K.PROGRESS_STEP, "en", step=f"Step number {n} of the work is done as it was planned") for n in range(9)
    ]

    text = said(updates).text

    shown = text.count("Step number")
    assert 1 < shown < 9
    assert f"And {9 - shown} more, see the link." in text
    assert "see the link" not in said(updates, link=None).text


@pytest.mark.parametrize("language", languages())
def test_a_mail_says_all_news_in_full_as_a_list(language: str) -> None:
    step = "The part was tested for an hour. " * 8
    updates = [update(kind, language) for kind in MERGING] + [update(K.PROGRESS_STEP, language, step=step)]

    mail = said(updates, Medium.EMAIL, language)

    assert (mail.html or "").count("<li") == len(updates)
    assert step.strip().rstrip(".") in mail.text
    assert str(len(updates)) in (mail.subject or "")


@pytest.mark.parametrize("language", languages())
def test_hundreds_of_news_do_not_make_a_mail_that_is_clipped(language: str) -> None:
    updates = [update(K.PROGRESS_STEP, language, step="长" * 2000)] * 400

    mail = said(updates, Medium.EMAIL, language)

    assert len((mail.html or "").encode()) < 102_000
    assert "350" in mail.text


@pytest.mark.parametrize("language", languages())
def test_hostile_news_are_only_words(language: str) -> None:
    own = {"step": HOSTILE_TEXT, "assignee_name": HOSTILE_NAME, "summary": HOSTILE_TEXT}
    updates = [update(kind, language, **own) for kind in (K.TICKET_ASSIGNED, K.FIRST_CONTACT_MADE, K.PROGRESS_STEP)]

    mail, sms = said(updates, Medium.EMAIL, language), said(updates, Medium.SMS, language)

    assert "<script>" not in (mail.html or "")
    assert "<b>Zoë" not in (mail.html or "")
    assert "12707" not in (mail.html or "") + sms.text
    assert "\n" not in sms.text
    assert "\u202e" not in (mail.html or "") + mail.text + sms.text


@pytest.mark.parametrize(
    ("piece", "complaint"),
    [
        ({"kind": "question_asked", "context": {}}, "question_asked cannot be said together with other news"),
        ({"kind": "weather", "context": {}}, "is not one: ValueError: 'weather'"),
        ({"kind": "progress_step"}, "is not one: KeyError: 'context'"),
        ({"kind": "progress_step", "context": {}}, r"en/progress_step/update\.txt:1: UndefinedError: 'step'"),
    ],
)
def test_news_that_are_none_are_refused(piece: dict[str, Any], complaint: str) -> None:
    for medium in Medium:
        with pytest.raises(WordsError, match=complaint):
            said([piece], medium)
