"""This file is the one Jinja setup: two environments, HTML with autoescape, everything else without; both strict."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)

from templates import filters
from templates.languages import HERE, folders, located, shown
from templates.plain_text import harmless


class WordsError(Exception):
    """Words could not be made; the text names the template's file and line and what is wrong there."""


# What a template may do wrong. Whatever else is raised is a fault of ours and rises as it is.
_FAULTS = (
    TemplateError,
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    OSError,
    RecursionError,
)


@lru_cache(maxsize=2)
def environment(*, autoescape: bool) -> Environment:
    """The environment for HTML (``autoescape``), or for what is none: SMS, subjects, Markdown.

    The operator's folder wins over ours; ``original/…`` is ours in any case, so that an override can extend it.
    """
    # A byte order mark, which some editors write, would turn an SMS to UCS-2.
    ours = FileSystemLoader(HERE, encoding="utf-8-sig")
    files = FileSystemLoader(folders(), encoding="utf-8-sig")
    made = Environment(
        loader=ChoiceLoader([files, PrefixLoader({"original": ours})]),
        autoescape=autoescape,  # noqa: S701 - off for what is no HTML
        undefined=StrictUndefined,
        finalize=harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters.install(made)
    return made


def rendered(path: str, values: Mapping[str, Any], *, autoescape: bool) -> str:
    """The words of one template. Raises WordsError."""
    try:
        return environment(autoescape=autoescape).get_template(path).render(values)
    except _FAULTS as error:
        raise WordsError(described(error, path)) from error


def block(path: str, name: str, values: Mapping[str, Any]) -> str:
    """One block of an HTML template alone, as HTML; nothing when there is no such block. Raises WordsError."""
    try:
        template: Template = environment(autoescape=True).get_template(path)
        context = template.new_context(dict(values))
        # Only a render makes the blocks of the frames it extends, and its macros, known to the context.
        for _ in template.root_render_func(context):
            pass
        found = context.blocks.get(name)
        return "".join(found[0](context)) if found else ""
    except _FAULTS as error:
        raise WordsError(described(error, path)) from error


def described(error: Exception, path: str) -> str:
    """File, line and what is wrong, for an error that came up while ``path`` was read or rendered."""
    if isinstance(error, TemplateNotFound):
        missing = error.name or path
        if missing == path:
            return f"{shown(located(path))}: no such file"
        return f"{_place(error, path)}: there is no template {missing!r}"
    if isinstance(error, TemplateSyntaxError):
        file = shown(Path(error.filename)) if error.filename else path
        return f"{file}:{error.lineno}: {error.message}"
    if isinstance(error, UnicodeDecodeError):
        return f"{_place(error, path)}: it, or a file it uses, is not written in UTF-8"
    if isinstance(error, RecursionError):
        return f"{_place(error, path)}: it uses itself; what it overrides is called 'original/{path}'"
    return f"{_place(error, path)}: {type(error).__name__}: {error}"


def _place(error: Exception, path: str) -> str:
    """File and line of the fault; Jinja puts templates into the traceback as if they were Python files."""
    place, step = shown(located(path)), error.__traceback__
    while step is not None:
        file = Path(step.tb_frame.f_code.co_filename)
        if file.suffix != ".py" and any(file.is_relative_to(folder) for folder in folders()):
            place = f"{shown(file)}:{step.tb_lineno}"
        step = step.tb_next
    return place


def forget() -> None:
    """Make the environments anew, for other folders."""
    environment.cache_clear()
