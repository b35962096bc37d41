"""Every page that there is: where it is, who may see it, and what is done there before it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import uuid4

from clock import utc_now
from db import articles, improvement_actions, outbox, root_causes, seed, staff, staff_accounts, surveys
from db.session import transaction
from domain.articles import Article, ArticleState
from domain.commands import CommandName
from domain.improvement import ActionState, NewAction, Outcome, RootCause
from domain.invitations import invite
from domain.lifecycle import TicketState
from domain.messages import LinkPurpose
from domain.people import Department
from domain.satisfaction import SurveyAnswer
from domain.tickets import ticket_number
from tests.browser.browsing import Reader
from tests.browser.conftest import KEY, Site
from tests.browser.people import Customer, fill
from tests.desk import Desk

P = LinkPurpose
S = TicketState
PLAN = {
    "kind": "repair",
    "steps": ["更换压缩机电容", "试运行一小时 / test for an hour"],
    "options": [
        {"title": "Repair", "pros": "tomorrow", "cons": "an older part"},
        {"title": "Exchange", "pros": "a new unit", "cons": "in a week"},
    ],
}


@dataclass(frozen=True)
class Shown:
    """Where a page is, the status it answers with, whether staff must sign in for it, and what is done there first."""

    path: Callable[[Site], str]
    status: int = 200
    for_staff: bool = False
    act: Callable[[Reader], None] = lambda reader: None


def _at(path: str) -> Callable[[Site], str]:
    return lambda site: path


def _send_empty(reader: Reader) -> None:
    """Send the page's form past the browser's own checks: what does the server say?"""
    reader.page.evaluate("document.querySelector('main form, form').noValidate = true")
    reader.page.locator("main form button:not([formnovalidate])").last.click()
    reader.page.wait_for_load_state()


def _send_empty_plan(reader: Reader) -> None:
    """Propose a plan without saying which."""
    folded = reader.page.locator("details#open-propose_plan")
    folded.evaluate("e => { e.open = true; e.querySelector('form').noValidate = true }")
    folded.locator('[name="steps"]').fill("")
    folded.locator("form button").last.click()
    reader.page.wait_for_load_state()


def _report(reader: Reader, *, times: int) -> None:
    """Report about one device, and perhaps once more."""
    reporter = Customer(reader, f"reporter{uuid4().hex[:8]}@example.com")
    typed = {"description": "空调不制冷", "product_model": "KF-35", "impact": "partial", "danger": "no", "name": "王丽"}
    for turn in range(times):
        reader.open(f"/report?lang={reader.language}")
        form = reader.page.locator("form#report")
        fill(form, typed | {"email": reporter.mailbox, "description": typed["description"] + "！" * turn})
        form.locator("button").last.click()
        reader.page.wait_for_load_state()


def _answer_badly(name: str) -> Callable[[Reader], None]:
    """Send the form that holds this field with more in it than fits."""

    def act(reader: Reader) -> None:
        form = reader.page.locator("form").filter(has=reader.page.locator(f'[name="{name}"]'))
        form.evaluate("e => { e.noValidate = true }")
        form.locator(f'[name="{name}"]').evaluate("e => { e.maxLength = 9000 }")
        form.locator(f'[name="{name}"]').fill("漏水 it leaks " * 200)
        form.locator("button").last.click()
        reader.page.wait_for_load_state()

    return act


def _invitation(site: Site) -> str:
    """Of somebody who has no password yet."""
    with transaction(site.database) as connection:
        who = staff.actor(connection, seed.address("zhang.wei"))
        account = staff_accounts.get(connection, who.id or 0)
    assert account is not None
    expires_at = utc_now() + timedelta(days=1)
    return f"/workbench/invitation/{invite(account.staff_id, account.password_hash, key=KEY, expires_at=expires_at)}"


def _search(reader: Reader) -> None:
    reader.page.locator('main [name="asked"]').fill("Guest")
    reader.page.locator("main form button").first.click()
    reader.page.wait_for_load_state()


def _of(purpose: LinkPurpose, make: Callable[[Desk], int], part: int = 0) -> Callable[[Site], str]:
    def path(site: Site) -> str:
        with site.desk() as desk:
            subject_id = make(desk)
        return site.link(purpose, subject_id, part)

    return path


def _proposed(desk: Desk) -> int:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    times = {"deadline_at": desk.after(days=3), "appointment_at": desk.after(days=2)}
    desk.give(ticket_id, CommandName.PROPOSE_PLAN, **PLAN, **times)
    return ticket_id


def _late(desk: Desk) -> int:
    ticket_id = desk.bring_to(S.IN_WORK)
    told = {"reason": "缺件", "expected_at": desk.after(days=2), "contingency": "先送备用机"}
    desk.give(ticket_id, CommandName.REPORT_DELAY, **told)
    return ticket_id


def _survey(desk: Desk) -> int:
    ticket_id = desk.bring_to(S.COMPLETED, at=desk.after(hours=-25))
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.now)
    return int(desk.surveys(ticket_id)[0]["id"])


def _ticket(make: Callable[[Desk], int]) -> Callable[[Site], str]:
    def path(site: Site) -> str:
        with site.desk() as desk:
            return f"/workbench/tickets/{ticket_number(make(desk))}"

    return path


def _call(site: Site) -> str:
    """The call that a poor answer owes."""
    with site.desk() as desk:
        survey_id = _survey(desk)
        ticket_id = surveys.get(desk.connection, survey_id)["ticket_id"]
        answer = SurveyAnswer(efficiency=2, attitude=4, solution=2, overall=2, comment="等了三天 / I waited three days")
        customer = desk.customer_of(ticket_id)
        surveys.record_answer(desk.connection, survey_id, answer, customer, standard=desk.standard, now=desk.now)
        (call,) = desk.callbacks(ticket_id)
        return f"/workbench/callbacks/{call['id']}"


def _message(site: Site) -> str:
    """The newest message to a customer."""
    with site.desk() as desk:
        rows = outbox.list_of(desk.connection, desk.bring_to(S.IN_WORK))
        return f"/workbench/messages/{max(row['id'] for row in rows if row['customer_id'])}"


def _improvement(place: str) -> Callable[[Site], str]:
    """A root cause with an action that was done; the page of ``place``."""

    def path(site: Site) -> str:
        with site.desk() as desk:
            who = desk.clerk
            cause = RootCause(problem="工程师迟到 / late", whys=("堵车", "一天九单"), cause="派单不看路程")
            cause_id = root_causes.add(desk.connection, cause, [desk.open()], written_by=who.id or 0, now=desk.now)
            action = NewAction(
                measure="按路程派单 / plan by distance",
                department=Department.SERVICE,
                responsible_id=who.id or 0,
                due_on=desk.after(days=9).date(),
                expected_effect="少迟到",
            )
            policy = {"standard": desk.standard, "now": desk.now}
            action_id = improvement_actions.add(desk.connection, cause_id, action, who, **policy)
            improvement_actions.end(desk.connection, action_id, ActionState.DONE, Outcome(note="已上线"), who, **policy)
        return f"/workbench/improvement/{place}/{cause_id if place == 'causes' else action_id}"

    return path


def _feedback(site: Site) -> str:
    """With the poor answer of a call."""
    _call(site)
    return "/workbench/feedback"


def _article(place: str = "") -> Callable[[Site], str]:
    """A published article, or a page that offers it."""

    def path(site: Site) -> str:
        with site.desk() as desk:
            said = {
                "title": "空调不制冷怎么办",
                "problem": "开机后不制冷",
                "solution": "清洗滤网，重启空调。\n还不行请报修。",
            }
            article = Article.model_validate({"language": "zh-CN", "audience": "customers", **said})
            article_id = articles.add(desk.connection, article, desk.clerk, ticket_id=None, now=desk.now)
            articles.move(desk.connection, article_id, ArticleState.PUBLISHED, desk.clerk, now=desk.now)
        return place or f"/workbench/knowledge/{article_id}"

    return path


def _ask_for_help(reader: Reader) -> None:
    reader.page.locator('[name="description"]').fill("空调不制冷")
    reader.page.locator('button[value="help"]').click()
    reader.page.wait_for_load_state()


PAGES: dict[str, Shown] = {
    "progress": Shown(_of(P.PROGRESS, _late)),
    "progress-question": Shown(_of(P.PROGRESS, lambda desk: desk.bring_to(S.WAITING_CUSTOMER))),
    "progress-closed": Shown(_of(P.PROGRESS, lambda desk: desk.bring_to(S.CLOSED))),
    "plan": Shown(_of(P.PLAN, _proposed, 1)),
    "plan-answered": Shown(_of(P.PLAN, lambda desk: desk.bring_to(S.IN_WORK), 1)),
    "sign-off": Shown(_of(P.SIGN_OFF, lambda desk: desk.bring_to(S.COMPLETED), 1)),
    "progress-question-problem": Shown(
        _of(P.PROGRESS, lambda desk: desk.bring_to(S.WAITING_CUSTOMER)), act=_answer_badly("reply")
    ),
    "plan-problem": Shown(_of(P.PLAN, _proposed, 1), act=_answer_badly("reason")),
    "sign-off-problem": Shown(
        _of(P.SIGN_OFF, lambda desk: desk.bring_to(S.COMPLETED), 1), act=_answer_badly("signed_by")
    ),
    "sign-off-answered": Shown(_of(P.SIGN_OFF, lambda desk: desk.bring_to(S.CLOSED), 1)),
    "survey": Shown(_of(P.SURVEY, _survey)),
    "unsubscribe": Shown(_of(P.UNSUBSCRIBE, lambda desk: int(desk.customer_of(desk.open()).id or 0))),
    "survey-problem": Shown(_of(P.SURVEY, _survey), act=_send_empty),
    "report": Shown(_at("/report")),
    "report-help": Shown(_article("/report"), act=_ask_for_help),
    "report-problem": Shown(_at("/report"), act=_send_empty),
    "report-sent": Shown(_at("/report"), act=partial(_report, times=1)),
    "report-alike": Shown(_at("/report"), act=partial(_report, times=2)),
    "privacy": Shown(_at("/privacy")),
    "mailbox": Shown(_at("/mailbox")),
    "not-found": Shown(_at("/nowhere"), 404),
    "link-altered": Shown(_at("/plan/altered"), 410),
    "invitation": Shown(_invitation),
    "invitation-problem": Shown(_invitation, act=_send_empty),
    "invitation-altered": Shown(_at("/workbench/invitation/altered"), 410),
    "sign-in": Shown(_at("/workbench/sign-in")),
    "sign-in-problem": Shown(_at("/workbench/sign-in"), act=_send_empty),
    "work-mine": Shown(_at("/workbench"), for_staff=True),
    "work-board": Shown(_at("/workbench/board"), for_staff=True),
    "work-messages": Shown(_at("/workbench/messages?shelf=all"), for_staff=True),
    "work-message": Shown(_message, for_staff=True),
    "work-digest": Shown(_at("/workbench/digest"), for_staff=True),
    "work-tickets": Shown(_at("/workbench/tickets"), for_staff=True),
    "work-sheet": Shown(_at("/workbench/sheet"), for_staff=True),
    "work-paper": Shown(_at("/workbench/paper"), for_staff=True),
    "work-feedback": Shown(_feedback, for_staff=True),
    "work-search": Shown(_at("/workbench/search"), for_staff=True, act=_search),
    "work-ticket": Shown(_ticket(_late), for_staff=True),
    "work-ticket-new": Shown(_ticket(lambda desk: desk.open()), for_staff=True),
    "work-ticket-problem": Shown(_ticket(_late), for_staff=True, act=_send_empty_plan),
    "work-call": Shown(_call, for_staff=True),
    "work-callbacks": Shown(lambda site: _call(site).rpartition("/")[0], for_staff=True),
    "work-article": Shown(_article(), for_staff=True),
    "work-cause": Shown(_improvement("causes"), for_staff=True),
    "work-cause-new": Shown(_at("/workbench/improvement/causes/new?region=east"), for_staff=True, act=_send_empty),
    "work-action-done": Shown(_improvement("actions"), for_staff=True),
    "work-quality": Shown(_at("/workbench/quality"), for_staff=True),
    "work-appraisal": Shown(_at("/workbench/appraisal"), for_staff=True),
    "work-churn": Shown(_at("/workbench/churn"), for_staff=True),
    "work-reviews": Shown(_at("/workbench/reviews"), for_staff=True),
    "work-account": Shown(_at("/workbench/account"), for_staff=True),
}
