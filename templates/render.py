"""This file puts words together: one message for one reader, a page, a piece of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import css_inline

from domain.messages import MESSAGES, Medium, MessageKind
from domain.segments import sms_size
from settings import written_standard
from templates import environment
from templates import languages as language_folders
from templates.environment import WordsError, rendered
from templates.languages import LabelMissingError, entry, language_for, languages, switches
from templates.plain_text import gsm_friendly, letter, one_line

__all__ = [
    "LabelMissingError",
    "Words",
    "WordsError",
    "forget",
    "language_for",
    "languages",
    "render_markdown",
    "render_message",
    "render_page",
    "render_script",
]


@dataclass(frozen=True)
class Words:
    """What a message says: an SMS has only ``text``, an e-mail all three."""

    subject: str | None
    text: str
    html: str | None


# Only @media rules stay in <style>: dark mode and narrow screens. Nothing is ever fetched.
_INLINER = css_inline.CSSInliner(keep_at_rules=True, minify_css=True, load_remote_stylesheets=False)
# How much of people's own words an SMS keeps, tried in this order until it stays within its segments.
_ROOMS = (1, 0.75, 0.5, 0.3, 0.15, 0.05)
# In a mail a piece of news may say several times what it may in an SMS, less where there are many pieces: Gmail clips
# a mail beyond 102 kB.
_MOST_ROOM, _ROOM_OF_ALL = 8, 60
_MOST_LINES = 50


def render_message(
    kind: MessageKind,
    medium: Medium,
    *,
    language: str,
    context: Mapping[str, Any],
    recipient_name: str,
    organisation: str,
    time_zone: str,
    link: str | None,
    now: datetime | None = None,
    unsubscribe_link: str | None = None,
) -> Words:
    """The words of one message in the recipient's language (see language_for) and zone (an IANA name).

    ``context`` is what check_context asks for, moments ISO 8601 with a zone. ``now`` (aware) keeps the words from
    promising what is past already; without it every moment counts as still to come. ``unsubscribe_link``: a mail's
    footer says how to get no more of its kind. An SMS is cut to the standard's number of segments. Raises WordsError.
    """
    values = {
        **context,
        "recipient_name": one_line(recipient_name),
        "organisation": organisation,
        "language": language_for(language),
        "time_zone": time_zone,
        "link": link,
        "now": now,
        "unsubscribe_link": unsubscribe_link,
    }
    if medium is Medium.SMS:
        return Words(None, _sms(kind, values), None)
    values = with_news(kind, values)
    folder = f"{values['language']}/{kind.value}"
    html = rendered(f"{folder}/email.html", values, autoescape=True)
    subject = one_line(rendered(f"{folder}/email_subject.txt", values, autoescape=False))
    return Words(subject, letter(html, colon=_label(values, "fact", "colon")), _INLINER.inline(html))


def with_news(kind: MessageKind, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a mail; of one that says several news, with the news made into lines. Raises WordsError."""
    if kind is not MessageKind.TICKET_UPDATES:
        return dict(values)
    room = min(_MOST_ROOM, max(1, _ROOM_OF_ALL / max(1, len(values["updates"]))))
    return {**values, **_news(values, room=room)}


def _sms(kind: MessageKind, values: Mapping[str, Any]) -> str:
    """The SMS, people's words in it cut until it stays within its segments; the shortest there is when none does."""
    most, text = written_standard().courtesy.sms_segments, ""
    for attempt in _with_less_news(values) if kind is MessageKind.TICKET_UPDATES else _with_less_room(values):
        text = one_line(rendered(f"{values['language']}/{kind.value}/sms.txt", attempt, autoescape=False))
        text = gsm_friendly(text) if _label(values, "format", "gsm_sms") else text
        if sms_size(text).segments <= most:
            break
    return text


def _label(values: Mapping[str, Any], section: str, key: str) -> Any:
    try:
        return entry(values["language"], section, key)
    except (LabelMissingError, ValueError) as error:
        raise WordsError(str(error)) from error


def _with_less_room(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for room in _ROOMS:
        yield {**values, "room": room}


def _with_less_news(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All news, then fewer and fewer, then one piece cut shorter, at last only how many there are."""
    news = _news(values, room=1)
    for number in range(len(news["lines"]), 0, -1):
        yield {**values, **_first(news, number), "room": 1}
    for room in _ROOMS[1:]:
        yield {**values, **_first(_news(values, room=room), 1), "room": room}
    yield {**values, **_first(news, 0), "room": _ROOMS[-1]}


def _first(news: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {"lines": news["lines"][:number], "more": news["more"] + len(news["lines"][number:])}


def _news(values: Mapping[str, Any], *, room: float) -> dict[str, Any]:
    """The news of a ticket, each on a line, and how many more there are than a message can say."""
    updates: Sequence[Mapping[str, Any]] = values["updates"]
    lines = [_line(update, values, room) for update in updates[:_MOST_LINES]]
    return {"lines": lines, "more": len(updates) - len(lines)}


def _line(update: Mapping[str, Any], values: Mapping[str, Any], room: float) -> str:
    try:
        kind, context = MessageKind(update["kind"]), update["context"]
    except (LookupError, TypeError, ValueError) as error:
        raise WordsError(f"a piece of news is not one: {type(error).__name__}: {error}") from error
    if not MESSAGES[kind].merges:
        raise WordsError(f"{kind.value} cannot be said together with other news")
    common = {name: values[name] for name in ("recipient_name", "organisation", "language", "time_zone", "now")}
    path = f"{values['language']}/{kind.value}/update.txt"
    return one_line(rendered(path, {**context, **common, "room": room}, autoescape=False))


def render_page(name: str, /, *, language: str, **context: Any) -> str:
    """The page ``templates/<language>/pages/<name>.html``; its moments need ``time_zone`` (IANA). Raises WordsError."""
    language = language_for(language)
    values = {**context, "language": language, "switches": switches()}
    return rendered(f"{language}/pages/{name}.html", values, autoescape=True)


def render_script(name: str, /, *, language: str, **context: Any) -> str:
    """What staff say, ``templates/<language>/scripts/<name>.txt`` (S-06): plain text with its lines; a moment needs
    ``time_zone``. Raises WordsError."""
    language = language_for(language)
    return rendered(f"{language}/scripts/{name}.txt", {**context, "language": language}, autoescape=False).strip()


def render_markdown(name: str, /, *, language: str, time_zone: str, **context: Any) -> str:
    """The Markdown of ``templates/<language>/artifacts/<name>.md``, as the Prefect UI shows it. Raises WordsError."""
    language = language_for(language)
    values = {**context, "language": language, "time_zone": time_zone}
    return rendered(f"{language}/artifacts/{name}.md", values, autoescape=False)


def forget() -> None:
    """Read settings, folders, labels and templates anew; for tests and after other words were put in place."""
    language_folders.forget()
    environment.forget()
