"""A reader with a real browser: whom it asked, what went wrong in it, what its pages weigh, what axe says of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, Response, StorageState

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Sandbox: the tests may run as root. The rest keeps the browser from asking its makers for anything.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
HEAVIEST = 50_000
NARROW, WIDE = 360, 1280
_HEIGHT = 800
# What keeps people out; axe's "moderate" and "minor" are advice.
_GRAVE = frozenset({"serious", "critical"})
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def executable() -> str | None:
    """Chromium under one of its names, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium; its own folders are left where the test's user has them."""
    return playwright.chromium.launch(executable_path=executable(), args=[*ARGUMENTS], env={**os.environ})


@dataclass
class Reader:
    """One person with one browser window; ``close`` says what must not have happened."""

    page: Page
    address: str
    language: str
    faults: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def open(self, path: str, *, status: int = 200) -> None:
        """Go to a page of ours; a path or a whole address."""
        answer = self.page.goto(path if path.startswith("http") else f"{self.address}{path}")
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"

    def sees(self, words: str) -> bool:
        """Whether the words are on the page, as text."""
        return words in self.page.inner_text("body")

    def shoot(self, name: str) -> None:
        """Keep a picture of the whole page as build output."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        width = (self.page.viewport_size or {"width": 0})["width"]
        self.page.screenshot(path=SHOTS / f"{name}-{self.language}-{width}.png", full_page=True)

    def overflows(self) -> bool:
        """Whether the page must be pushed sideways to be read."""
        found: bool = self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        return found

    def require_accessible(self) -> None:
        """No grave fault by axe-core, light or dark."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            # In the dark nothing is another but the colours.
            chosen = {"tag": _RULES} if scheme == "light" else {"rule": ["color-contrast"]}
            grave = [fault for fault in _axe(self.page, chosen) if fault["impact"] in _GRAVE]
            told = [f"{scheme} {f['id']} {f['help']}: {[n['html'][:120] for n in f['nodes']][:4]}" for f in grave]
            assert not grave, f"{self.page.url}\n" + "\n".join(told)
        self.page.emulate_media(color_scheme="light")


def _axe(page: Page, chosen: dict[str, list[str]]) -> list[dict[str, Any]]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    ((kind, values),) = chosen.items()
    options = {"resultTypes": ["violations"], "runOnly": {"type": kind, "values": values}}
    found: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    violations: list[dict[str, Any]] = found["violations"]
    return violations


@contextmanager
def reading(
    browser: Browser,
    address: str,
    *,
    language: str,
    width: int = NARROW,
    script: bool = True,
    session: StorageState | None = None,
) -> Iterator[Reader]:
    """A new reader; at the end every page asked only us, broke no policy, wrote no error, and was light."""
    context = browser.new_context(
        viewport={"width": width, "height": _HEIGHT},
        locale=language,
        java_script_enabled=script,
        has_touch=width == NARROW,
        reduced_motion="reduce",
        storage_state=session,
    )
    context.set_default_timeout(10_000)
    reader = Reader(context.new_page(), address, language)
    context.on("request", lambda request: _note_host(reader, request))
    context.on("response", lambda response: _note_weight(reader, response))
    context.on("console", lambda message: _note_console(reader, message))
    context.on("weberror", lambda error: reader.faults.append(f"script: {error.error}"))
    try:
        yield reader
    finally:
        context.close()
    assert reader.hosts <= {urlsplit(address).netloc}, f"asked others: {reader.hosts}"
    assert reader.faults == []


def _note_host(reader: Reader, request: Request) -> None:
    parts = urlsplit(request.url)
    if parts.scheme not in {"data", "blob", "about"}:
        reader.hosts.add(parts.netloc)


def _note_weight(reader: Reader, response: Response) -> None:
    if response.status >= (500 if response.request.resource_type == "document" else 400):
        reader.faults.append(f"{response.status} {response.url}")
    said = response.headers
    if said.get("content-type", "").startswith("text/html") and int(said.get("content-length", 0)) > HEAVIEST:
        reader.faults.append(f"{said['content-length']} bytes: {response.url}")


def _note_console(reader: Reader, message: ConsoleMessage) -> None:
    # A page that is meant to be a 404 or 422 is told in the console too, as a resource that failed.
    if message.type == "error" and "Failed to load resource" not in message.text:
        reader.faults.append(f"console: {message.text} ({reader.page.url})")
