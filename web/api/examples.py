"""Examples of what is sent to the API, for its description; each is valid in form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.lifecycle import CommandName

C = CommandName

CUSTOMER: dict[str, Any] = {"name": "王丽", "phone": "+86 138 0013 8000", "language": "zh-CN", "region": "east"}
REPORT_OF_NEW: dict[str, Any] = {
    "customer": CUSTOMER,
    "report": {
        "channel": "wechat",
        "description": "空调不制冷，昨天开始的",
        "impact": "core_use_lost",
        "product_model": "KFR-35GW",
    },
}
REPORT_OF_KNOWN: dict[str, Any] = {
    "customer_id": 1,
    "report": {"channel": "chat", "description": "The washing machine leaks.", "serial_number": "WM-0042"},
}
ANSWER: dict[str, Any] = {"efficiency": 4, "attitude": 5, "solution": 4, "overall": 4, "comment": "quick and friendly"}
RESULT: dict[str, Any] = {"reason": "waited three days for the part", "suggestion": "say at once when a part lacks"}

SUBSCRIPTION: dict[str, Any] = {
    "name": "CRM",
    "url": "https://crm.example.com/hooks/aftercare",
    "kinds": ["opened", "complete", "confirm_completion", "sla_breached"],
}

COMMANDS: Mapping[CommandName, dict[str, Any]] = {
    C.ACKNOWLEDGE: {},
    C.ASSIGN: {"assignee_id": 1, "reason": "knows this model"},
    C.ESCALATE_TIER: {"assignee_id": 9, "reason": "needs the centre's test bench"},
    C.FIRST_CONTACT: {"summary": "called; it does not cool, the fan turns"},
    C.CHANGE_CATEGORY: {"category": "complaint", "reason": "the customer complains of the visit"},
    C.CHANGE_PRIORITY: {"impact": "core_use_lost", "is_safety_risk": False, "reason": "it stands still now"},
    C.ASK_CUSTOMER: {"question": "Which error does the display show?"},
    C.RECORD_REPLY: {"reply": "E4"},
    C.PROPOSE_PLAN: {
        "kind": "repair",
        "steps": ["replace the capacitor", "test for an hour"],
        "deadline_at": "2027-03-05T18:00:00+08:00",
        "appointment_at": "2027-03-04T10:00:00+08:00",
        "options": [
            {"title": "repair", "pros": "tomorrow", "cons": "an older part"},
            {"title": "exchange", "pros": "a new unit", "cons": "in a week"},
        ],
    },
    C.AGREE_PLAN: {"option": 1, "agreed_by_phone_with": "王丽"},
    C.OBJECT_TO_PLAN: {"reason": "not before Friday"},
    C.LOG_STEP: {"step": "the capacitor is replaced"},
    C.REPORT_DELAY: {
        "reason": "the part is late",
        "expected_at": "2027-03-06T18:00:00+08:00",
        "contingency": "a unit on loan comes today",
    },
    C.REQUEST_SUPPORT: {"department": "parts_supply", "request": "a fan motor FM-20, today if there is one"},
    C.ADD_NOTE: {"note": "prefers calls in the evening"},
    C.REPORT_AGAIN: {"description": "it drips now as well"},
    C.COMPLETE: {"summary": "capacitor replaced, cools to 18 °C", "tested": True, "usage_advice": "clean the filter"},
    C.REPORT_NOT_FIXED: {"reason": "it stopped again after an hour"},
    C.CONFIRM_COMPLETION: {"signed_by": "王丽"},
    C.REOPEN: {"reason": "the fault is back"},
    C.CANCEL: {"reason": "the customer has solved it"},
}
