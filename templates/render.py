"""This file is the one Jinja setup: two environments, HTML with autoescape, everything else without; both strict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError

from domain.messages import Medium, MessageKind
from templates import filters
from templates.languages import HERE, LabelMissingError, labels, language_for, languages
from templates.plain_text import gsm_friendly, letter, one_line

__all__ = [
    "LabelMissingError",
    "Words",
    "WordsError",
    "language_for",
    "languages",
    "render_markdown",
    "render_message",
    "render_page",
]


@dataclass(frozen=True)
class Words:
    """What a message says: an SMS has only ``text``, an e-mail all three."""

    subject: str | None
    text: str
    html: str | None


class WordsError(Exception):
    """Words could not be made; the text names the template's file and line and what is wrong there."""


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=autoescape,  # noqa: S701 - off for what is no HTML: SMS, subjects, Markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters.install(environment)
    return environment


_HTML = _environment(autoescape=True)
_TEXT = _environment(autoescape=False)
# Only @media rules stay in <style>: dark mode and narrow screens. Nothing is ever fetched.
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


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
) -> Words:
    """The words of one message in the recipient's language (see language_for) and zone (an IANA name).

    ``context`` is what check_context asks for, moments ISO 8601 with a zone. ``now`` (aware) keeps the words from
    promising what is past already; without it every moment counts as still to come. Raises WordsError.
    """
    language = language_for(language)
    values = {
        **context,
        "recipient_name": one_line(recipient_name),
        "organisation": organisation,
        "language": language,
        "time_zone": time_zone,
        "link": link,
        "now": now,
    }
    folder = f"{language}/{kind.value}"
    if medium is Medium.SMS:
        text = one_line(_rendered(_TEXT, f"{folder}/sms.txt", values))
        return Words(None, gsm_friendly(text) if labels(language)["format"]["gsm_sms"] else text, None)
    html = _rendered(_HTML, f"{folder}/email.html", values)
    subject = one_line(_rendered(_TEXT, f"{folder}/email_subject.txt", values))
    return Words(subject, letter(html), _INLINER.inline(html))


def render_page(name: str, /, *, language: str, **context: Any) -> str:
    """The page ``templates/<language>/pages/<name>.html``; its moments need ``time_zone`` (IANA). Raises WordsError."""
    language = language_for(language)
    return _rendered(_HTML, f"{language}/pages/{name}.html", {**context, "language": language})


def render_markdown(name: str, /, *, language: str, time_zone: str, **context: Any) -> str:
    """The Markdown of ``templates/<language>/artifacts/<name>.md``, as the Prefect UI shows it. Raises WordsError."""
    language = language_for(language)
    values = {**context, "language": language, "time_zone": time_zone}
    return _rendered(_TEXT, f"{language}/artifacts/{name}.md", values)


def _rendered(environment: Environment, path: str, values: Mapping[str, Any]) -> str:
    try:
        return environment.get_template(path).render(values)
    except (TemplateError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise WordsError(f"{_place(error, path)}: {type(error).__name__}: {error}") from error


def _place(error: Exception, path: str) -> str:
    """File and line of the fault; Jinja puts templates into the traceback as if they were Python files."""
    if isinstance(error, TemplateSyntaxError):
        return f"templates/{error.name or path}:{error.lineno}"
    place, step = f"templates/{path}", error.__traceback__
    while step is not None and not isinstance(error, TemplateNotFound):
        file = Path(step.tb_frame.f_code.co_filename)
        if file.is_relative_to(HERE) and file.suffix != ".py":
            place = f"templates/{file.relative_to(HERE).as_posix()}:{step.tb_lineno}"
        step = step.tb_next
    return place
