"""Knowledge at the workbench: articles found, written from a solved case, published, and what helped (S-62)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from clock import utc_now
from db import articles, dossiers, tickets
from db.dossiers import Dossier
from db.session import transaction
from domain.access import MAY_PUBLISH, MAY_WRITE_ARTICLES
from domain.articles import Article, ArticleState, Audience
from domain.commands import LARGEST_ID
from domain.contact import mask_words
from domain.exceptions import NotFoundError
from domain.lifecycle import CommandName
from domain.tickets import Category, ticket_id
from templates.languages import languages, word
from web.workbench.door import StaffMember, require
from web.workbench.forms import Field, Filling, ShownForm, show_fields
from web.workbench.frame import show
from web.workbench.shown import read_form
from web.workbench.typed import FormError, Typed, faults_in

router = APIRouter(prefix="/workbench/knowledge")
Writer = Annotated[StaffMember, Depends(require(*MAY_WRITE_ARTICLES))]
Publisher = Annotated[StaffMember, Depends(require(*MAY_PUBLISH))]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
_MOST = 50
_HERE = "/workbench/knowledge"
_MOVES = {"publish": ArticleState.PUBLISHED, "retire": ArticleState.RETIRED}
_FIELDS = (
    Field("language", "select", "article_language"),
    Field("audience", "select", section="audience", choices=tuple(a.value for a in Audience)),
    Field("title", "line", "article_title", most=200),
    Field("problem", words="article_problem", most=5000),
    Field("article_cause", most=5000, is_needed=False),
    Field("solution", most=5000),
    Field("category", "pick", section="category", choices=tuple(c.value for c in Category), is_needed=False),
    Field("product_model", "line", most=200, is_needed=False),
    Field("tags", "line", "article_tags", most=500, is_needed=False),
)


@router.get("")
def show_all(member: Writer, q: Annotated[str, Query(max_length=200)] = "") -> Response:
    """What fits a question best; without one, what was written last."""
    from db import article_search  # the segmenter is needed by those pages that search

    asked = "".join(character for character in q if character.isprintable()).strip()
    asked = asked.encode("utf-8", "ignore").decode()
    with transaction() as connection:
        rows = (
            article_search.find(connection, asked, limit=_MOST)
            if asked
            else articles.list_newest(connection, limit=_MOST)
        )
    return show(member, "knowledge", now=utc_now(), asked=asked, articles=rows)


@router.get("/new")
def ask(member: Writer, ticket: Annotated[str, Query(max_length=40)] = "") -> Response:
    """An empty article; from a ticket, with its texts, without what is personal in them."""
    known: Mapping[str, list[str]] = {"language": [member.language]}
    if ticket:
        with transaction() as connection:
            known = _from_case(dossiers.read(connection, ticket_id(ticket)))
    return _form(member, Filling(member.language, known=known), ticket=ticket)


@router.post("")
async def keep(request: Request, member: Writer) -> Response:
    """Keep a draft; or the form again with all that was typed."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_keep, member, typed, None)


@router.get("/{article_id}")
def show_article(member: Writer, article_id: Id, done: str = "") -> Response:
    """One article, and what may be done with it."""
    return _page(member, article_id, done=bool(done))


@router.post("/{article_id}/change")
async def change(request: Request, member: Writer, article_id: Id) -> Response:
    """Write it anew; or the form again with all that was typed."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_keep, member, typed, article_id)


@router.post("/{article_id}/helped")
async def note_help(request: Request, member: Writer, article_id: Id) -> Response:
    """It helped with a ticket; back to the ticket."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_note_help, member, typed, article_id)


@router.post("/{article_id}/{step}")
def move(member: Publisher, article_id: Id, step: str) -> Response:
    """Publish it, or retire it. A second tap changes nothing."""
    if step not in _MOVES:
        raise NotFoundError("an article is published or retired")
    with transaction() as connection:
        if articles.get(connection, article_id)["state"] != _MOVES[step]:
            articles.move(connection, article_id, _MOVES[step], member.actor, now=utc_now())
    return RedirectResponse(f"{_HERE}/{article_id}?done=1", status_code=303)


