"""The digest as a mail: its first sentence, its pictures, its links, and its length."""

from __future__ import annotations

from typing import Any

import pytest

from domain.headline import HeadlineKind
from domain.messages import Medium, MessageKind
from templates.languages import languages
from templates.render import Words, render_message
from templates.sample_digest import sample_digest
from templates.samples import sample_context

K = MessageKind
BASE = "https://aftercare.some-long-company-name.example.com"


def mail(language: str, **digest: Any) -> Words:
    context = sample_context(K.WEEKLY_DIGEST, language=language)
    context |= {"base": BASE, "charts": {"promises": "cid:promises@aftercare"}}
    context["digest"] = sample_digest(language) | digest
    return render_message(
        K.WEEKLY_DIGEST,
        Medium.EMAIL,
        language=language,
        context=context,
        recipient_name="马超",
        organisation="Aftercare",
        time_zone="Asia/Shanghai",
        link=None,
    )


def test_the_longest_digest_is_not_clipped() -> None:
    sample = sample_digest("zh-CN")
    promise = sample["sla"]["by_priority"]["P1"]
    many = {f"很长很长的服务部名称{number}": promise for number in range(40)}
    pair = {"now": 1_000, "before": 900}
    low = sample["low_scores"][0] | {"comment": "很" * 2000, "reason": "差" * 2000}

    html = mail(
        "zh-CN",
        sla=sample["sla"] | {"by_region": many, "by_team": many},
        volume=sample["volume"] | {"by_region": dict.fromkeys(many, pair)},
        breaches=sample["breaches"][:1] * 20,
        low_scores=[low] * 20,
        actions=[sample["actions"][0] | {"measure": "措" * 300}] * 20,
        words=[{"word": "噪音很大", **pair}] * 30,
    ).html

    assert html is not None
    assert len(html.encode()) < 102_000  # Gmail shows no more


@pytest.mark.parametrize("language", languages())
def test_pictures_have_words_and_figures_lead_to_lists_that_the_text_does_not_spell_out(language: str) -> None:
    said = mail(language, span={"kind": "week", "region": "east"})

    html = (said.html or "").replace("&amp;", "&")
    assert 'src="cid:promises@aftercare" alt="' in html
    assert "2026-W47 97%" in html.partition('alt="')[2].partition('"')[0]
    assert "cid:volume" not in html
    missed = "happened=resolution_missed&from=2026-11-16&to=2026-11-22&region=east&priority=P2"
    assert f'href="{BASE}/workbench/tickets?{missed}"' in html
    assert "tickets?" not in said.text
    assert f"{BASE}/workbench/digest?week=2026-W47&region=east" in said.text


@pytest.mark.parametrize("language", languages())
def test_the_first_sentence_is_of_its_own_for_every_kind_of_news(language: str) -> None:
    change = {"figure": "overall_mean", "now": 4.4, "before": 4.1, "because": None}
    news = {kind: {"kind": kind.value, "values": change} for kind in HeadlineKind}
    news[HeadlineKind.WORSE] = sample_digest(language)["headline"]
    news[HeadlineKind.BUSIER]["values"] = {
        "figure": "opened",
        "now": 86,
        "before": 60,
        "because": {"of": "category", "value": "complaint", "now": 20, "before": 4},
    }
    news[HeadlineKind.CALMER]["values"] = change | {"figure": "opened", "now": 3, "before": 9}

    said = {mail(language, headline=headline).text.splitlines()[2] for headline in news.values()}

    assert len(said) == len(HeadlineKind)
    assert any("86" in sentence and "20" in sentence for sentence in said)
