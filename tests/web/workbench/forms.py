"""A member of staff at the workbench, as a browser without script sees it: pages, and forms filled by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

Files = Sequence[tuple[str, tuple[str, bytes, str]]]


class _Forms(HTMLParser):
    """The forms of a page by their action, each with what a browser would send if nothing were touched."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: dict[str, dict[str, list[str]]] = {}
        self._fields: dict[str, list[str]] | None = None
        self._area: str | None = None
        self._text = ""
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._fields = self.forms.setdefault(at.get("action", ""), {})
        if self._fields is None:
            return
        if tag == "input" and at.get("name") and at.get("type") != "file":
            if at.get("type") not in ("checkbox", "radio") or "checked" in at:
                self._fields.setdefault(at["name"], []).append(at.get("value", ""))
        elif tag == "textarea":
            self._area, self._text = at["name"], ""
        elif tag == "select":
            self._select = at["name"]
        elif tag == "option" and self._select:
            known = self._fields.get(self._select)
            if known is None or "selected" in at:
                self._fields[self._select] = [at.get("value", "")]

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None
        elif tag == "textarea" and self._area and self._fields is not None:
            self._fields[self._area] = [self._text.removeprefix("\n")]
            self._area = None
        elif tag == "select":
            self._select = None


def forms_of(page: Response) -> dict[str, dict[str, list[str]]]:
    """The forms of a page by their action."""
    parser = _Forms()
    parser.feed(page.text)
    return parser.forms


def text_of(page: Response) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))


@dataclass
class Bench:
    """One member of staff, signed in."""

    client: TestClient
    staff_id: int

    def get(self, path: str) -> Response:
        """A page."""
        return self.client.get(path)

    def ticket(self, number: str, **query: str) -> Response:
        """A ticket's page."""
        return self.client.get(f"/workbench/tickets/{number}", params=query)

    def actions(self, number: str) -> set[str]:
        """The names of the forms that a ticket's page offers."""
        prefix = f"/workbench/tickets/{number}/"
        return {path.removeprefix(prefix) for path in forms_of(self.ticket(number)) if path.startswith(prefix)}

    def fill(self, page: Response, action: str, **values: Any) -> dict[str, Any]:
        """The form of a page with this action, filled."""
        return forms_of(page)[action] | values

    def send(self, action: str, form: dict[str, Any], files: Files | None = None) -> Response:
        """Send a form without following where it leads."""
        return self.client.post(action, data=form, files=files, follow_redirects=False)

    def act(self, number: str, name: str, *, files: Files | None = None, **values: Any) -> Response:
        """Open the ticket, fill one form, send it."""
        action = f"/workbench/tickets/{number}/{name}"
        return self.send(action, self.fill(self.ticket(number), action, **values), files)
