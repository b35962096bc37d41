"""Answers of a span are read with what they are about, and their words reach the digest (S-52, S-61)."""

from __future__ import annotations

from db import feedback, paper_answers, reports
from domain.lifecycle import TicketState
from domain.paper_rows import PaperRow
from domain.satisfaction import PaperAnswer
from domain.spans import week_of
from domain.tickets import ticket_number
from tests.desk import Desk

S = TicketState


def test_answers_of_the_span_are_read_and_their_words_are_in_the_digest(desk: Desk) -> None:
    day = desk.now.date()
    for name, said in (("王丽", "配件缺货"), ("王丽", "配件缺货，等了很久"), ("李强", "")):
        contact = {"name": name, "email": f"{name}@example.com"}
        ticket_id = desk.bring_to(S.COMPLETED, ticket_id=desk.open(f"洗衣机漏水{said}", **contact))
        answer = PaperAnswer(overall=2, comment=said)
        row = PaperRow(ticket_number(ticket_id), "", "", answered_on=day, staff="", answer=answer)
        [match] = paper_answers.match(desk.connection, [row], {}, standard=desk.standard)
        assert isinstance(match, paper_answers.Match)
        paper_answers.store(desk.connection, match, desk.clerk, standard=desk.standard, now=desk.after(hours=9))
    span = week_of(day, desk.standard.organisation.time_zone)

    answers = feedback.answers(desk.connection, span.within("east"))
    figures = reports.digest(desk.connection, span, desk.standard)

    assert [row["comment"] for row in answers] == ["配件缺货", "配件缺货，等了很久", ""]
    assert feedback.answers(desk.connection, span.within("west")) == []
    assert figures["words"] == [{"word": "配件缺货", "now": 2, "before": 0}]
