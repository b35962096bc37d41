"""Answers on paper are taken in from a sheet, or it is said what would be taken (S-51)."""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from clock import utc_now
from domain.exceptions import DomainError
from flows.parameters import Now, Reason, StaffId
from flows.report import Report, refused
from tasks.sheets import take_sheet

SheetName = Annotated[str, Field(pattern=r"^[\w-][\w .()-]{0,150}\.(xlsx|csv)$")]
MapName = Annotated[str, Field(pattern=r"^[\w-][\w .()-]{0,150}\.toml$")]


@flow(name="feedback_import", flow_run_name="{sheet}")
def feedback_import(
    sheet: SheetName,
    by_staff: StaffId,
    reason: Reason,
    own_map: MapName | None = None,
    dry_run: bool = True,
    now: Now = None,
) -> State[None]:
    """Takes answers on paper from a workbook or CSV in the folder "sheets" of AFTERCARE_HOME. A copy beside it,
    "….checked.xlsx", says of each row what became of it. What was taken before counts once.

    Args:
        sheet: The file's name.
        by_staff: The number of whoever answers for it: supervisor, manager, quality inspector ("aftercare staff list").
        reason: Where the answers come from; it stays with the run.
        own_map: A file there with your titles and words over domain/paper_map.toml. Empty: those alone.
        dry_run: Only say what would be taken; switch off to take it.
        now: The moment that counts, given with its zone. Empty: the present moment.
    """
    report = Report("feedback-import", f"Rows of {sheet} ({reason}) that were not taken; the checked copy says why.")
    try:
        imported = take_sheet.with_options(task_run_name=sheet)(sheet, own_map, by_staff, dry_run, now or utc_now())
    except DomainError as error:
        return refused(error)
    for what, count in imported.fates.items():
        report.add(f"would be {what}" if dry_run else what, count=count)
    report.add("refused", [{"row": row} for row in imported.refused], count=0)
    return report.finish()
