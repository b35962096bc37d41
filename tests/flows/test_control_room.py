"""What operations do in the Prefect UI, and what they are told: forms, refusals and alarms, on a real server."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.variables import Variable
from pydantic import SecretStr
from sqlalchemy import select, update

from cli import deployment, stack
from db import events, standards, tickets
from db.models import MediumState, Message, Staff
from db.session import transaction
from domain.interventions import MessageStep, TicketStep
from domain.standard import STANDARD
from domain.tickets import ticket_number
from flows.digest_rebuild import digest_rebuild
from flows.feedback_import import feedback_import
from flows.message_decision import message_decision
from flows.sla_watchdog import sla_watchdog
from flows.standard_change import standard_change
from flows.ticket_advance import ticket_advance
from flows.ticket_handover import ticket_handover
from flows.ticket_lifecycle import ticket_lifecycle
from tests.flows.test_flows import open_ticket
from tests.receiver import Receiver, receiving

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
REASON = "on leave until Monday"


def assigned_ticket(number: int = 1) -> tuple[int, int]:
    """A ticket's id and its assignee's."""
    ticket_id = open_ticket(number)
    ticket_lifecycle(now=NOW, return_state=True)
    return ticket_id, assignee(ticket_id)


def assignee(ticket_id: int) -> int:
    with transaction() as connection:
        return int(tickets.get(connection, ticket_id)["assignee_id"])


def last_facts(ticket_id: int) -> dict[str, Any]:
    with transaction() as connection:
        return dict(events.list_of(connection, ticket_id)[-1]["facts"])


class TestForms:
    def test_a_step_is_taken_and_its_reason_stays_with_the_ticket(self, product: str) -> None:
        ticket_id, before = assigned_ticket()
        number = ticket_number(ticket_id)

        state = ticket_advance(number, TicketStep.ASSIGN, REASON, now=NOW, return_state=True)

        assert (state.is_completed(), state.message) == (True, f"{number}: assign: assigned")
        assert assignee(ticket_id) != before
        assert last_facts(ticket_id) == {"did": "assign", "reason": REASON}

    def test_a_refusal_says_what_to_mend_and_changes_nothing(self, product: str) -> None:
        ticket_id, before = assigned_ticket()

        state = ticket_advance(ticket_number(ticket_id), TicketStep.CLOSE, REASON, now=NOW, return_state=True)

        assert state.is_failed()
        assert state.message is not None
        assert "'close' is not possible while the ticket is 'assigned'" in state.message
        assert "Nothing was changed; mend it and run the form again." in state.message
        assert assignee(ticket_id) == before

    def test_all_tickets_of_somebody_are_handed_over(self, product: str) -> None:
        ticket_id, before = assigned_ticket()
        other, _ = assigned_ticket(2)

        state = ticket_handover(before, REASON, now=NOW, return_state=True)

        assert state.message == "handed over: 2"
        assert before not in (assignee(ticket_id), assignee(other))

    def test_a_message_that_waits_is_taken_back(self, product: str) -> None:
        assigned_ticket()
        with transaction() as connection:
            waiting = connection.execute(select(Message.id).where(Message.state == "queued").limit(1)).scalar_one()

        state = message_decision(waiting, MessageStep.CANCEL, REASON, now=NOW, return_state=True)
        again = message_decision(waiting, MessageStep.CANCEL, REASON, now=NOW, return_state=True)

        assert state.message == f"message {waiting}: cancel done"
        assert again.is_failed()

    def test_a_digest_is_computed_anew_and_goes_to_one_manager_once_more(self, product: str) -> None:
        with transaction() as connection:
            manager = connection.execute(select(Staff.id).where(Staff.role == "manager").limit(1)).scalar_one()

        states = [digest_rebuild("2026-W47", manager, REASON, now=NOW, return_state=True) for _ in range(2)]
        nobody = digest_rebuild("2026-W47", 999_999, REASON, now=NOW, return_state=True)
        ahead = digest_rebuild("2027-01", manager, REASON, now=NOW, return_state=True)

        assert [state.is_completed() for state in states] == [True, True]
        with transaction() as connection:
            kinds = list(connection.execute(select(Message.kind).where(Message.staff_id == manager)).scalars())
        assert kinds == ["weekly_digest"] * 2
        assert "no manager with the number 999999" in str(nobody.message)
        assert "period: has not begun yet" in str(ahead.message)

    def test_a_sheet_of_answers_is_tried_then_taken_and_a_missing_one_refused(
        self, product: str, tmp_path: Path
    ) -> None:
        with transaction() as connection:
            supervisor = connection.execute(select(Staff.id).where(Staff.role == "supervisor").limit(1)).scalar_one()
        folder = tmp_path / "sheets"
        folder.mkdir()
        (folder / "answers.csv").write_text("工单号,日期,总体评价\nTK-00000009,2026-11-20,5\n", "utf-8")

        missing = feedback_import("other.csv", supervisor, REASON, now=NOW, return_state=True)
        tried = feedback_import("answers.csv", supervisor, REASON, now=NOW, return_state=True)

        assert "copy it there first" in str(missing.message)
        assert tried.message == "would be refused: 1"
        assert (folder / "answers.checked.xlsx").exists()

    def test_the_standard_is_tried_then_changed_for_tickets_to_come(self, product: str) -> None:
        deployment.create_variables(dict(os.environ))
        Variable.set(STANDARD, {"priorities": {"P3": {"response": "10h"}}}, overwrite=True)
        deployment.create_variables(dict(os.environ))  # what is there stays

        tried = standard_change(REASON, now=NOW, return_state=True)
        assert standards.get_standard().version is None
        done = standard_change(REASON, apply=True, now=NOW, return_state=True)
        again = standard_change(REASON, apply=True, now=NOW, return_state=True)
        Variable.set(STANDARD, {"priorities": {"P3": {"response": "ten hours"}}}, overwrite=True)
        nonsense = standard_change(REASON, apply=True, now=NOW, return_state=True)
        standards.forget()

        assert "figures that would change (run the form again with 'apply'): 1; open" in str(tried.message)
        assert done.message == "version 1: figures changed: 1; open tickets touched: none"
        assert again.message == "nothing changes: this is in force already"
        assert nonsense.is_failed()
        assert "priorities.P3.response: 'ten hours' is no duration" in str(nonsense.message)
        assert standards.get_standard().version == 1
        with transaction() as connection:
            (version,) = standards.history(connection)
        assert (version["reason"], version["adopted_by"], version["adopted_at"]) == (REASON, "operations", NOW)

    def test_filled_with_nonsense_start_nothing_and_name_the_field(self, product: str) -> None:
        stack.deploy(dict(os.environ))
        step = {"ticket": "TK-00000001", "step": "assign", "reason": REASON}
        for name, nonsense, field in (
            ("ticket_advance/ticket-advance", step | {"ticket": "'; DROP"}, "ticket"),
            ("ticket_advance/ticket-advance", step | {"step": "fly"}, "step"),
            ("ticket_advance/ticket-advance", step | {"reason": " "}, "reason"),
            ("ticket_advance/ticket-advance", {"ticket": "TK-00000001", "step": "assign"}, "reason"),
            ("ticket_handover/ticket-handover", {"from_staff": "everybody", "reason": REASON}, "from_staff"),
            (
                "feedback_import/feedback-import",
                {"sheet": "../../etc/passwd", "by_staff": 1, "reason": REASON},
                "sheet",
            ),
            ("standard_change/standard-change", {"reason": REASON, "apply": "perhaps"}, "apply"),
            ("message_decision/message-decision", {"message": 0, "step": "cancel", "reason": REASON}, "message"),
        ):
            with get_client(sync_client=True) as client:
                found = client.read_deployment_by_name(name)
                with pytest.raises(PrefectHTTPStatusError) as refused:
                    client.create_flow_run_from_deployment(found.id, parameters=nonsense)

            assert refused.value.response.status_code == 409
            assert field in refused.value.response.text


@flow(name="test_always_fails")
def always_fails() -> None:
    raise RuntimeError("as it should")


class TestAlarms:
    def _apply(self, receiver: Receiver) -> int:
        address = SecretStr(f"json://127.0.0.1:{receiver.port}")
        return deployment.apply_automations(dict(os.environ), address)

    def _heard(self, receiver: Receiver, title: str, *, within: float = 30) -> dict[str, Any]:
        end = time.monotonic() + within
        while time.monotonic() < end:
            for told in list(receiver.taken):
                if title in told["title"]:
                    return told
            time.sleep(0.2)
        raise AssertionError(f"nobody was told {title!r}, but {[told['title'] for told in receiver.taken]}")

    def test_are_made_once_and_stay_off_when_switched_off(self, product: str) -> None:
        with receiving() as receiver:
            count = self._apply(receiver)
            with get_client(sync_client=True) as client:
                name = yaml.safe_load(deployment.AUTOMATIONS.read_text("utf-8"))[0]["name"]
                client.pause_automation(client.read_automations_by_name(name)[0].id)

                assert self._apply(receiver) == count

                (found,) = client.read_automations_by_name(name)
                assert not found.enabled
                client.resume_automation(found.id)

    def test_say_that_messages_wait_and_what_to_do(self, product: str) -> None:
        open_ticket(1)
        ticket_lifecycle(now=NOW, return_state=True)
        with receiving() as receiver:
            self._apply(receiver)

            sla_watchdog(now=NOW + timedelta(minutes=7), return_state=True)

            told = self._heard(receiver, "messages wait")
        assert "the oldest has waited for 7 minutes" in told["message"]
        assert "aftercare channel list" in told["message"]

    def test_say_that_follow_ups_wait(self, product: str) -> None:
        open_ticket(1)
        with receiving() as receiver:
            self._apply(receiver)

            sla_watchdog(now=NOW + timedelta(minutes=6), return_state=True)

            told = self._heard(receiver, "1 follow-ups wait")
        assert "ticket_lifecycle" in told["message"]

    def test_say_that_more_promises_break_than_usual(self, product: str) -> None:
        for number in range(5):
            open_ticket(number)
        ticket_lifecycle(now=NOW, return_state=True)
        broken = NOW + timedelta(hours=4)
        with receiving() as receiver:
            self._apply(receiver)

            sla_watchdog(now=broken, return_state=True)
            sla_watchdog(now=broken + timedelta(minutes=4), return_state=True)

            told = self._heard(receiver, "5 promises broke within the hour")
        assert "usual" in told["message"]

    def test_say_that_a_flow_fails_again_but_not_that_it_failed_once(self, product: str) -> None:
        with receiving() as receiver:
            self._apply(receiver)

            always_fails(return_state=True)
            always_fails(return_state=True)

            told = self._heard(receiver, "test_always_fails fails again")
        assert "as it should" in told["message"]
        assert len(receiver.taken) == 1

    def test_say_that_a_vendor_refuses_us(self, product: str) -> None:
        with transaction() as connection:
            stopped = {"stopped_at": NOW, "stop_code": "20003"}
            connection.execute(update(MediumState).where(MediumState.medium == "sms").values(**stopped))
        with receiving() as receiver:
            self._apply(receiver)

            sla_watchdog(now=NOW + timedelta(minutes=1), return_state=True)

            told = self._heard(receiver, "sms is stopped")
        assert "20003" in told["message"]
