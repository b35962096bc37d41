"""The demo's story: five customers, two languages, one week; and the list of what must have happened at its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cli.screen import Screen
from cli.stage import Stage
from cli.verdict import print_verdict
from db import callbacks, mailbox, seed, staff
from db.session import transaction
from domain.commands import (
    AgreePlan,
    Complete,
    ConfirmCompletion,
    FirstContact,
    LogStep,
    ObjectToPlan,
    PlanKind,
    PlanOption,
    ProposePlan,
    ReportDelay,
)
from domain.intake import CustomerDetails, Report
from domain.standard import Standard
from domain.tickets import Channel
from flows.weekly_digest import weekly_digest

ZONE = ZoneInfo("Asia/Shanghai")


def at(day: int, clock: str) -> datetime:
    """A moment of the story's week; day 24 is its Tuesday (November 2026)."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


def tell(screen: Screen, standard: Standard, *, ui: str) -> list[str]:
    """Play the week and print it; returns what should have happened and did not."""
    with transaction() as connection:
        seed.add_staff(connection)
    stage = Stage(screen, standard, now=at(24, "09:00"), ui=ui)
    ids = _tuesday_morning(stage)
    _tuesday(stage, ids)
    _later(stage, ids)
    stage.advance(at(30, "08:00"))
    stage.run(weekly_digest)
    stage.settle()
    _print_digest(screen)
    return print_verdict(screen, stage, ids)


def _tuesday_morning(stage: Stage) -> dict[str, int]:
    ids: dict[str, int] = {}
    wang = CustomerDetails(name="王丽", phone="13800138001", region="east", language="zh-CN")
    ids["objection"] = stage.report(
        wang,
        Report(channel=Channel.HOTLINE, description="空调不制冷，昨天开始的。", product_model="KFR-35"),
        taken_by=seed.address("liu.fang"),
    )
    stage.advance(at(24, "09:05"))
    john = CustomerDetails(name="John Smith", email="john.smith@customer.example", region="west", language="en")
    ids["urgent"] = stage.report(
        john,
        Report(
            channel=Channel.WEB,
            description="There is smoke coming out of the boiler, and a burning smell.",
            product_model="B-200",
        ),
    )
    stage.advance(at(24, "09:10"))
    chen = CustomerDetails(name="陈强", phone="13800138003", region="east", language="zh-CN")
    ids["question"] = stage.report(chen, Report(channel=Channel.WECHAT, description="请问定时功能怎么设置？"))
    stage.advance(at(24, "09:15"))
    emma = CustomerDetails(name="Emma Brown", phone="+447400123456", region="west", language="en")
    ids["delay"] = stage.report(
        emma,
        Report(channel=Channel.APP, description="The washing machine leaks at the door.", product_model="WM-7"),
    )
    stage.advance(at(24, "09:20"))
    zhao = CustomerDetails(name="赵敏", phone="13800138005", region="east", language="zh-CN")
    ids["breach"] = stage.report(
        zhao, Report(channel=Channel.HOTLINE, description="冰箱漏水，地板都湿了。", product_model="BCD-210")
    )
    return ids


def _plan(deadline: datetime, *steps: str, appointment: datetime | None = None, **more: Any) -> ProposePlan:
    return ProposePlan(
        kind=PlanKind.REPAIR, steps=list(steps), deadline_at=deadline, appointment_at=appointment, **more
    )


