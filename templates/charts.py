"""The digest's figures as pictures for mails and pages (S-61): pure functions of the digest, the same bytes each time.

Drawn on a panel of their own, so that they are read in light and dark mail programs alike, and large enough for a
phone. matplotlib is imported here only: import this module where it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from types import MappingProxyType
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from PIL import Image

from templates.filters import rounded
from templates.languages import HERE, language_for, word

Digest = Mapping[str, Any]

_FONT = "Noto Sans CJK SC"
fontManager.addfont(HERE / "fonts" / "NotoSansSC-subset.otf")

# In a mail of 600 px the panel is 536 wide; at 2x that is about what this makes. Text stays readable at 328 px.
_INCHES, _DPI = 4.6, 240
_PANEL, _INK, _QUIET, _LINE = "#f6f8fa", "#24292f", "#57606a", "#d0d7de"
_BLUE, _ORANGE, _BEFORE = "#0b5cad", "#b35900", "#a8b3bf"
_COLOURS = 64  # of the palette: flat colours and their edges


def draw(digest: Digest, name: str, *, language: str) -> bytes | None:
    """One of ``CHARTS`` as PNG in the reader's language; None when there is nothing to show."""
    return CHARTS[name](digest, language_for(language))


def draw_all(digest: Digest, *, language: str) -> dict[str, bytes]:
    """All charts by name that have something to show."""
    drawn = {name: draw(digest, name, language=language) for name in CHARTS}
    return {name: png for name, png in drawn.items() if png is not None}


def _promises(digest: Digest, language: str) -> bytes | None:
    """The shares of kept promises over the last spans, with their targets."""
    trend = digest["trend"]
    lines = [("response", _BLUE), ("resolution", _ORANGE)]
    if all(span[f"{clock}_share"] is None for span in trend for clock, _ in lines):
        return None
    shares = {clock: [span[f"{clock}_share"] for span in trend] for clock, _ in lines}
    targets = {clock: digest["targets"][f"{clock}_share"] for clock, _ in lines}
    known = [share for row in [*shares.values(), targets.values()] for share in row if share is not None]
    unit = max(1 - min(known), 0.05) / 10
    ends = _apart([(shares[clock][-1], clock, colour) for clock, colour in lines], gap=2.5 * unit)
    floor = min([*known, *(place - 0.8 * unit for place, *_ in ends)])
    figure, axes = _panel(2.4)
    axes.set_xlim(-0.75, len(trend) - 0.1)
    axes.set_ylim(floor - 3.2 * unit, 1 + unit)
    for clock, colour in lines:
        _line(axes, shares[clock], colour)
    for share in sorted({share for share in targets.values() if share is not None}):
        axes.axhline(share, color=_QUIET, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
        said = f"{word(language, 'digest', 'target')} {_percent(share, language)}"
        _text(axes, -0.73, share + 0.55 * unit, said, _QUIET, size=8)
    for place, share, clock, colour in ends:
        _text(axes, len(trend) - 0.85, place, f"{word(language, 'clock', clock)}\n{_percent(share, language)}", colour)
    for position, span in enumerate(trend):
        _text(axes, position, floor - 2.2 * unit, _short(span["label"]), _QUIET, size=8.5, align="center")
    return _png(figure)


def _dimensions(digest: Digest, language: str) -> bytes | None:
    """The mean of each dimension beside the one before."""
    means = digest["satisfaction"]["means"]
    return _scores(means, "dimension", language)


def _stages(digest: Digest, language: str) -> bytes | None:
    """The mean of each stage beside the one before."""
    means = {stage: figures["mean"] for stage, figures in digest["satisfaction"]["stages"].items()}
    return _scores(means, "stage", language)


def _scores(means: Mapping[str, Mapping[str, float | None]], section: str, language: str) -> bytes | None:
    rows = [(word(language, section, key), pair["now"], pair["before"]) for key, pair in means.items()]
    given = [row for row in rows if row[1] is not None or row[2] is not None]
    return _bars(given, language, most=5, show=_score, start=1)


def _volume(digest: Digest, language: str) -> bytes | None:
    """How many tickets of each kind and priority were opened, beside before."""
    volume = digest["volume"]
    rows = [
        (word(language, section, key), pair["now"], pair["before"])
        for section in ("category", "priority")
        for key, pair in volume[f"by_{section}"].items()
    ]
    most = max((max(now, before) for _, now, before in rows), default=0)
    return _bars(rows, language, most=most, show=str)


CHARTS: Mapping[str, Callable[[Digest, str], bytes | None]] = MappingProxyType(
    {"promises": _promises, "dimensions": _dimensions, "stages": _stages, "volume": _volume}
)


def _bars(
    rows: Sequence[tuple[str, Any, Any]],
    language: str,
    *,
    most: float,
    show: Callable[[Any], str],
    start: float = 0,
) -> bytes | None:
    """Horizontal bars from ``start`` to ``most``: what is, thick; what was before, thin under it."""
    if not rows or most <= start:
        return None
    figure, axes = _panel(0.4 + 0.36 * len(rows))
    axes.set_xlim(-0.62, 1.14)
    axes.set_ylim(len(rows) - 0.45, -0.95)
    for place, key, colour in ((0, "now", _BLUE), (0.5, "before", _BEFORE)):
        axes.barh(-0.68, 0.04, 0.22, place, color=colour)
        _text(axes, place + 0.06, -0.7, word(language, "digest", key), _QUIET, size=8.5)
    for position, (name, now, before) in enumerate(rows):
        for value, colour, place, height in ((now, _BLUE, -0.08, 0.4), (before, _BEFORE, 0.24, 0.16)):
            length = 0 if value is None else (value - start) / (most - start)
            axes.barh(position + place, length, height, color=colour)
        _text(axes, -0.03, position, name, _INK, align="right")
        length = 0 if now is None else (now - start) / (most - start)
        _text(axes, length + 0.025, position - 0.06, "–" if now is None else show(now), _INK)
    return _png(figure)


def _panel(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_INCHES, height), dpi=_DPI, facecolor=_PANEL)
    axes = figure.add_axes((0.02, 0.02, 0.96, 0.96))
    axes.axis("off")
    return figure, axes


