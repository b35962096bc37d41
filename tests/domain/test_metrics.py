"""Every figure is defined once: the document says what the table says, and each language explains each figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.breaches import BreachCause
from domain.metrics import METRICS
from templates.languages import labels, languages

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_document_is_the_table_and_has_every_cause_in_its_order() -> None:
    rows = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `")]
    figures, causes = rows[: len(METRICS)], rows[len(METRICS) :]

    assert [row.split("`")[1] for row in causes] == [cause.value for cause in BreachCause]
    assert figures == [
        f"| `{name}` | {metric.unit} | {metric.formula} | {metric.population} | {metric.edges} | {metric.rule} |"
        for name, metric in METRICS.items()
    ]


@pytest.mark.parametrize("language", languages())
def test_every_figure_says_in_every_language_how_it_is_counted(language: str) -> None:
    assert set(labels(language)["metric"]) == set(METRICS)
