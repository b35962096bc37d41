"""This file holds realistic contexts for every message, in Chinese and English: for tests and previews."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.improvement import ActionNotice
from domain.lifecycle import CommandName
from domain.messages import MESSAGES, MessageKind
from domain.people import Department, Tier
from domain.satisfaction import CallbackKind
from domain.sla import ClockKind
from templates.languages import language_for
from templates.sample_digest import sample_digest

# A Tuesday, 14:00 in Shanghai.
SAMPLE_NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)

K = MessageKind


def _in(**ahead: float) -> str:
    return (SAMPLE_NOW + timedelta(**ahead)).isoformat()


_WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "customer": "Grace Miller",
        "assignee": "Daniel Evans",
        "supervisor": "Rachel Stone",
        "subject": "Air conditioner does not cool",
        "question": "Which error code does the display show, and since when?",
        "steps": [
            "Check the outdoor unit and measure the pressure of the refrigerant",
            "Replace the fan motor if it is faulty",
            "Test the cooling for 30 minutes together with you",
        ],
        "options": [
            {"title": "Repair at home", "pros": "Done in one visit", "cons": "You need to be at home for two hours"},
            {"title": "Repair in the workshop", "pros": "No visit; loaner device included", "cons": "Takes five days"},
        ],
        "confirmed": "The outdoor unit has not started since yesterday evening; the display shows E4.",
        "step": "The new fan motor was sent today and arrives tomorrow morning.",
        "request": "A fan motor FM-20, today if there is one.",
        "delay": "The fan motor is out of stock at the regional warehouse.",
        "contingency": "We bring you a loaner device tomorrow morning, free of charge.",
        "summary": "Fan motor replaced, cooling tested for 30 minutes: 18 °C at the outlet.",
        "advice": "Clean the filter every two months.\nDo not cover the outdoor unit.",
        "cancelled": "You told us that the problem is gone.",
        "reply": "It shows E4, since yesterday evening.",
        "comment": "The engineer came two hours late and nobody told me.",
        "note": "Can you come before noon? The key is with the neighbour.",
        "assigned": "on_duty; region=Shanghai; skill=KFR-35; open=3",
        "change": "Engineers now call you half an hour before they arrive.",
        "measure": "Engineers call half an hour before they arrive, and at once when they are late",
        "effect": "Nobody waits at home without knowing; a third fewer low scores for service on site",
    },
    "zh-CN": {
        "customer": "王丽",
        "assignee": "张伟",
        "supervisor": "李敏",
        "subject": "客厅空调不制冷",
        "question": "请问显示屏上的故障代码是多少？从什么时候开始的？",
        "steps": ["检查室外机并测量制冷剂压力", "如风扇电机故障则更换", "与您一起试机30分钟"],
        "options": [
            {"title": "上门维修", "pros": "一次上门即可修好", "cons": "需要您在家约两小时"},
            {"title": "送修", "pros": "无需上门，提供备用机", "cons": "需要五天"},
        ],
        "confirmed": "昨晚开始室外机不启动，显示屏提示E4。",
        "step": "新的风扇电机今天已发出，预计明天上午送达。",
        "request": "需要风扇电机FM-20一台，最好今天能送到。",
        "delay": "区域仓库的风扇电机暂时缺货。",
        "contingency": "明天上午为您送一台备用机，不收费。",
        "summary": "已更换风扇电机，试机30分钟，制冷正常。",
        "advice": "每两个月清洗一次滤网。\n请勿遮挡室外机。",
        "cancelled": "您告知问题已自行解决。",
        "reply": "显示E4，昨天晚上开始的。",
        "comment": "工程师晚到了两个小时，也没人提前说一声。",
        "note": "能在中午前来吗？钥匙在邻居家。",
        "assigned": "on_duty; region=上海; skill=KFR-35; open=3",
        "change": "工程师现在会在上门前半小时给您打电话。",
        "measure": "工程师上门前半小时致电客户，可能迟到时马上告知",
        "effect": "客户不再空等；现场服务的低分减少三分之一",
    },
}


def _plan(words: dict[str, Any], revision: int) -> dict[str, Any]:
    return {
        "revision": revision,
        "kind": "repair",
        "steps": words["steps"],
        "deadline_at": _in(hours=28),
        "appointment_at": _in(hours=20),
        "options": words["options"],
    }


def _own(words: dict[str, Any], language: str) -> dict[MessageKind, dict[str, Any]]:
    """What the words of one kind only may use, beside what every message about a ticket has."""
    response, resolution = ClockKind.RESPONSE.value, ClockKind.RESOLUTION.value
    callback = {"callback_kind": CallbackKind.LOW_SCORE.value, "overall": 2, "comment": words["comment"]}
    return {
        K.TICKET_RECEIVED: {"assign_by": _in(minutes=30), "assignee_name": None},
        K.FIRST_CONTACT_MADE: {"summary": words["confirmed"]},
        K.QUESTION_ASKED: {"question": words["question"]},
        K.PLAN_PROPOSED: {"plan": _plan(words, 1)},
        K.PLAN_REVISED: {"plan": _plan(words, 2)},
        K.APPOINTMENT_CONFIRMED: {"appointment_at": _in(hours=20)},
        K.APPOINTMENT_REMINDER: {"appointment_at": _in(hours=20), "plan_revision": 1},
        K.PROGRESS_STEP: {"step": words["step"]},
        K.DELAY_REPORTED: {
            "reason": words["delay"],
            "expected_at": _in(days=2),
            "contingency": words["contingency"],
        },
        K.WORK_COMPLETED: {
            "summary": words["summary"],
            "usage_advice": words["advice"],
            "close_at": _in(hours=72),
            "completion_no": 1,
        },
        K.TICKET_CANCELLED: {"reason": words["cancelled"]},
        K.SURVEY_INVITATION: {"expires_at": _in(days=7), "survey_id": 1},
        K.SURVEY_REMINDER: {"expires_at": _in(days=5), "survey_id": 1},
        K.SURVEY_AGAIN: {"expires_at": _in(days=7), "survey_id": 1, "change": words["change"]},
        K.CALLBACK_PROMISED: {"call_by": _in(hours=1)},
        K.FOLLOW_UP_VISIT: {"visit_at": _in(days=5, hours=-4), "visitor_name": words["supervisor"]},
        K.STAFF_ASSIGNED: {"tier": int(Tier.REGIONAL_DEPARTMENT), "reason": words["assigned"]},
        K.STAFF_SUPPORT_REQUESTED: {
            "department": Department.PARTS_SUPPLY.value,
            "request": words["request"],
            "priority": "P1",
            "respond_by": _in(hours=2),
            "resolve_by": _in(hours=24),
        },
        K.STAFF_CUSTOMER_ANSWERED: {
            "answer": CommandName.RECORD_REPLY.value,
            "comment": words["reply"],
            "proposed_at": _in(days=2),
        },
        K.STAFF_CUSTOMER_WROTE: {"note": words["note"]},
        K.STAFF_MESSAGE_FAILED: {"message_kind": K.PLAN_PROPOSED.value, "medium": "sms", "code": "30003"},
        K.STAFF_CHANNEL_STOPPED: {"medium": "sms", "provider": "Twilio", "code": "20003", "waiting": 12},
        K.STAFF_SLA_WARNING: {"clock": response, "share": 0.8} | dict.fromkeys(_RESPONSE, _in(minutes=48)),
        K.STAFF_SLA_BREACH: {"clock": response} | dict.fromkeys(_RESPONSE, _in(minutes=-1)),
        K.STAFF_SLA_ESCALATION: {"clock": resolution} | dict.fromkeys(_RESOLUTION, _in(hours=-12)),
        K.STAFF_CALLBACK_DUE: callback | {"call_by": _in(hours=1), "supervisor_name": words["supervisor"]},
        K.STAFF_CALLBACK_OVERDUE: callback | {"call_by": _in(hours=-1), "supervisor_name": words["supervisor"]},
        K.STAFF_IMPROVEMENT_ACTION: {
            "notice": ActionNotice.OVERDUE.value,
            "action_id": 1,
            "measure": words["measure"],
            "department": Department.SERVICE.value,
            "due_on": "2026-11-20",
            "expected_effect": words["effect"],
        },
        K.WEEKLY_DIGEST: {
            "digest": sample_digest(language),
            "base": "https://care.example.com",
            "charts": {},
            "sheet": {"is_attached": True},
        },
    }


_TO_ASSIGNEE = {K.STAFF_ASSIGNED, K.STAFF_CUSTOMER_ANSWERED, K.STAFF_CUSTOMER_WROTE, K.STAFF_MESSAGE_FAILED}
# A warning's deadline is its clock's deadline.
_RESPONSE, _RESOLUTION = ("due_at", "respond_by"), ("due_at", "resolve_by")


def sample_recipient(kind: MessageKind, *, language: str = "zh-CN") -> str:
    """Who reads the sample of a kind: the customer, the assignee or a supervisor."""
    words = _WORDS.get(language_for(language), _WORDS["en"])
    if not kind.value.startswith("staff_"):
        return str(words["supervisor" if kind is K.WEEKLY_DIGEST else "customer"])
    return str(words["assignee" if kind in _TO_ASSIGNEE else "supervisor"])


def sample_context(kind: MessageKind, *, language: str = "zh-CN") -> dict[str, Any]:
    """A context as the outbox keeps it, as seen at SAMPLE_NOW; moments are ISO 8601 UTC.

    A language without samples of its own gets those of the language it falls back to.
    """
    language = language_for(language)
    words = _WORDS.get(language, _WORDS["en"])
    own = _own(words, language).get(kind, {})
    if not MESSAGES[kind].about_ticket:
        return own
    if kind is K.TICKET_UPDATES:
        news = (K.TICKET_ASSIGNED, K.FIRST_CONTACT_MADE, K.PROGRESS_STEP)
        own = {"updates": [{"kind": of.value, "context": sample_context(of, language=language)} for of in news]}
    return {
        "ticket_number": "TK-00001024",
        "customer_name": words["customer"],
        "subject": words["subject"],
        "category": "product_fault",
        "priority": "P2",
        "respond_by": _in(hours=4),
        "resolve_by": _in(hours=48),
        "assignee_name": words["assignee"],
        **own,
    }


def sample_today() -> dict[str, Any]:
    """How the service stands at SAMPLE_NOW on a bad day."""
    counts = (("new", (1, 0, 0)), ("in_work", (0, 14, 9)), ("waiting_customer", (0, 0, 4)))
    flows = (("sla_watchdog", "Running"), ("weekly_digest", "Failed"))
    return {
        "now": SAMPLE_NOW,
        "flows": [{"name": name, "state": state, "at": _in(minutes=-2), "id": "0" * 32} for name, state in flows],
        "today": {
            "open": [
                {"state": state, "counts": dict(zip(("P1", "P2", "P3"), by, strict=True))} for state, by in counts
            ],
            "due_soon": 3,
            "overdue": 2,
            "callbacks": 5,
            "callbacks_overdue": 1,
            "messages_waiting": 12,
            "messages_wait_since": SAMPLE_NOW - timedelta(minutes=7),
            "messages": {"failed": 1, "unknown": 2},
            "stopped": [{"medium": "sms"}],
            "events_pending": 1,
            "events_pending_since": SAMPLE_NOW - timedelta(seconds=3),
            "events_postponed": 1,
            "inbox_pending": 0,
        },
    }


def sample_script(*, language: str = "zh-CN") -> dict[str, Any]:
    """What the words of a script may use, as seen at SAMPLE_NOW, besides who speaks and when."""
    words = _WORDS.get(language_for(language), _WORDS["en"])
    plan = _plan(words, 1)
    return {
        "comment": words["comment"],
        "customer_name": words["customer"],
        "delay": {"reason": words["delay"], "expected_at": _in(days=2), "contingency": words["contingency"]},
        "description": words["reply"],
        "is_safety_risk": True,
        "objection": words["note"],
        "order_number": "20261120-0815",
        "overall": 2,
        "plan": plan,
        "product_model": "KFR-35",
        "promised_at": _in(hours=24),
        "question": words["question"],
        "serial_number": "SN-0042",
        "staff_name": words["assignee"],
        "state": "in_work",
        "subject": words["subject"],
        "summary": words["summary"],
        "ticket_number": "TK-00001024",
        "understood": words["confirmed"],
        "usage_advice": words["advice"],
        "wish": words["note"],
    }