def _line(axes: Axes, shares: Sequence[float | None], colour: str) -> None:
    """The line has a gap where there was nothing to count."""
    heights = [float("nan") if share is None else share for share in shares]
    axes.plot(range(len(heights)), heights, color=colour, linewidth=2, marker="o", markersize=4.5)


def _apart(ends: Sequence[tuple[float | None, str, str]], *, gap: float) -> list[tuple[float, float, str, str]]:
    """Where the words at the lines' ends stand, so that they do not cover each other; a line without end has none."""
    placed: list[tuple[float, float, str, str]] = []
    for share, name, colour in sorted((end for end in ends if end[0] is not None), reverse=True):
        place = min(share or 0.0, placed[-1][0] - gap) if placed else share or 0.0
        placed.append((place, share or 0.0, name, colour))
    return placed


def _text(axes: Axes, x: float, y: float, said: str, colour: str, *, size: float = 9.5, align: str = "left") -> None:
    # Named at each text: matplotlib's own settings belong to the whole process, and pages are drawn in threads.
    font = FontProperties(family=[_FONT, "DejaVu Sans"], size=size)
    axes.text(x, y, said, color=colour, fontproperties=font, ha=align, va="center", parse_math=False, clip_on=False)


def _png(figure: Figure) -> bytes:
    """The figure with a small palette, which is a third of its size and looks the same."""
    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", facecolor=_PANEL)
    Image.open(drawn).convert("RGB").quantize(_COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def _short(label: str) -> str:
    """A week or month without its year: ``W47``, ``11``."""
    return label.rpartition("/")[2] if "/" in label else label.partition("-")[2]


def _percent(share: float, language: str) -> str:
    return word(language, "format", "percent").format(rounded(share * 100, "1"))


def _score(mean: float) -> str:
    return str(rounded(mean, "0.1"))
