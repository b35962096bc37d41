"""The steps of the digest: who is due, the figures, the files, one mail per manager (S-61)."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from db import digests, outbox, reports, tracking
from db.digests import Reader
from db.outbox import NewMessage
from db.session import transaction
from db.standards import get_standard
from domain.digest_schedule import span_due
from domain.exceptions import InvalidInputError, NotFoundError
from domain.messages import Enclosure, Medium, MessageKind
from domain.spans import Span, month_named, week_named
from settings import get_settings
from templates import tracking_sheet
from templates.render import render_markdown

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# In a mail a third more; few servers take mails of more than 20 MB, and SendGrid none of more than 30.
_LARGEST_SHEET = 14 * 2**20


def find_due(now: datetime) -> dict[Span, list[Reader]]:
    """Who is to get the digest of which span and has not got it yet."""
    zone = get_standard().organisation.time_zone
    with transaction() as connection:
        due = [(reader, span_due(reader.wish, time_zone=zone, now=now)) for reader in digests.readers(connection)]
        queued = digests.were_queued(connection, [_occasion(span, reader) for reader, span in due])
    found: defaultdict[Span, list[Reader]] = defaultdict(list)
    for reader, span in due:
        if _occasion(span, reader) not in queued:
            found[span].append(reader)
    return dict(found)


def _occasion(span: Span, reader: Reader) -> str:
    return f"digest:{span.label}:staff{reader.staff_id}"


def find_reader(staff_id: int) -> Reader:
    """The manager with this number. Raises NotFoundError when there is none whom a digest can reach."""
    with transaction() as connection:
        found = [one for one in digests.readers(connection) if one.staff_id == staff_id and one.has_address]
    if not found:
        raise NotFoundError(f"no manager with the number {staff_id} gets digests; see 'aftercare staff list'")
    return found[0]


def span_named(period: str, region: str | None, *, now: datetime) -> Span:
    """The week or month that is written so. Raises InvalidInputError: there is none, or it has not begun."""
    zone = get_standard().organisation.time_zone
    span = week_named(period, zone) if "W" in period else month_named(period, zone)
    if span.since > now:
        raise InvalidInputError("period", "has not begun yet")
    return span.within(region)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5)
def load_figures(span: Span) -> dict[str, Any]:
    """All figures of the digest."""
    with transaction() as connection:
        return reports.digest(connection, span, get_standard())


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5)
def queue_digests(
    figures: Mapping[str, Any], span: Span, readers: Sequence[Reader], now: datetime, *, again: str = ""
) -> int:
    """Queue the digest for each of these managers, in their language, with its charts and the tracking sheet; once
    per manager and span, and per mark ``again``. Returns how many are new."""
    messages: list[NewMessage] = []
    for language in sorted({reader.language for reader in readers}):
        charts, sheet = _charts(figures, language), _sheet(span, language)
        is_attached = len(sheet.content) <= _LARGEST_SHEET
        context = {
            "digest": figures,
            "base": get_settings().web_url,
            "charts": {name: f"cid:{chart.content_id}" for name, chart in charts.items()},
            "sheet": {"is_attached": is_attached},
        }
        messages += [
            NewMessage(
                dedupe_key=":".join(filter(None, (_occasion(span, reader), again))),
                kind=MessageKind.WEEKLY_DIGEST,
                medium=Medium.EMAIL,
                language=language,
                context=context,
                staff_id=reader.staff_id,
                enclosures=[*charts.values(), *([sheet] if is_attached else [])],
            )
            for reader in readers
            if reader.language == language
        ]
    with transaction() as connection:
        return outbox.queue(connection, messages, now=now)


def _charts(figures: Mapping[str, Any], language: str) -> dict[str, Enclosure]:
    from templates import charts  # matplotlib: only who draws waits for it

    drawn = charts.draw_all(figures, language=language)
    return {name: Enclosure(f"{name}.png", "image/png", png, f"{name}@aftercare") for name, png in drawn.items()}


def _sheet(span: Span, language: str) -> Enclosure:
    """The tracking sheet of the tickets that were opened in the span."""
    zone = get_standard().organisation.time_zone
    with tempfile.TemporaryDirectory(prefix="aftercare-digest-") as folder, transaction() as connection:
        file = Path(folder) / "sheet.xlsx"
        rows = tracking.rows(connection, since=span.since, until=span.until, region=span.region)
        tracking_sheet.write(rows, file, language=language, time_zone=zone)
        return Enclosure(f"{tracking_sheet.title(language)} {span.label}.xlsx", _WORKBOOK, file.read_bytes())


def as_markdown(figures: Mapping[str, Any]) -> str:
    """The digest as it is shown in the Prefect UI: figures and ticket numbers, no names of customers."""
    organisation = get_standard().organisation
    return render_markdown(
        "weekly_digest",
        language=organisation.default_language,
        time_zone=organisation.time_zone,
        digest=figures,
    )
