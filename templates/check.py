"""This file finds what is wrong with the words, the operator's and ours, before a customer does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.messages import MESSAGES, Audience, Medium, MessageKind
from domain.segments import SmsSize, sms_size
from domain.standard import Standard
from templates.environment import WordsError, block
from templates.languages import LabelsUnreadableError, labels, languages, located, shown
from templates.render import render_markdown, render_message, with_news
from templates.samples import SAMPLE_NOW
from templates.sources import source_faults
from templates.variants import HOSTILE_MARKUP, Case, checked_cases


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
        found += _digest_faults(language, house)
        faults |= dict.fromkeys(fault for fault in found if fault.rpartition(" has no ")[2] not in said)
    return list(faults), costs


def _is_readable(language: str) -> bool:
    try:
        return bool(labels(language))
    except LabelsUnreadableError:
        return False


def _faults_of_kind(kind: MessageKind, language: str, house: House, costs: list[Cost]) -> list[str]:
    faults: list[str] = []
    sizes: list[SmsSize] = []
    for case in checked_cases(kind, language=language):
        given = arguments(case, house, language=language)
        try:
            faults += _mail_faults(kind, given, case)
        except WordsError as error:
            faults.append(str(error))
        if MESSAGES[kind].audience is Audience.CUSTOMER:
            try:
                text = render_message(kind, Medium.SMS, **given).text
            except WordsError as error:
                faults.append(str(error))
                continue
            sizes.append(sms_size(text))
            place = f"{shown(located(f'{language}/{kind.value}/sms.txt'))}:1"
            if not text.strip():
                faults.append(f"{place}: says nothing with {case.name}")
            if sizes[-1].segments > house.sms_segments:
                size = f"{sizes[-1].segments} segments ({sizes[-1].encoding}, {sizes[-1].units} units)"
                faults.append(f"{place}: {size} with {case.name}; at most {house.sms_segments}, the link included")
    if sizes:
        costs.append(Cost(kind, language, sizes[0], max(sizes, key=lambda size: size.segments)))
    return faults


def _mail_faults(kind: MessageKind, given: Mapping[str, Any], case: Case) -> Iterator[str]:
    mail = render_message(kind, Medium.EMAIL, **given)
    folder = f"{given['language']}/{kind.value}"
    if not (mail.subject or "").strip():
        yield f"{shown(located(f'{folder}/email_subject.txt'))}:1: says nothing with {case.name}"
    if not re.sub(r"<[^>]*>|\s", "", mail_block(kind, "body", given)):
        yield f"{shown(located(f'{folder}/email.html'))}:1: its body says nothing with {case.name}"
    if any(markup in (mail.html or "") for markup in HOSTILE_MARKUP):
        yield f"{shown(located(f'{folder}/email.html'))}:1: lets people's markup through; is there a '|safe'?"


def mail_block(kind: MessageKind, name: str, given: Mapping[str, Any]) -> str:
    """One block of a mail alone, as HTML; ``given`` are the arguments of a case. Raises WordsError."""
    values = with_news(kind, {**given["context"], **{key: value for key, value in given.items() if key != "context"}})
    return block(f"{given['language']}/{kind.value}/email.html", name, values)


def _digest_faults(language: str, house: House) -> Iterator[str]:
    for case in checked_cases(MessageKind.WEEKLY_DIGEST, language=language):
        try:
            text = render_markdown("weekly_digest", language=language, time_zone=house.time_zone, **case.context)
        except WordsError as error:
            yield str(error)
            continue
        if not text.strip():
            yield f"{shown(located(f'{language}/artifacts/weekly_digest.md'))}:1: says nothing with {case.name}"
