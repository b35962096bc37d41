"""A sheet of answers on paper at the workbench: looked at, taken once, given back (S-51)."""

from __future__ import annotations

from io import BytesIO
from zoneinfo import ZoneInfo

from httpx import Response
from openpyxl import load_workbook

from clock import utc_now
from domain.lifecycle import TicketState
from domain.tickets import ticket_number
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench, forms_of

PAPER = "/workbench/paper"


def _send(bench: Bench, name: str, content: bytes, do: str) -> Response:
    form = forms_of(bench.client.get(PAPER))[PAPER]
    return bench.client.post(PAPER, data={"csrf": form["csrf"][0], "do": do}, files={"sheet": (name, content)})


def test_a_sheet_is_previewed_then_taken_and_counts_once(site: Site, bench: Bench) -> None:
    with site.desk() as desk:
        ticket_id = desk.bring_to(TicketState.COMPLETED)
    today = utc_now().astimezone(ZoneInfo("Asia/Shanghai")).date()
    rows = (
        f"工单号,日期,整体体验,意见和建议\n{ticket_number(ticket_id)},{today},５分,<b>好</b>\nTK-99999999,{today},5,\n"
    )

    preview, taken, again = (_send(bench, "a.CSV", rows.encode("gbk"), do) for do in ("preview", "import", "import"))
    copy = load_workbook(BytesIO(_send(bench, "a.csv", rows.encode(), "copy").content)).active

    assert "还没有导入" in preview.text
    assert "<dt>已导入</dt><dd>1</dd>" in taken.text.replace("\n", "")
    assert "第3行： 工单号：没有这个工单" in taken.text
    assert "<dt>已导入</dt><dd>0</dd>" in again.text.replace("\n", "")
    assert [cell.value for cell in copy["E"]] == ["导入结果", "重复，已计入一次", "工单号：没有这个工单"]
    with site.desk() as desk:
        assert desk.surveys(ticket_id)[0]["comment"] == "<b>好</b>"


def test_what_is_no_sheet_is_said_beside_the_field(bench: Bench, make_bench: MakeBench) -> None:
    for name, content, said in (
        ("a.xlsx", b"PK", "无法读取"),
        ("a.exe", b"MZ", "无法读取"),
        ("a\x00/../b", b"", "无法读取"),
        ("a.csv", b"name,score\n", "没有找到需要的栏目标题"),
        ("a.csv", b"x" * 1_000_001, "超过1 MB"),
    ):
        page = _send(bench, name, content, "import")
        assert (page.status_code, said in page.text) == (422, True), name
    assert make_bench("zhang.wei").client.get(PAPER).status_code == 403
