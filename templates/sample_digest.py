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
    },
    "zh-CN": {
        "people": ["张伟", "陈静", "张伟"],
        "teams": ["上海服务部", "杭州服务部", "上海服务部"],
        "regions": ["上海", "杭州", "南京"],
        "comments": ["工程师晚到了两个小时，也没人提前说一声。", "还是有噪音。", ""],
        "reason": "改约后没有通知客户",
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
            "resolution": _promise((75, 70), (6, 4)),
            "by_priority": {
                "P1": {"response": _promise((5, 3), (0, 0)), "resolution": _promise((4, 2), (1, 0))},
                "P2": {"response": _promise((37, 33), (2, 3)), "resolution": _promise((34, 33), (3, 2))},
                "P3": {"response": _promise((41, 36), (1, 3)), "resolution": _promise((37, 35), (2, 2))},
            },
        },
        "breaches": [
            {
                "ticket_number": f"TK-0000{number}",
                "priority": priority,
                "clock": clock,
                "due_at": due_at,
                "assignee_name": name,
                "team_name": team,
            }
            for (number, priority, clock, due_at), name, team in zip(
                [
                    ("0981", "P1", "resolution", "2026-11-18T09:30:00+00:00"),
                    ("0975", "P2", "response", "2026-11-17T02:12:00+00:00"),
                    ("0990", "P2", "resolution", "2026-11-20T16:05:00+00:00"),
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
        },
        "low_scores": [
            _low("TK-00000944", 1, words["comments"][0], words["reason"], "done", True),
            _low("TK-00000951", 2, words["comments"][1], None, "done", False),
            _low("TK-00000967", 3, words["comments"][2], None, "open", None),
        ],
        "callbacks": {"due": _pair(8, 9), "in_time_share": _pair(0.875, 1.0)},
        "benchmarks": {"answered": {"share": 0.942, "target": 0.7}, "informed": {"share": 0.81, "target": 0.85}},
    }


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
