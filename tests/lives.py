"""Tickets that live by chance, so that there is something of everything to count."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from db import alarms, callbacks, follow_ups, surveys
from domain.lifecycle import CommandName
from domain.people import CustomerTier
from domain.satisfaction import OverallAnswer, SurveyAnswer
from domain.tickets import Channel, Impact
from tests.desk import Desk

C = CommandName


class Life:
    """One ticket from its opening to wherever chance leads it: cancelled, joined, handed over, reopened, unanswered."""

    def __init__(self, desk: Desk, dice: random.Random, opened: datetime) -> None:
        self.desk, self.dice, self.at = desk, dice, opened
        self.ticket_id = desk.open(
            at=opened,
            description=dice.choice(["空调不制冷", "投诉：态度差", "怎么使用定时"]),
            impact=dice.choice(list(Impact)),
            channel=dice.choice(list(Channel)),
            region=dice.choice(["east", "west", None]),
            tier=dice.choice([CustomerTier.STANDARD, CustomerTier.STANDARD, CustomerTier.VALUED]),
        )

    def give(self, name: CommandName, **values: Any) -> None:
        self.desk.give(self.ticket_id, name, at=self.at, **values)

    def wait(self, *hours: float) -> None:
        """Time goes by, and what comes due in it is done: alarms, and what follows from them."""
        self.at += timedelta(hours=self.dice.choice(hours))
        alarms.raise_due(self.desk.connection, standard=self.desk.standard, now=self.at)
        self.desk.follow_up(self.ticket_id, at=self.at)

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def live(self) -> None:
        if self.chance(0.1):
            self.wait(0.1, 3)
            self.give(C.CANCEL, reason="r")
            return
        if not self.chance(0.05):  # else nobody has it until the alarm
            self.wait(0.01, 0.2, 0.9)
        if self.chance(0.1):
            self.give(C.REPORT_AGAIN, description="again")
        if self.chance(0.1):
            self.wait(1, 9)
            self.give(C.CHANGE_PRIORITY, impact=Impact.CORE_USE_LOST, reason="r")
        self.wait(1, 3, 9, 30)
        if self.chance(0.1):
            return
        self.give(C.FIRST_CONTACT, summary="s")
        self.work()
        self.end()

    def work(self) -> None:
        if self.chance(0.2):
            part = {"name": "fan", "use": "awaited", "expected_at": self.at + timedelta(days=2)}
            self.give(C.LOG_STEP, step="s", parts=[part])
        if self.chance(0.2):
            self.give(C.REPORT_DELAY, reason="r", expected_at=self.at + timedelta(days=3), contingency="c")
        if self.chance(0.3):
            self.give(C.ASK_CUSTOMER, question="q")
            self.wait(1, 30)
            self.give(C.RECORD_REPLY, reply="r")
        if self.chance(0.2):
            people = [4, 5, 6]
            self.give(C.ASSIGN, assignee_id=self.dice.choice(people), reason="r")
        self.wait(2, 20, 60, 90)
        self.give(C.COMPLETE, summary="s", guidance_only=True)

    def end(self) -> None:
        if self.chance(0.2):
            self.wait(1)
            self.give(C.REPORT_NOT_FIXED, reason="r")
            self.wait(7, 80)
            self.give(C.COMPLETE, summary="s", guidance_only=True)
        completed = self.at
        if self.chance(0.6):
            self.wait(2)
            self.give(C.CONFIRM_COMPLETION, signed_by="s")
            if self.chance(0.2):
                self.wait(30)
                self.give(C.REOPEN, reason="r")
                self.wait(1, 30)
                return
        elif self.chance(0.6):
            self.at += timedelta(hours=72)
            follow_ups.close_unanswered(self.desk.connection, self.ticket_id, standard=self.desk.standard, now=self.at)
        self.ask(completed + timedelta(hours=24))

    def ask(self, at: datetime) -> None:
        surveys.dispatch_due(self.desk.connection, standard=self.desk.standard, now=at)
        survey = self.desk.surveys(self.ticket_id)[-1]
        if survey["state"] != "sent" or self.chance(0.3):
            return
        at += timedelta(hours=self.dice.randint(1, 40))
        surveys.record_answer(
            self.desk.connection,
            survey["id"],
            self.answer(),
            self.desk.customer_of(self.ticket_id),
            standard=self.desk.standard,
            now=at,
        )
        for call in self.desk.callbacks(self.ticket_id):
            if call["state"] == "open" and self.chance(0.8):
                called = at + timedelta(minutes=self.dice.choice([10, 59, 61, 300]))
                clerk = self.desk.clerk
                callbacks.complete(self.desk.connection, call["id"], clerk, reason="r", suggestion="", now=called)

    def answer(self) -> SurveyAnswer | OverallAnswer:
        """In full, without the stages that did not concern them, or as a reply by SMS."""
        score = self.dice.randint
        if self.chance(0.2):
            return OverallAnswer(overall=score(1, 5))
        stages = {s: score(1, 5) for s in ("booking", "on_site", "follow_up", "confirmation") if self.chance(0.7)}
        scores = {d: score(1, 5) for d in ("efficiency", "attitude", "solution", "overall")}
        return SurveyAnswer(**scores, **stages, comment="c")
