"""The progress tracking sheet at the workbench (S-60)."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import unquote

import pytest
from openpyxl import load_workbook

from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench, text_of

SHEET = "/workbench/sheet.xlsx"


def _left() -> set[Path]:
    return set(Path(gettempdir()).glob("aftercare-sheet-*"))


def test_who_leads_downloads_it_in_their_language(site: Site, bench: Bench) -> None:
    with site.desk() as desk:
        number = desk.ticket(desk.open("空调不制冷"))["number"]
    before = _left()

    page = bench.client.get("/workbench/sheet")
    answer = bench.client.get(SHEET)

    assert page.status_code == 200
    assert 'aria-current="page"' in page.text
    [sheet] = load_workbook(BytesIO(answer.content)).worksheets
    assert sheet.title == "服务处理进度跟踪表"
    assert [cell.value for cell in sheet["A"]] == ["工单号", number]
    assert "服务处理进度跟踪表" in unquote(answer.headers["content-disposition"])
    assert _left() <= before


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ({"first": "nonsense"}, "first", "不晚于今天"),
        ({"first": "2099-01-01"}, "first", "不晚于今天"),
        ({"first": "2026-11-02", "last": "2026-11-01"}, "last", "不早于"),
        ({"last": "2026-13-01"}, "last", "不早于"),
        ({"first": "\x00<b>"}, "first", "不晚于今天"),
    ],
)
def test_what_is_no_span_of_days_is_said_beside_the_field(
    bench: Bench, query: dict[str, str], field: str, said: str
) -> None:
    answer = bench.client.get(SHEET, params=query)

    assert answer.status_code == 422
    assert said in text_of(answer)
    assert f'id="{field}-fault"' in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("query", [{}, {"first": "0001-01-01"}, {"last": "9999-12-31"}, {"first": "", "last": ""}])
def test_days_far_away_are_no_limit(bench: Bench, query: dict[str, str]) -> None:
    assert bench.client.get(SHEET, params=query).status_code == 200


def test_it_is_for_who_leads(make_bench: MakeBench) -> None:
    engineer = make_bench("zhang.wei").client

    assert {engineer.get(path).status_code for path in ("/workbench/sheet", SHEET)} == {403}
    assert "/workbench/sheet" not in engineer.get("/workbench").text
