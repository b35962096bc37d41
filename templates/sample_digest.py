"""This file holds the figures of a lively sample week for tests and previews of the digest."""

from __future__ import annotations

from typing import Any

_WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "people": ["Daniel Evans", "Helen Cox", "Daniel Evans"],
        "teams": ["Shanghai service", "Hangzhou service", "Shanghai service"],
        "regions": ["Shanghai", "Hangzhou", "Nanjing"],
        "comments": ["The engineer came two hours late and nobody told me.", "Still noisy.", ""],
        "reason": "Visit moved without telling the customer",
        "frequent": ["late", "noise"],
        "measures": [
            "Call every customer before the engineer leaves",
            "Keep fan motors in stock at the regional store",
        ],
    },
    "zh-CN": {
        "people": ["张伟", "陈静", "张伟"],
        "teams": ["上海服务部", "杭州服务部", "上海服务部"],
        "regions": ["上海", "杭州", "南京"],
        "comments": ["工程师晚到了两个小时，也没人提前说一声。", "还是有噪音。", ""],
        "reason": "改约后没有通知客户",
        "frequent": ["迟到", "噪音"],
        "measures": ["工程师出发前先给客户打电话", "区域仓库常备风扇电机"],
    },
}


def _pair(now: float | None, before: float | None) -> dict[str, float | None]:
    return {"now": now, "before": before}


def _promise(met: tuple[int, int], missed: tuple[int, int]) -> dict[str, Any]:
    totals = [kept + lost for kept, lost in zip(met, missed, strict=True)]
    shares = [kept / total if total else None for kept, total in zip(met, totals, strict=True)]
    return {"met": _pair(*met), "missed": _pair(*missed), "share": _pair(*shares)}


