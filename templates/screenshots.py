"""This file takes pictures of mails as a narrow or wide, light or dark screen shows them, with a Chromium."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Without a sandbox it runs in a container too; the pages are our own, and scripts are switched off.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# It reads commands from its file 3 and answers on its file 4. A shell that puts pipes there knows only one-digit files.
_START = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_PATIENCE = 60  # seconds for one answer


class BrowserError(Exception):
    """The browser does not do what it should; the text says what."""


@dataclass(frozen=True)
class Picture:
    """A PNG of a whole page; ``too_wide``: by how many pixels its content is wider than the screen."""

    png: bytes
    too_wide: int


def find_browser() -> str | None:
    """The Chromium on this machine's PATH."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def browser(command: str) -> Iterator[Browser]:
    """A browser with a fresh profile, gone at the end. Raises BrowserError when it does not start."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, contextlib.ExitStack() as opened:
        hear, say = os.pipe(), os.pipe()
        browser_command = [command, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(  # noqa: S603 - the command is the operator's own browser
            [sys.executable, "-c", _START, str(say[0]), str(hear[1]), *browser_command],
            pass_fds=(say[0], hear[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(say[0])
        os.close(hear[1])
        opened.callback(process.wait)
        opened.callback(process.kill)
        opened.callback(os.close, hear[0])
        opened.callback(os.close, say[1])
        started = Browser(hear[0], say[1])
        yield started
        started.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)


class Browser:
    """One tab, driven over a pipe by the Chrome DevTools Protocol."""

    def __init__(self, hear: int, say: int) -> None:
        self._hear, self._say = hear, say
        self._heard = b""
        self._number = 0
        self._tab: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._tab = str(self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        self._call("Page.enable")
        self._call("Emulation.setScriptExecutionDisabled", value=True)
        self._frame = self._call("Page.getFrameTree")["frameTree"]["frame"]["id"]

    def picture(self, html: str, *, width: int, is_dark: bool) -> Picture:
        """The whole page on a screen of this width in CSS pixels. Raises BrowserError."""
        screen = {"width": width, "height": 600, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **screen)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Page.setDocumentContent", frameId=self._frame, html=html)
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": max(width, size["width"]), "height": size["height"], "scale": 1}
        shot = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return Picture(base64.b64decode(shot["data"]), max(0, int(size["width"]) - width))

    def close(self) -> None:
        """Ask it to end."""
        self._tab = None
        self._call("Browser.close")

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        asked |= {"sessionId": self._tab} if self._tab else {}
        try:
            self._write(json.dumps(asked).encode() + b"\0")
            while (answer := self._read()).get("id") != self._number:
                pass  # an event, which nobody asked for
        except OSError as error:
            raise BrowserError(f"the browser went away ({error.strerror})") from error
        if "error" in answer:
            raise BrowserError(f"the browser refuses {method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._say, data) :]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._heard:
            if not select.select([self._hear], [], [], _PATIENCE)[0]:
                raise BrowserError(f"the browser has not answered for {_PATIENCE} seconds")
            piece = os.read(self._hear, 1 << 20)
            if not piece:
                raise BrowserError("the browser ended")
            self._heard += piece
        message, _, self._heard = self._heard.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer
