"""The digest's figures once more, from plain tables with pandas: the product's own counting is used nowhere."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from domain.breaches import BrokenPromise, cause_of
from domain.satisfaction import DIMENSIONS, STAGES
from domain.sla import ClockKind
from domain.spans import Span
from domain.standard import Standard

Frames = dict[str, pd.DataFrame]
JUDGED = ("response", "resolution")


def read_tables(connection: Connection, *, first_ticket: int = 0) -> Frames:
    """Every row of the tables that figures are made of, from a ticket on."""
    of_tickets = "WHERE ticket_id >= :first"
    wanted = {
        "tickets": "WHERE id >= :first",
        **dict.fromkeys(("ticket_events", "sla_clocks", "surveys", "callbacks"), of_tickets),
        "survey_answers": f"WHERE survey_id IN (SELECT id FROM surveys {of_tickets})",
        "staff": "",
        "teams": "",
    }
    return {name: _read(connection, f"SELECT * FROM {name} {rows}", first_ticket) for name, rows in wanted.items()}


def _read(connection: Connection, query: str, first_ticket: int) -> pd.DataFrame:
    found = connection.execute(text(query), {"first": first_ticket} if ":first" in query else {})
    frame = pd.DataFrame(found.all(), columns=list(found.keys()))
    for column in frame.columns:
        if column == "at" or column.endswith("_at"):
            frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame


def by_pandas(tables: Frames, span: Span, standard: Standard) -> dict[str, Any]:
    """The figures that are counted; cases, targets and headline are not."""
    tickets = tables["tickets"]
    if span.region is not None:
        tickets = tickets[tickets["region"] == span.region]
    clocks = _judged(tables, tickets, span)
    answers = _of_tickets(
        tables["survey_answers"].merge(_ids(_of_completion(tables["surveys"])), on="survey_id"), tickets
    )
    answers = _in_periods(answers, answers["answered_at"], span)
    calls = _owed(tables, tickets, span)
    return {
        "volume": _volume(tables, tickets, span),
        "sla": {kind: _kept(clocks[clocks["kind"] == kind]) for kind in JUDGED}
        | {f"by_{part}": _kept_by(clocks, part) for part in ("priority", "category", "region", "team")},
        "breach_causes": _causes(tables, clocks),
        "satisfaction": _satisfaction(tables, tickets, answers, span, standard.callback.low_score),
        "callbacks": {"due": _pair(calls, len), "in_time_share": _pair(calls, lambda half: _share(half["in_time"]))},
        "benchmarks": {
            "answered": _answered(tables, tickets, span, standard),
            "informed": _informed(tables, tickets, span, standard),
        },
        "trend": [
            {
                "opened": len(_period(_in_periods(tickets, tickets["opened_at"], span), number)),
                **{f"{kind}_share": _share(_period(clocks[clocks["kind"] == kind], number)["met"]) for kind in JUDGED},
                "overall_mean": _mean(_period(answers, number)["overall"]),
                "low_share": _share(_period(answers, number)["overall"] <= standard.callback.low_score),
                "callbacks_in_time_share": _share(_period(calls, number)["in_time"]),
            }
            for number in range(5)
        ],
    }


def _of_completion(surveys: pd.DataFrame) -> pd.DataFrame:
    return surveys[surveys["action_id"].isna()]


def _ids(surveys: pd.DataFrame) -> pd.DataFrame:
    return surveys[["id", "ticket_id"]].rename(columns={"id": "survey_id"})


def _of_tickets(frame: pd.DataFrame, tickets: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["ticket_id"].isin(tickets["id"])]


def _in_periods(frame: pd.DataFrame, at: pd.Series[Any], span: Span) -> pd.DataFrame:
    borders = pd.DatetimeIndex(pd.to_datetime(list(span.borders), utc=True))
    number = pd.Series(borders.searchsorted(at, side="right") - 1, index=frame.index, dtype=int)
    return frame.assign(period=number)[at.notna() & number.between(0, 4)]


def _period(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    return frame[frame["period"] == number]


def _pair(frame: pd.DataFrame, figure: Any) -> dict[str, Any]:
    return {"now": figure(_period(frame, 4)), "before": figure(_period(frame, 3))}


def _share(flags: pd.Series[Any]) -> float | None:
    return round(float(flags.astype(bool).mean()), 4) if len(flags) else None


def _mean(scores: pd.Series[Any]) -> float | None:
    given = scores.dropna().astype(float)
    return round(float(given.mean()), 2) if len(given) else None


def _by(frame: pd.DataFrame, part: str) -> dict[str, pd.DataFrame]:
    words = frame[part].fillna("")
    recent = words[frame["period"] >= 3]
    return {word: frame[words == word] for word in sorted(recent.unique())}


def _volume(tables: Frames, tickets: pd.DataFrame, span: Span) -> dict[str, Any]:
    opened = _in_periods(tickets, tickets["opened_at"], span)
    events = _of_tickets(tables["ticket_events"], tickets)
    events = _in_periods(events, events["at"], span)

    def happened(*kinds: str) -> dict[str, Any]:
        return _pair(events[events["kind"].isin(kinds)], len)

    def open_at(end: Any) -> int:
        return int(((tickets["opened_at"] < end) & ~(tickets["closed_at"] < end)).sum())

    return {
        "opened": _pair(opened, len),
        "completed": happened("complete"),
        "closed": happened("confirm_completion", "close"),
        "cancelled": happened("cancel"),
        "open_at_end": {"now": open_at(span.until), "before": open_at(span.since)},
        **{
            f"by_{part}": {word: _pair(frame, len) for word, frame in _by(opened, part).items()}
            for part in ("channel", "category", "priority", "region")
        },
    }


def _judged(tables: Frames, tickets: pd.DataFrame, span: Span) -> pd.DataFrame:
    clocks = tables["sla_clocks"].merge(tickets, left_on="ticket_id", right_on="id", suffixes=("", "_ticket"))
    clocks = clocks[clocks["kind"].isin(JUDGED)]
    is_broken = clocks["breached_at"].notna()
    clocks = clocks.assign(met=~is_broken, decided_at=clocks["breached_at"].fillna(clocks["stopped_at"]))
    clocks = clocks[is_broken | (clocks["state"] != "cancelled")]
    clocks = _in_periods(clocks, clocks["decided_at"], span)
    return clocks.assign(team=_teams(tables, clocks))


def _teams(tables: Frames, clocks: pd.DataFrame) -> pd.Series[Any]:
    """The team of who had the ticket when the promise was decided, read forwards: the last it was given to.

    A climb of that very moment came after it: it climbed because the promise broke.
    """
    events = tables["ticket_events"]
    given = events[events["kind"].isin(["assign", "escalate_tier"]) & events["ticket_id"].isin(clocks["ticket_id"])]
    climbs = (given["kind"] == "escalate_tier").astype(int)
    given = given.assign(
        at=(given["at"] + pd.to_timedelta(climbs, unit="us")).astype(clocks["decided_at"].dtype),
        staff_id=[payload["assignee_id"] for payload in given["payload"]],
    )
    columns = given.sort_values(["at", "seq"])[["at", "ticket_id", "staff_id"]]
    asked = clocks[["decided_at", "ticket_id"]].reset_index().sort_values("decided_at")
    had = pd.merge_asof(asked, columns, left_on="decided_at", right_on="at", by="ticket_id").set_index("index")
    team = tables["staff"].merge(tables["teams"], left_on="team_id", right_on="id").set_index("id_x")["name_y"]
    return had["staff_id"].map(team).fillna("")


def _kept(clocks: pd.DataFrame) -> dict[str, Any]:
    return {
        "met": _pair(clocks, lambda half: int(half["met"].sum())),
        "missed": _pair(clocks, lambda half: int((~half["met"]).sum())),
        "share": _pair(clocks, lambda half: _share(half["met"])),
    }


def _kept_by(clocks: pd.DataFrame, part: str) -> dict[str, Any]:
    parts = _by(clocks, part)
    if part == "priority":  # each is shown, whatever there was
        parts = {word: clocks[clocks[part] == word] for word in ("P1", "P2", "P3")}
    return {word: {kind: _kept(frame[frame["kind"] == kind]) for kind in JUDGED} for word, frame in parts.items()}


def _causes(tables: Frames, clocks: pd.DataFrame) -> dict[str, dict[str, int]]:
    broken = clocks[~clocks["met"] & (clocks["period"] >= 3)]
    events = _by_ticket(tables["ticket_events"], broken)
    every = _by_ticket(tables["sla_clocks"], broken)
    found: dict[str, dict[str, int]] = {}
    for clock in broken.itertuples():
        log = sorted(events[clock.ticket_id], key=lambda event: event["seq"])
        siblings = [row for row in every[clock.ticket_id] if row["round"] == clock.round]
        broke = {row["kind"] for row in siblings if row["breached_at"] < clock.decided_at}
        pair = found.setdefault(cause_of(_signs(clock, log, broke)).value, {"now": 0, "before": 0})
        pair["now" if clock.period == 4 else "before"] += 1
    return found


def _by_ticket(frame: pd.DataFrame, clocks: pd.DataFrame) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in frame[frame["ticket_id"].isin(clocks["ticket_id"])].to_dict("records"):
        found.setdefault(row["ticket_id"], []).append({str(name): value for name, value in row.items()})
    return found


def _signs(clock: Any, log: list[dict[str, Any]], broke: set[str]) -> BrokenPromise:
    course = [event for event in log if clock.started_at <= event["at"] < clock.decided_at]
    kinds = [event["kind"] for event in course]
    steps = [event["payload"] for event in course if event["kind"] == "log_step"]
    alarms = [
        event["seq"]
        for event in log
        if event["kind"] == "sla_breached"
        and (event["facts"]["clock"], event["facts"]["round"]) == (clock.kind, clock.round)
    ]
    return BrokenPromise(
        clock=ClockKind(clock.kind),
        was_raised=any(
            event["kind"] == "change_priority"
            and event["at"] >= clock.decided_at
            and event["seq"] < min(alarms, default=0)
            for event in log
        ),
        is_assigned=clock.team != "",
        is_assigned_late="assignment" in broke,
        is_contacted_late="response" in broke,
        waited_for_part=any(part.get("use") == "awaited" for step in steps for part in step.get("parts", [])),
        has_delay="report_delay" in kinds,
        came_back=clock.round > 1 or "report_not_fixed" in kinds,
        was_refused="object_to_plan" in kinds,
        changed_hands=kinds.count("assign") > (1 if clock.round == 1 else 0),
        waited_for_customer="ask_customer" in kinds or "propose_plan" in kinds,
    )


def _satisfaction(
    tables: Frames, tickets: pd.DataFrame, answers: pd.DataFrame, span: Span, low_score: int
) -> dict[str, Any]:
    surveys = _of_completion(_of_tickets(tables["surveys"], tickets))

    def low_share(name: str) -> dict[str, Any]:
        return _pair(answers, lambda half: _share(half[name].dropna() <= low_score))

    return {
        "asked": _pair(_in_periods(surveys, surveys["sent_at"], span), len),
        "answered": _pair(answers, len),
        "means": {name: _pair(answers, lambda half, name=name: _mean(half[name])) for name in DIMENSIONS},
        "low_share": low_share("overall"),
        "stages": {
            stage: {
                "mean": _pair(answers, lambda half, stage=stage: _mean(half[stage])),
                "low_share": low_share(stage),
                "given": _pair(answers, lambda half, stage=stage: int(half[stage].notna().sum())),
            }
            for stage in STAGES
        },
    }


def _owed(tables: Frames, tickets: pd.DataFrame, span: Span) -> pd.DataFrame:
    calls = _of_tickets(tables["callbacks"], tickets)
    calls = calls[(calls["state"] != "cancelled") & (calls["kind"] != "follow_up_visit")]
    return _in_periods(calls.assign(in_time=calls["done_at"] <= calls["due_at"]), calls["due_at"], span)


def _first_stops(tables: Frames, tickets: pd.DataFrame, kind: str, span: Span) -> list[tuple[pd.Timestamp, Any]]:
    """Of tickets not cancelled and not too old: when each was opened, and when its first clock of this kind stopped."""
    clocks = tables["sla_clocks"]
    clocks = clocks[(clocks["kind"] == kind) & (clocks["round"] == 1)][["ticket_id", "stopped_at"]]
    recent = tickets["opened_at"] >= span.since - pd.Timedelta(days=31)
    kept = tickets[recent & (tickets["state"] != "cancelled")].merge(clocks, left_on="id", right_on="ticket_id")
    return list(zip(kept["opened_at"], kept["stopped_at"], strict=True))


def _answered(tables: Frames, tickets: pd.DataFrame, span: Span, standard: Standard) -> float | None:
    limit = standard.benchmarks.answered_within
    asked = [
        (opened, stopped)
        for opened, stopped in _first_stops(tables, tickets, "response", span)
        if span.since <= opened + limit < span.until
    ]
    return _share(pd.Series([bool(stopped - opened <= limit) for opened, stopped in asked], dtype=bool))


def _informed(tables: Frames, tickets: pd.DataFrame, span: Span, standard: Standard) -> float | None:
    office = standard.calendar("office")
    limit = standard.benchmarks.informed_within_working_days * pd.Timedelta(hours=9).to_pytimedelta()
    in_time = []
    for opened, stopped in _first_stops(tables, tickets, "resolution", span):
        end = office.add(opened.to_pydatetime(), limit)
        if span.since < end <= span.until:
            in_time.append(not pd.isna(stopped) and office.between(opened, stopped.to_pydatetime()) <= limit)
    return _share(pd.Series(in_time, dtype=bool))