def sample_digest(language: str) -> dict[str, Any]:
    """A digest as domain.digest.compute returns it."""
    words = _WORDS.get(language, _WORDS["en"])
    return {
        "week": "2026-W47",
        "span": {"kind": "week", "region": None},
        "since": "2026-11-16T00:00:00+08:00",
        "until": "2026-11-23T00:00:00+08:00",
        "volume": {
            "opened": _pair(86, 79),
            "completed": _pair(81, 74),
            "closed": _pair(77, 77),
            "cancelled": _pair(3, 5),
            "open_at_end": _pair(24, 22),
            "by_channel": {
                "hotline": _pair(31, 30),
                "wechat": _pair(28, 20),
                "web": _pair(17, 19),
                "store": _pair(10, 10),
            },
            "by_category": {
                "product_fault": _pair(48, 41),
                "usage_question": _pair(22, 25),
                "complaint": _pair(6, 4),
                "guarantee": _pair(10, 9),
            },
            "by_priority": {"P1": _pair(5, 3), "P2": _pair(39, 36), "P3": _pair(42, 40)},
            "by_region": dict(zip(words["regions"], (_pair(50, 45), _pair(26, 24), _pair(10, 10)), strict=True)),
        },
        "sla": {
            "response": _promise((83, 72), (3, 6)),
            "resolution": _promise((75, 70), (11, 4)),
            "by_priority": {
                "P1": {"response": _promise((5, 3), (0, 0)), "resolution": _promise((4, 2), (1, 0))},
                "P2": {"response": _promise((37, 33), (2, 3)), "resolution": _promise((34, 33), (8, 2))},
                "P3": {"response": _promise((41, 36), (1, 3)), "resolution": _promise((37, 35), (2, 2))},
            },
            "by_category": {
                "product_fault": {"response": _promise((46, 39), (2, 3)), "resolution": _promise((42, 36), (10, 2))},
                "usage_question": {"response": _promise((22, 22), (0, 1)), "resolution": _promise((21, 22), (0, 1))},
                "complaint": {"response": _promise((6, 3), (0, 1)), "resolution": _promise((4, 4), (0, 0))},
                "guarantee": {"response": _promise((9, 8), (1, 1)), "resolution": _promise((8, 8), (1, 1))},
            },
            "by_region": dict(
                zip(
                    words["regions"],
                    (
                        {"response": _promise((48, 40), (2, 4)), "resolution": _promise((42, 40), (10, 2))},
                        {"response": _promise((25, 22), (1, 2)), "resolution": _promise((23, 20), (1, 2))},
                        {"response": _promise((10, 10), (0, 0)), "resolution": _promise((10, 10), (0, 0))},
                    ),
                    strict=True,
                )
            ),
            "by_team": {
                words["teams"][0]: {"response": _promise((57, 50), (2, 4)), "resolution": _promise((51, 50), (10, 2))},
                words["teams"][1]: {"response": _promise((26, 22), (0, 2)), "resolution": _promise((24, 20), (1, 2))},
                "": {"response": _promise((0, 0), (1, 0)), "resolution": _promise((0, 0), (0, 0))},
            },
        },
        "breaches": [
            {
                "ticket_number": f"TK-0000{number}",
                "priority": priority,
                "clock": clock,
                "due_at": due_at,
                "cause": cause,
                "assignee_name": name,
                "team_name": team,
            }
            for (number, priority, clock, due_at, cause), name, team in zip(
                [
                    ("0981", "P1", "resolution", "2026-11-18T09:30:00+00:00", "waited_for_part"),
                    ("0975", "P2", "response", "2026-11-17T02:12:00+00:00", "contacted_late"),
                    ("0990", "P2", "resolution", "2026-11-20T16:05:00+00:00", "waited_for_part"),
                ],
                words["people"],
                words["teams"],
                strict=True,
            )
        ],
        "satisfaction": {
            "asked": _pair(70, 66),
            "answered": _pair(43, 39),
            "means": {
                "efficiency": _pair(4.12, 4.31),
                "attitude": _pair(4.65, 4.6),
                "solution": _pair(4.4, 4.38),
                "overall": _pair(4.35, 4.21),
            },
            "low_share": _pair(0.07, 0.103),
            "stages": {
                "booking": {"mean": _pair(4.5, 4.42), "low_share": _pair(0.048, 0.056), "given": _pair(42, 36)},
                "on_site": {"mean": _pair(4.1, 4.33), "low_share": _pair(0.161, 0.074), "given": _pair(31, 27)},
                "follow_up": {"mean": _pair(4.21, 4.2), "low_share": _pair(0.105, 0.114), "given": _pair(38, 35)},
                "confirmation": {"mean": _pair(4.6, 4.55), "low_share": _pair(0.026, 0.029), "given": _pair(39, 34)},
            },
        },
        "low_scores": [
            _low("TK-00000944", 1, words["comments"][0], words["reason"], "done", True),
            _low("TK-00000951", 2, words["comments"][1], None, "done", False),
            _low("TK-00000967", 3, words["comments"][2], None, "open", None),
        ],
        "callbacks": {"due": _pair(8, 9), "in_time_share": _pair(0.875, 0.889)},
        "benchmarks": {"answered": {"share": 0.942, "target": 0.7}, "informed": {"share": 0.81, "target": 0.85}},
        "breach_causes": [
            {"cause": "waited_for_part", "now": 8, "before": 1},
            {"cause": "took_longer", "now": 3, "before": 3},
            {"cause": "contacted_late", "now": 2, "before": 4},
            {"cause": "nobody_assigned", "now": 1, "before": 0},
            {"cause": "delay_reported", "now": 0, "before": 2},
        ],
        "trend": [
            _period("2026-W43", 72, 0.955, 0.942, 4.28, 0.081, 0.9),
            _period("2026-W44", 81, 0.938, 0.921, 4.3, 0.075, 1.0),
            _period("2026-W45", 64, 0.969, 0.955, 4.36, None, None),
            _period("2026-W46", 79, 0.923, 0.946, 4.21, 0.103, 0.889),
            _period("2026-W47", 86, 0.965, 0.872, 4.35, 0.07, 0.875),
        ],
        "targets": {
            "response_share": 0.95,
            "resolution_share": 0.9,
            "overall_mean": 4.3,
            "low_share": 0.1,
            "callbacks_in_time_share": 0.95,
        },
        "headline": {
            "kind": "worse",
            "values": {
                "figure": "resolution_share",
                "now": 0.872,
                "before": 0.946,
                "because": {"of": "breach_cause", "value": "waited_for_part", "now": 8, "before": 1},
            },
        },
        "words": [
            {"word": words["frequent"][0], "now": 9, "before": 3},
            {"word": words["frequent"][1], "now": 5, "before": 6},
        ],
        "actions": [
            _action(1, words["measures"][0], "service", "2026-11-20", is_overdue=True),
            _action(2, words["measures"][1], "parts_supply", "2026-12-04", is_overdue=False),
        ],
        "best": [_person(words["people"][1], words["teams"][1], "satisfaction", 4.9, 4.35)],
        "coaching": [_person(words["people"][0], words["teams"][0], "hours", 31.5, 19.25)],
    }


def _period(
    label: str, opened: int, response: float, resolution: float, overall: float, low: float | None, called: float | None
) -> dict[str, Any]:
    return {
        "label": label,
        "opened": opened,
        "response_share": response,
        "resolution_share": resolution,
        "overall_mean": overall,
        "low_share": low,
        "callbacks_in_time_share": called,
    }


def _person(name: str, team: str, measure: str, value: float, house: float) -> dict[str, Any]:
    reason = {"measure": measure, "value": value, "house": house, "count": 22}
    return {"name": name, "team": team, "tickets": 24, "reasons": [reason]}


def _action(action_id: int, measure: str, department: str, due_on: str, *, is_overdue: bool) -> dict[str, Any]:
    return {"id": action_id, "measure": measure, "department": department, "due_on": due_on, "is_overdue": is_overdue}


def _low(
    ticket_number: str, overall: int, comment: str, reason: str | None, callback_state: str, in_time: bool | None
) -> dict[str, Any]:
    return {
        "ticket_number": ticket_number,
        "overall": overall,
        "comment": comment,
        "reason": reason,
        "callback_state": callback_state,
        "in_time": in_time,
    }
