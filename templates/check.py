"""This file finds what is wrong with the words, the operator's and ours, before a customer does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.messages import MESSAGES, Audience, Medium, MessageKind
from domain.next_step import Script
from domain.segments import SmsSize, sms_size
from domain.standard import Standard
from templates.environment import WordsError, block
from templates.languages import LabelsUnreadableError, labels, languages, located, shown
from templates.render import Words, render_markdown, render_message, render_script, with_news
from templates.samples import SAMPLE_NOW
from templates.sources import source_faults
from templates.variants import HOSTILE_MARKUP, Case, checked_cases, script_cases, today_cases


@dataclass(frozen=True)
class House:
    """Who speaks, and how many segments an SMS may have."""

    names: Mapping[str, str]
    default_language: str
    time_zone: str
    sms_segments: int

    @classmethod
    def of(cls, standard: Standard) -> House:
        """What a service standard says of it."""
        organisation = standard.organisation
        return cls(
            organisation.name,
            organisation.default_language,
            organisation.time_zone,
            standard.courtesy.sms_segments,
        )

    def name(self, language: str) -> str:
        """The organisation's name in a language."""
        return self.names.get(language, self.names[self.default_language])


@dataclass(frozen=True)
class Cost:
    """What an SMS of a kind costs: every day, and at the most."""

    kind: MessageKind
    language: str
    usual: SmsSize
    most: SmsSize


def arguments(case: Case, house: House, *, language: str) -> dict[str, Any]:
    """What render_message must be told to say a case."""
    return {
        "language": language,
        "context": case.context,
        "recipient_name": case.recipient_name,
        "organisation": house.name(language),
        "time_zone": house.time_zone,
        "link": case.link,
        "now": SAMPLE_NOW,
        "unsubscribe_link": case.unsubscribe_link,
    }


def find_faults(house: House) -> tuple[list[str], list[Cost]]:
    """Every fault once, as ``file:line: what is wrong``; and what each SMS costs, as far as its words can be made."""
    # A dict keeps the order and each fault once, however many renders meet it.
    faults = dict.fromkeys(source_faults())
    # A missing label was said with its place; the many templates that miss it say nothing new.
    said = {fault.partition(": no ")[2] for fault in faults}
    costs: list[Cost] = []
    for language in languages():
        if not _is_readable(language):
            continue
        found = [fault for kind in MessageKind for fault in _faults_of_kind(kind, language, house, costs)]
        found += _artifact_faults(language, house)
        found += _script_faults(language, house)
        faults |= dict.fromkeys(fault for fault in found if fault.rpartition(" has no ")[2] not in said)
    return list(faults), costs


def _is_readable(language: str) -> bool:
    try:
        return bool(labels(language))
    except LabelsUnreadableError:
        return False


def _faults_of_kind(kind: MessageKind, language: str, house: House, costs: list[Cost]) -> list[str]:
    faults: dict[str, str] = {}  # by what is wrong where; the first case that shows it is enough
    sizes: list[tuple[SmsSize, str]] = []
    for case in checked_cases(kind, language=language):
        given = arguments(case, house, language=language)
        for medium in Medium:
            if medium is Medium.SMS and MESSAGES[kind].audience is not Audience.CUSTOMER:
                continue
            try:
                said = render_message(kind, medium, **given)
                found = _empty_parts(kind, said, given)
            except WordsError as error:
                faults.setdefault(str(error), str(error))
                continue
            for fault in found:
                faults.setdefault(fault, f"{fault} with {case.name}")
            if medium is Medium.SMS:
                sizes.append((sms_size(said.text), case.name))
            elif any(markup in (said.html or "") for markup in HOSTILE_MARKUP):
                fault = f"{_first_line(given, kind, 'email.html')}: lets people's markup through; is there a '|safe'?"
                faults.setdefault(fault, fault)
    if sizes:
        most, name = max(sizes, key=lambda pair: pair[0].segments)
        costs.append(Cost(kind, language, sizes[0][0], most))
        if most.segments > house.sms_segments:
            fault = f"{most.segments} segments ({most.encoding}, {most.units} units) with {name}"
            place = _first_line({"language": language}, kind, "sms.txt")
            faults["size"] = f"{place}: {fault}; at most {house.sms_segments}, the link included"
    return list(faults.values())


def _empty_parts(kind: MessageKind, said: Words, given: Mapping[str, Any]) -> Iterator[str]:
    if said.html is None:
        if not said.text.strip():
            yield f"{_first_line(given, kind, 'sms.txt')}: says nothing"
        return
    if not (said.subject or "").strip():
        yield f"{_first_line(given, kind, 'email_subject.txt')}: says nothing"
    if not re.sub(r"<[^>]*>|\s", "", mail_block(kind, "body", given)):
        yield f"{_first_line(given, kind, 'email.html')}: its body says nothing"


def _first_line(given: Mapping[str, Any], kind: MessageKind, file: str) -> str:
    name = f"{given['language']}/{kind.value}/{file}"
    return f"{shown(located(name))}:1"


def mail_block(kind: MessageKind, name: str, given: Mapping[str, Any]) -> str:
    """One block of a mail alone, as HTML; ``given`` are the arguments of a case. Raises WordsError."""
    values = with_news(kind, {**given["context"], **{key: value for key, value in given.items() if key != "context"}})
    return block(f"{given['language']}/{kind.value}/email.html", name, values)


def _script_faults(language: str, house: House) -> Iterator[str]:
    frame = {"time_zone": house.time_zone, "organisation": house.name(language), "now": SAMPLE_NOW}
    for script in Script:
        faults: dict[str, None] = {}
        for name, context in script_cases(language):
            try:
                if not render_script(script.value, language=language, **frame, **context):
                    faults[
                        f"{shown(located(f'{language}/scripts/{script.value}.txt'))}:1: says nothing with {name}"
                    ] = None
            except WordsError as error:
                faults[str(error)] = None
        yield from faults


def _artifact_faults(language: str, house: House) -> Iterator[str]:
    digests = [(c.name, c.context) for c in checked_cases(MessageKind.WEEKLY_DIGEST, language=language)]
    for artifact, cases in (("weekly_digest", digests), ("service_today", today_cases())):
        for name, values in cases:
            try:
                text = render_markdown(artifact, language=language, time_zone=house.time_zone, **values)
            except WordsError as error:
                yield str(error)
                continue
            if not text.strip():
                yield f"{shown(located(f'{language}/artifacts/{artifact}.md'))}:1: says nothing with {name}"
