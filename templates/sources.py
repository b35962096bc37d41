"""This file finds what is wrong with the files of words themselves: labels, missing files, syntax, unknown names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import TemplateNotFound, TemplateSyntaxError, meta, nodes

from domain.messages import MESSAGES, TICKET_CONTEXT, Audience, MessageKind
from domain.next_step import SCRIPT_CONTEXT
from templates.environment import described, environment
from templates.languages import (
    HERE,
    LABELS,
    LabelsUnreadableError,
    folders,
    labels,
    languages,
    located,
    read_labels,
    shown,
)

# What the words of every message may use beside what its kind needs.
_ALWAYS = frozenset(
    {"recipient_name", "organisation", "language", "time_zone", "link", "now", "unsubscribe_link", "room", "self"}
)
_NEWS = frozenset({"lines", "more"})
_SUFFIXES = frozenset({".html", ".txt", ".md"})


def source_faults() -> Iterator[str]:
    """Each fault as ``file:line: what is wrong``; of a missing file only its name."""
    _parsed.cache_clear()
    yield from _label_faults()
    yield from _file_faults()
    yield from _name_faults()


def _own_languages() -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in HERE.glob(f"*/{LABELS}")))


def _label_faults() -> Iterator[str]:
    wanted: dict[tuple[str, str], Any] = {}
    for language in _own_languages():
        for section, entries in read_labels(HERE / language / LABELS).items():
            wanted |= {(section, key): value for key, value in entries.items()}
    for language in languages():
        file = located(f"{language}/{LABELS}")
        try:
            found = {(s, key): value for s, entries in labels(language).items() for key, value in entries.items()}
        except LabelsUnreadableError as error:
            yield str(error)
            continue
        for section, key in sorted(wanted.keys() - found.keys()):
            yield f"{_label_place(file, section)}: no {key!r} in [{section}]"
        for section, key in sorted(found.keys() - wanted.keys()):
            yield f"{_label_place(file, section, key)}: nothing uses {key!r} in [{section}]"
        for (section, key), value in found.items():
            fault = _value_fault(value, wanted.get((section, key), value))
            if fault:
                yield f"{_label_place(file, section, key)}: {key!r} in [{section}] {fault}"


def _value_fault(value: Any, like: Any) -> str:
    if type(value) is not type(like):
        return f"must be like {like!r}"
    if isinstance(like, list) and len(value) != len(like):
        return f"must name {len(like)}, not {len(value)}"
    return ""


def _label_place(file: Path, section: str, key: str = "") -> str:
    """The line of an entry, or of its section's head where the entry is missing."""
    line, place, is_inside = 0, 0, False
    for line, text in enumerate(file.read_text("utf-8-sig").splitlines(), 1):
        if text.strip().startswith("["):
            is_inside = text.strip().startswith(f"[{section}]")
            place = line if is_inside else place
        elif is_inside and key and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", text):
            return f"{shown(file)}:{line}"
    return f"{shown(file)}:{place or line or 1}"


def wanted_files(language: str) -> list[str]:
    """The files that a language must have."""
    names = []
    for kind, traits in MESSAGES.items():
        files = ["email_subject.txt", "email.html"]
        files += ["sms.txt"] if traits.audience is Audience.CUSTOMER else []
        files += ["update.txt"] if traits.merges else []
        names += [f"{language}/{kind.value}/{file}" for file in files]
    for folder in ("pages", "artifacts", "scripts"):
        ours = {path.name for known in _own_languages() for path in (HERE / known / folder).iterdir()}
        names += [f"{language}/{folder}/{name}" for name in sorted(ours)]
    return names


def _templates() -> list[str]:
    """The names of all files of words, the operator's and ours, without ``original/``."""
    found = {
        path.relative_to(folder).as_posix()
        for folder in folders()
        for path in folder.glob("*/**/*")
        if path.suffix in _SUFFIXES and path.is_file()
    }
    return sorted(name for name in found if not any(part.startswith((".", "_")) for part in name.split("/")))


def _file_faults() -> Iterator[str]:
    for language in languages():
        for name in wanted_files(language):
            if not located(name).is_file():
                yield f"{shown(located(name))}: no such file"
    used: set[str] = set()
    for name in (name for language in languages() for name in wanted_files(language)):
        _follow(name, used)
    used |= {name for name in _templates() if name.startswith("layouts/") and (HERE / name).is_file()}
    for name in _templates():
        if name not in used:
            yield f"{shown(located(name))}: nothing uses this file; is its name right?"


def _follow(name: str, used: set[str]) -> None:
    if name in used:
        return
    used.add(name)
    tree = _tree(name)
    for reference in meta.find_referenced_templates(tree) if tree else ():
        if reference is not None:
            _follow(reference, used)


@cache
def _parsed(name: str) -> nodes.Template | str:
    """A template's syntax tree, or what is wrong with it."""
    setup = environment(autoescape=name.endswith(".html"))
    try:
        setup.get_template(name)  # compiles: unknown filters and tests are found too
        source = setup.loader.get_source(setup, name)[0] if setup.loader else ""
        return setup.parse(source)
    except (TemplateSyntaxError, UnicodeDecodeError, OSError) as error:
        return "" if isinstance(error, TemplateNotFound) else described(error, name)


def _tree(name: str) -> nodes.Template | None:
    parsed = _parsed(name)
    return parsed if isinstance(parsed, nodes.Template) else None


def _name_faults() -> Iterator[str]:
    for name in _templates():
        parsed = _parsed(name)
        if isinstance(parsed, str):
            yield parsed
            continue
        unknown = meta.find_undeclared_variables(parsed) - _known_names(name) - _made_names(name)
        for variable in sorted(unknown):
            lines = [node.lineno for node in parsed.find_all(nodes.Name) if node.name == variable]
            yield f"{shown(located(name))}:{min(lines, default=1)}: UndefinedError: {variable!r} is undefined"


def _made_names(name: str) -> set[str]:
    """The macros that a template, or a frame it extends, makes or imports; its blocks may use them."""
    tree = _tree(name)
    if tree is None:
        return set()
    made = {node.name for node in tree.find_all(nodes.Macro)} | {node.target for node in tree.find_all(nodes.Import)}
    for source in tree.find_all(nodes.FromImport):
        made |= {imported[-1] if isinstance(imported, tuple) else imported for imported in source.names}
    for frame in tree.find_all(nodes.Extends):
        made |= _made_names(frame.template.value) if isinstance(frame.template, nodes.Const) else set()
    return made


def _known_names(name: str) -> set[str]:
    """What a template is given: by its kind; a page or a frame by what ours of the same name use."""
    kind = next((kind for kind in MessageKind if kind.value == name.split("/")[1]), None)
    if kind is not None:
        traits = MESSAGES[kind]
        context = traits.needs | (TICKET_CONTEXT if traits.about_ticket else frozenset()) | _ALWAYS
        return set(context | _NEWS if kind is MessageKind.TICKET_UPDATES else context)
    if name.split("/")[1:2] == ["scripts"]:
        return set(SCRIPT_CONTEXT | _ALWAYS)
    given = set(_ALWAYS | TICKET_CONTEXT).union(*(traits.needs for traits in MESSAGES.values()))
    language, _, rest = name.partition("/")
    twins = [f"{known}/{rest}" for known in _own_languages()] if language in languages() else [name]
    ours = "original/" if len(folders()) > 1 else ""
    for twin in twins:
        tree = _tree(f"{ours}{twin}")
        given |= meta.find_undeclared_variables(tree) if tree else set()
    return given