def _tuesday(stage: Stage, ids: dict[str, int]) -> None:
    urgent, question, objection, delay, breach = (
        ids[name] for name in ("urgent", "question", "objection", "delay", "breach")
    )
    stage.advance(at(24, "09:25"))
    stage.by_assignee(urgent, FirstContact(summary="Boiler switched off, nobody hurt"), "calls: switch it off, I come")
    stage.by_assignee(
        urgent,
        _plan(at(24, "13:00"), "Replace the burner's fan", "Test for gas", appointment=at(24, "11:00")),
        "proposes a visit at 11:00",
    )
    stage.advance(at(24, "09:35"))
    stage.by_customer(urgent, AgreePlan(), "agrees to the plan")
    stage.advance(at(24, "09:40"))
    stage.by_assignee(question, FirstContact(summary="想设置晚上自动关机"), "在微信上联系了客户")
    stage.by_assignee(
        question,
        Complete(summary="已说明定时功能的设置方法", guidance_only=True, usage_advice="长按定时键三秒即可取消定时"),
        "说明了设置方法",
    )
    stage.by_customer(question, ConfirmCompletion(signed_by="陈强"), "确认问题已解决")
    stage.advance(at(24, "10:00"))
    stage.by_assignee(objection, FirstContact(summary="室外机不启动，可能是电容"), "电话联系客户，确认故障")
    stage.by_assignee(
        objection,
        _plan(at(27, "18:00"), "上门检测", "更换电容", appointment=at(27, "15:00")),
        "提出方案：周五上门",
    )
    stage.advance(at(24, "10:20"))
    stage.by_customer(objection, ObjectToPlan(reason="周五太晚了，家里有老人"), "不同意：周五太晚了，家里有老人")
    stage.by_assignee(
        objection,
        _plan(
            at(25, "18:00"),
            "明天上门维修",
            appointment=at(25, "10:00"),
            options=[
                PlanOption(title="明天上午上门维修", pros="明天就能修好", cons="需要有人在家"),
                PlanOption(title="今天先送备用机，周五维修", pros="今天就有空调用", cons="要等到周五"),
            ],
        ),
        "修改方案：加急，并提供备用机的选择",
    )
    stage.advance(at(24, "10:30"))
    stage.by_customer(objection, AgreePlan(option=1), "同意，选择明天上午上门")
    stage.advance(at(24, "10:40"))
    stage.by_assignee(delay, FirstContact(summary="Door seal is torn"), "calls, confirms the leak")
    stage.by_assignee(
        delay, _plan(at(25, "18:00"), "Replace the door seal", appointment=at(25, "14:00")), "proposes a visit"
    )
    stage.by_customer(delay, AgreePlan(), "agrees to the plan")
    stage.advance(at(24, "11:00"))
    stage.by_assignee(urgent, LogStep(step="On site, fan replaced, no gas detected"), "logs: fan replaced")
    stage.advance(at(24, "12:00"))
    stage.by_assignee(
        urgent,
        Complete(summary="Burner fan replaced, tested for an hour", tested=True, usage_advice="Yearly service advised"),
        "completes the work",
    )
    stage.by_customer(urgent, ConfirmCompletion(signed_by="John Smith"), "confirms and signs")
    # Nobody contacts 赵敏: half the time, four fifths, and then the promise is broken.
    stage.advance(at(24, "13:40"))
    stage.by_assignee(breach, FirstContact(summary="排水管堵塞"), "接手后联系客户")
    stage.by_assignee(breach, _plan(at(25, "12:00"), "疏通排水管"), "提出方案")
    stage.advance(at(24, "14:00"))
    stage.by_customer(breach, AgreePlan(), "同意方案")


def _later(stage: Stage, ids: dict[str, int]) -> None:
    objection, delay, breach, urgent = (ids[name] for name in ("objection", "delay", "breach", "urgent"))
    stage.advance(at(25, "09:30"))
    stage.by_assignee(breach, Complete(summary="排水管已疏通，试机正常", tested=True), "完成维修")
    stage.by_customer(breach, ConfirmCompletion(signed_by="赵敏"), "确认并签字")
    stage.advance(at(25, "10:10"))
    stage.by_assignee(objection, LogStep(step="已上门检测，正在更换电容"), "记录进度：已上门检测")
    stage.advance(at(25, "11:00"))
    stage.by_assignee(
        objection,
        Complete(summary="更换电容，制冷恢复正常", tested=True, usage_advice="建议每年清洗一次滤网"),
        "完成维修并试机",
    )
    stage.by_customer(objection, ConfirmCompletion(signed_by="王丽"), "确认修好并签字")
    stage.advance(at(25, "13:00"))
    stage.answer_survey(urgent, (5, 5, 5, 5), "Fast and kind, thank you")
    stage.advance(at(25, "14:00"))
    stage.by_assignee(
        delay,
        ReportDelay(
            reason="The door seal is out of stock",
            expected_at=at(27, "15:00"),
            contingency="A loaner machine is brought tonight",
        ),
        "reports that the part is missing",
    )
    stage.advance(at(26, "12:00"))
    stage.answer_survey(objection, (5, 5, 5, 5), "师傅很专业，第二天就修好了")
    stage.answer_survey(breach, (3, 4, 5, 4), "开始等得有点久")
    stage.advance(at(27, "15:00"))
    stage.by_assignee(delay, Complete(summary="Door seal replaced and tested", tested=True), "completes the work")
    stage.by_customer(delay, ConfirmCompletion(signed_by="Emma Brown"), "confirms and signs")
    stage.advance(at(28, "16:00"))
    stage.answer_survey(delay, (1, 4, 3, 2), "Three days without a washing machine")
    stage.advance(at(28, "17:40"))
    _call_back(stage, delay)


def _call_back(stage: Stage, ticket_id: int) -> None:
    with transaction() as connection:
        call = callbacks.list_of(connection, ticket_id)[-1]
        actor = staff.actor(connection, seed.address("carol.king"))
        callbacks.complete(
            connection,
            call["id"],
            actor,
            reason="The part was missing and nobody said so before the visit",
            suggestion="Check the stock before an appointment is made",
            now=stage.now,
        )
    stage.say(call["supervisor_name"], ticket_id, "calls Emma Brown back, late, and records reason and suggestion")


def _print_digest(screen: Screen) -> None:
    with transaction() as connection:
        digest = mailbox.list_entries(connection, seed.address("grace.lee"))[0]
    screen.say((f"\nThe digest that Grace Lee reads: {digest['subject']}\n", "bold"), lines=True)
    for line in digest["body"].splitlines():
        screen.say(line.rstrip())