def _note_help(member: StaffMember, typed: Typed, article_id: int) -> Response:
    with transaction() as connection:
        ticket = tickets.get(connection, ticket_id(typed.text("ticket")))
        articles.note_help(connection, article_id, ticket_id=ticket["id"], staff_id=member.id, now=typed.now)
    return RedirectResponse(f"/workbench/tickets/{ticket['number']}#articles", status_code=303)


def _keep(member: StaffMember, typed: Typed, article_id: int | None) -> Response:
    number = typed.text("ticket")
    try:
        article = _read(typed)
        with transaction() as connection:
            if article_id is None:
                source = tickets.get(connection, ticket_id(number))["id"] if number else None
                article_id = articles.add(connection, article, member.actor, ticket_id=source, now=typed.now)
            else:
                articles.change(connection, article_id, article, member.actor, now=typed.now)
    except FormError as error:
        filling = Filling(member.language, typed=typed.values, faults=error.faults)
        if article_id is None:
            return _form(member, filling, ticket=number, status=422)
        return _page(member, article_id, filling=filling, status=422)
    return RedirectResponse(f"{_HERE}/{article_id}?done=1", status_code=303)


def _read(typed: Typed) -> Article:
    names = ("language", "audience", "title", "problem", "solution", "product_model")
    said: dict[str, object] = {name: typed.text(name) for name in names}
    said |= {"cause": typed.text("article_cause"), "category": typed.text("category") or None}
    said["tags"] = [tag for tag in re.split(r"[,，、;；]+", typed.text("tags")) if tag.strip()]
    if typed.text("language") not in languages():
        typed.refuse("language", "not_chosen")
    try:
        article = Article.model_validate(said)
    except ValidationError as error:
        faults = faults_in(error)
        if "cause" in faults:
            faults["article_cause"] = faults.pop("cause")
        raise FormError(faults | typed.faults) from error
    typed.require_usable()
    return article


def _from_case(dossier: Dossier) -> dict[str, list[str]]:
    """What the ticket says, as the fields of an article; names, numbers and addresses are left out."""
    ticket = dossier.ticket
    known = [ticket[name] for name in ("customer_phone", "customer_email", "serial_number", "order_number")]
    done = str(dossier.said(CommandName.COMPLETE, "summary") or "")
    advice = str(dossier.said(CommandName.COMPLETE, "usage_advice") or "")
    found = str(dossier.said(CommandName.FIRST_CONTACT, "summary") or "")
    texts = {
        "title": ticket["subject"],
        "problem": ticket["description"],
        "article_cause": found,
        "solution": f"{done}\n{advice}".strip(),
    }
    kept = {name: [mask_words(text, ticket["customer_name"], known=known)] for name, text in texts.items()}
    return kept | {
        "language": [ticket["customer_language"]],
        "category": [ticket["category"]],
        "product_model": [ticket["product_model"] or ""],
        "tags": [", ".join(ticket["tags"])],
    }


def _shown(name: str, filling: Filling) -> ShownForm:
    choices = {"language": tuple((tag, word(tag, "language", "name")) for tag in languages())}
    filling = replace(filling, choices=choices)
    title, button = word(filling.language, "action", name), word(filling.language, "button", name)
    return ShownForm(name, title, button, False, show_fields(name, _FIELDS, filling))


def _form(member: StaffMember, filling: Filling, *, ticket: str, status: int = 200) -> Response:
    shown = _shown("article_new", filling)
    return show(member, "article_new", now=utc_now(), status=status, shown=shown, ticket=ticket)


def _page(
    member: StaffMember, article_id: int, *, filling: Filling | None = None, done: bool = False, status: int = 200
) -> Response:
    with transaction() as connection:
        article = articles.get(connection, article_id)
    known = {name: [str(article[name] or "")] for name in (f.name for f in _FIELDS) if name in article}
    known |= {"article_cause": [article["cause"]], "tags": [", ".join(article["tags"])]}
    shown = _shown("article_change", filling or Filling(member.language, known=known))
    publishes = member.role in MAY_PUBLISH
    return show(
        member,
        "article",
        now=utc_now(),
        status=status,
        done=done,
        article=article,
        shown=shown if publishes or article["state"] == ArticleState.DRAFT else None,
        tried=filling is not None,
        moves=[step for step, to in _MOVES.items() if publishes and article["state"] != to],
    )
