"""This file checks that every message has its words in every language, and that nobody's data can break them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from domain.messages import MESSAGES, Audience, Medium, MessageKind, check_context
from domain.people import Department, Tier
from domain.satisfaction import CallbackKind
from domain.segments import sms_size
from domain.sla import ClockKind
from templates.languages import HERE, labels
from templates.render import Words, WordsError, language_for, languages, render_markdown, render_message, render_page
from templates.sample_digest import sample_digest
from templates.samples import SAMPLE_NOW, sample_context, sample_recipient
from templates.variants import bare, longest

K = MessageKind
LINK = "https://care.example.cn/p/AbC123?a=1&b=2"
NAMES = {"en": "Aftercare", "zh-CN": "安心售后"}
CUSTOMER_KINDS = [kind for kind in K if MESSAGES[kind].audience is Audience.CUSTOMER]
FORMS = [(kind, Medium.EMAIL) for kind in K] + [(kind, Medium.SMS) for kind in CUSTOMER_KINDS]


def words(kind: MessageKind, medium: Medium = Medium.EMAIL, language: str = "en", **changes: Any) -> Words:
    values: dict[str, Any] = {
        "context": sample_context(kind, language=language) | changes.pop("context", {}),
        "recipient_name": sample_recipient(kind, language=language),
        "organisation": NAMES.get(language, "Aftercare"),
        "time_zone": "Asia/Shanghai",
        "link": LINK if MESSAGES[kind].link else None,
        "now": SAMPLE_NOW,
    }
    return render_message(kind, medium, language=language, **(values | changes))


def everything(kind: MessageKind, language: str = "en", **changes: Any) -> str:
    mail = words(kind, language=language, **changes)
    parts = [mail.subject, mail.text]
    if kind in CUSTOMER_KINDS:
        parts.append(words(kind, Medium.SMS, language, **changes).text)
    return "\n".join(part or "" for part in parts)


def test_the_languages_are_the_folders_that_exist() -> None:
    assert languages() == ("en", "zh-CN")


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("zh-CN", "zh-CN"), ("zh", "zh-CN"), ("zh_TW", "zh-CN"), ("EN", "en"), ("en-GB", "en"), ("de", "en"), ("", "en")],
)
def test_a_reader_gets_the_nearest_language(wanted: str, given: str) -> None:
    assert language_for(wanted) == given


@pytest.mark.parametrize("language", languages())
def test_every_language_has_every_message_in_every_form(language: str) -> None:
    wanted = {f"{kind.value}/{file}" for kind in K for file in ("email_subject.txt", "email.html")}
    wanted |= {f"{kind.value}/sms.txt" for kind in CUSTOMER_KINDS}
    folder = HERE / language

    assert {name for name in wanted if not (folder / name).is_file()} == set()
    strangers = {path.parent.name for path in folder.glob("*/email.html")} - {kind.value for kind in K}
    assert strangers == set()


@pytest.mark.parametrize("kind", K)
def test_the_samples_are_what_the_outbox_would_accept(kind: MessageKind) -> None:
    check_context(kind, sample_context(kind))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(("kind", "medium"), FORMS)
def test_every_message_renders(kind: MessageKind, medium: Medium, language: str) -> None:
    said = words(kind, medium, language)

    assert said.text.strip()
    assert (said.subject is None) == (said.html is None) == (medium is Medium.SMS)
    if MESSAGES[kind].about_ticket:
        assert "TK-00001024" in said.text
        assert medium is Medium.SMS or "TK-00001024" in (said.subject or "")
    assert (LINK in said.text) == (MESSAGES[kind].link is not None)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", K)
def test_every_message_does_without_what_may_be_missing(kind: MessageKind, language: str) -> None:
    bare: dict[str, Any] = {"respond_by": None, "resolve_by": None, "assignee_name": None, "usage_advice": ""}
    bare |= {"comment": "", "overall": None, "supervisor_name": None}
    if "plan" in MESSAGES[kind].needs:
        plan = sample_context(kind, language=language)["plan"]
        bare["plan"] = plan | {"appointment_at": None, "options": []}

    said = everything(kind, language, context=bare, link=None, recipient_name="")

    assert "None" not in said
    assert LINK not in said
    assert not re.search(r"[ ，]{2,}[，。,.]|“”|\(\)|（）", said)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        (K.STAFF_CUSTOMER_ANSWERED, "answer", list(labels("en")["answer"])),
        (K.STAFF_SLA_WARNING, "clock", list(ClockKind)),
        (K.STAFF_SLA_BREACH, "clock", list(ClockKind)),
        (K.STAFF_CALLBACK_DUE, "callback_kind", list(CallbackKind)),
        (K.STAFF_SUPPORT_REQUESTED, "department", list(Department)),
        (K.STAFF_ASSIGNED, "tier", [int(tier) for tier in Tier]),
    ],
)
def test_staff_are_told_something_of_its_own_for_every_case(
    kind: MessageKind, name: str, values: list[Any], language: str
) -> None:
    said = {words(kind, language=language, context={name: value}).text for value in values}

    assert len(said) == len(values)


@pytest.mark.parametrize("language", languages())
def test_a_message_promises_nothing_that_is_past(language: str) -> None:
    now = SAMPLE_NOW + timedelta(days=30)
    for kind in (K.TICKET_RECEIVED, K.TICKET_ASSIGNED, K.TICKET_TRANSFERRED, K.TICKET_REOPENED, K.PROGRESS_STEP):
        text = words(kind, Medium.SMS, language, now=now).text

        assert "24 Nov" not in text
        assert "11月" not in text


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", K)
def test_a_mail_asks_nobody_for_anything_and_says_its_language(kind: MessageKind, language: str) -> None:
    html = words(kind, language=language).html or ""

    assert f'lang="{language}"' in html
    assert "prefers-color-scheme: dark" in html
    assert not re.search(r"<img|<script|<link|url\(|@import|src=", html)
    assert len(html.encode()) < 102_000  # beyond that Gmail clips it


@pytest.mark.parametrize("language", languages())
def test_the_preheader_is_not_said_twice_in_the_text(language: str) -> None:
    mail = words(K.WORK_COMPLETED, language=language)
    preheader = {"en": "Please confirm by", "zh-CN": "前确认"}[language]

    assert preheader in (mail.html or "")
    assert preheader not in mail.text


HOSTILE = "<b>x</b>{{ 97 * 131 }}\r\nBcc: a@b.c\x00\u202e\u2028'\""


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", CUSTOMER_KINDS)
def test_hostile_words_are_only_words(kind: MessageKind, language: str) -> None:
    hostile = dict.fromkeys(("customer_name", "subject", "assignee_name", "reason", "question", "step"), HOSTILE)
    changes: dict[str, Any] = {"context": hostile, "recipient_name": HOSTILE}

    mail, sms = words(kind, language=language, **changes), words(kind, Medium.SMS, language, **changes)

    assert "<b>x" not in (mail.html or "")
    assert "12707" not in (mail.html or "") + sms.text
    assert "{{ 97 * 131 }}" in (mail.html or "")
    for line in (mail.subject or "", sms.text):
        assert not re.search(r"[\r\n\x00\u202e\u2028]", line)
    assert not re.search(r"[\x00\u202e]", (mail.html or "") + mail.text)


@pytest.mark.parametrize("kind", [kind for kind in K if kind not in CUSTOMER_KINDS])
def test_hostile_words_do_staff_no_harm_either(kind: MessageKind) -> None:
    digest = sample_digest("en")
    digest["low_scores"][0] |= {"comment": HOSTILE, "reason": HOSTILE}
    digest["breaches"][0]["assignee_name"] = HOSTILE
    context: dict[str, Any] = dict.fromkeys(("customer_name", "subject", "comment", "supervisor_name"), HOSTILE)

    mail = words(kind, context=context | {"digest": digest})

    assert "<b>x" not in (mail.html or "")
    assert not re.search(r"[\r\n\x00\u202e]", mail.subject or "")


def test_a_missing_name_says_file_and_line() -> None:
    context = sample_context(K.QUESTION_ASKED, language="en")
    del context["question"]

    with pytest.raises(WordsError, match=r"templates/en/question_asked/sms\.txt:\d+: UndefinedError: 'question'"):
        render_message(
            K.QUESTION_ASKED,
            Medium.SMS,
            language="en",
            context=context,
            recipient_name="",
            organisation="A",
            time_zone="UTC",
            link=None,
        )


def test_a_value_without_a_label_says_where_to_add_it() -> None:
    with pytest.raises(WordsError, match=r"email\.html:\d+: .*templates/zh-CN/labels\.toml has no 'magic' in \[cate"):
        words(K.TICKET_RECEIVED, language="zh-CN", context={"category": "magic"})


def test_a_page_that_does_not_exist_says_so() -> None:
    with pytest.raises(WordsError, match=r"en/pages/no_such_page\.html"):
        render_page("no_such_page", language="en")


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", CUSTOMER_KINDS)
def test_an_sms_costs_two_segments_beside_its_link(kind: MessageKind, language: str) -> None:
    text = words(kind, Medium.SMS, language).text.replace(LINK, "")

    # Three pieces of news in one message may cost half of what they would cost alone.
    assert sms_size(text).segments <= (3 if kind is K.TICKET_UPDATES else 2), text
    assert (len(text.encode("utf-16-be")) // 2 == len(text)) or language != "en"


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("letter", ["W", "长", "€"])  # GSM-7, UCS-2, and twice as dear in GSM-7
@pytest.mark.parametrize("kind", CUSTOMER_KINDS)
def test_however_long_the_data_an_sms_stays_within_four_segments(kind: MessageKind, letter: str, language: str) -> None:
    case = longest(kind, language=language, letter=letter)

    text = words(
        kind, Medium.SMS, language, context=case.context, recipient_name=case.recipient_name, link=case.link
    ).text

    assert sms_size(text).segments <= 4, text
    assert (case.link or "") in text


def test_what_people_write_is_cut_only_as_far_as_it_must() -> None:
    usual = words(K.TICKET_CLOSED, Medium.SMS, context={"subject": "A noise that comes and goes at night"}).text
    chinese = words(
        K.TICKET_CLOSED, Medium.SMS, context={"subject": "客厅空调不制冷，昨天晚上开始的，开机半小时后停机"}
    ).text

    assert "A noise that comes and goes at night" in usual
    assert "客厅空调不制冷，昨天晚上开始的，开机半小时后停机" in chinese  # all of it is UCS-2 now, and still fits


def test_only_who_gets_a_link_for_it_is_told_how_to_unsubscribe() -> None:
    out = "https://care.example.com/unsubscribe/abc"
    for language in languages():
        for kind in (K.SURVEY_INVITATION, K.SURVEY_REMINDER, K.WEEKLY_DIGEST):
            mail = words(kind, language=language, unsubscribe_link=out)

            assert f'href="{out}"' in (mail.html or "")
            assert mail.text.rstrip().endswith(out)
            assert "unsubscribe/" not in (words(kind, language=language).html or "")


def test_a_survey_by_sms_says_how_to_end_it() -> None:
    for kind in (K.SURVEY_INVITATION, K.SURVEY_REMINDER):
        assert words(kind, Medium.SMS).text.endswith("Reply STOP to end.")
        assert words(kind, Medium.SMS, "zh-CN").text.endswith(" 回T退订")


@pytest.mark.parametrize("language", languages())
def test_the_assignee_is_told_why_a_customer_was_not(language: str) -> None:
    codes = ("30003", "unknown", "opted_out", "no_address", "")
    said = {words(K.STAFF_MESSAGE_FAILED, language=language, context={"code": code}).text for code in codes}

    assert len(said) == len(codes)
    assert not [text for text in said if "opted_out" in text or "no_address" in text]


def test_the_text_of_a_chinese_mail_has_chinese_colons() -> None:
    text = words(K.PLAN_PROPOSED, language="zh-CN").text

    assert "工单号：TK-00001024" in text
    assert f"查看并确认方案：{LINK}" in text


def test_an_english_sms_is_normalised_to_gsm_and_a_chinese_one_is_not() -> None:
    step = "“Ready” – it’s\u00a0done…"

    assert '"Ready" - it\'s done...' in words(K.PROGRESS_STEP, Medium.SMS, "en", context={"step": step}).text
    assert "“Ready” – it’s" in words(K.PROGRESS_STEP, Medium.SMS, "zh-CN", context={"step": step}).text


def test_a_persons_line_breaks_survive_in_the_mail() -> None:
    mail = words(K.WORK_COMPLETED, context={"usage_advice": "First.\nSecond."})

    assert "First.\nSecond." in mail.text
    assert re.search(r"First\.<br ?/?>Second\.", mail.html or "")


def test_the_links_of_a_mail_stand_behind_their_words_in_its_text() -> None:
    assert f"See the plan and decide: {LINK}" in words(K.PLAN_PROPOSED).text


def test_the_text_of_a_mail_is_no_markdown() -> None:
    text = words(K.PROGRESS_STEP, context={"step": "1. Fan *checked*\n- 20 - 30 min_left"}).text

    assert "1. Fan *checked*\n- 20 - 30 min_left" in text


@pytest.mark.parametrize("language", languages())
def test_the_digest_in_the_ui_names_no_person(language: str) -> None:
    digest = sample_digest(language)
    shown = render_markdown("weekly_digest", language=language, time_zone="Asia/Shanghai", digest=digest)

    private = {low["comment"] for low in digest["low_scores"]} | {low["reason"] for low in digest["low_scores"]}
    private |= {breach["assignee_name"] for breach in digest["breaches"]}
    assert not [text for text in private if text and text in shown]
    assert "TK-00000981" in shown
    tables = re.findall(r"(?:^\|.*\|\n)+", shown, re.MULTILINE)
    assert len(tables) == 11
    for table in tables:
        assert len({row.count("|") for row in table.splitlines()}) == 1, table


@pytest.mark.parametrize("language", languages())
def test_the_digest_of_an_empty_week_is_a_digest(language: str) -> None:
    def emptied(value: Any) -> Any:
        if isinstance(value, dict):
            pair = {"now": None if isinstance(value.get("now"), float) else 0, "before": 0}
            return pair if "now" in value else {key: emptied(inner) for key, inner in value.items()}
        return [] if isinstance(value, list) else value

    full = sample_digest(language)
    digest = emptied(full) | {"trend": bare(K.WEEKLY_DIGEST, language=language).context["digest"]["trend"]}
    digest |= {"targets": full["targets"], "headline": {"kind": "nothing", "values": {}}}
    digest["benchmarks"]["answered"]["share"] = None

    said = everything(K.WEEKLY_DIGEST, language, context={"digest": digest})
    shown = render_markdown("weekly_digest", language=language, time_zone="Asia/Shanghai", digest=digest)

    assert "None" not in said + shown


@pytest.mark.parametrize(
    ("due", "in_time", "english", "chinese"),
    [
        (0, None, "No promise and no callback came due", "没有到期的承诺和回访"),
        (1, 0.0, "The one callback that was due was not done in time.", "应回访1次，没有按时完成。"),
        (3, 0.0, "None of the 3 callbacks that were due was done in time.", "应回访3次，都没有按时完成。"),
        (4, 0.75, "75% of the 4 callbacks that were due were done in time.", "应回访4次，按时完成的占75%。"),
        (2, 1.0, "Every callback was done in time.", "回访全部按时完成。"),
    ],
)
def test_the_digest_says_of_callbacks_what_there_is_to_say(
    due: int, in_time: float | None, english: str, chinese: str
) -> None:
    for language, words_of_it in (("en", english), ("zh-CN", chinese)):
        digest = bare(K.WEEKLY_DIGEST, language=language).context["digest"]
        digest["callbacks"]["due"]["now"] = due
        digest["callbacks"]["in_time_share"]["now"] = in_time

        assert words_of_it in everything(K.WEEKLY_DIGEST, language, context={"digest": digest})
