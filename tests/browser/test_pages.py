"""Every page in a real browser: readable on a phone and a desk, in both languages, light and dark, and by ear."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from fastapi import Request, Response
from playwright.sync_api import Browser, StorageState

from domain.exceptions import IllegalTransitionError
from tests.browser.browsing import NARROW, WIDE, reading
from tests.browser.catalogue import PAGES
from tests.browser.conftest import SUPERVISORS, Site, serving
from tests.conftest import create_database
from web import problems


@pytest.fixture(scope="module")
def furnished(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One web process for all pages; each looks at tickets of its own."""
    template = template_database.rpartition("/")[2].partition("?")[0]
    database = create_database(postgres, "browser_pages", template=template)
    with serving(database, tmp_path_factory.mktemp("browser")) as site:
        yield site


@pytest.fixture(scope="module")
def sessions(browser: Browser, furnished: Site) -> dict[str, StorageState]:
    """A supervisor of each language, signed in."""
    found = {}
    for language, member in SUPERVISORS.items():
        with reading(browser, furnished.address, language=language) as reader:
            furnished.sign_in(reader, member)
            found[language] = reader.page.context.storage_state()
    return found


@pytest.mark.parametrize("language", SUPERVISORS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light_readable_and_open_to_everybody(
    browser: Browser, furnished: Site, sessions: dict[str, StorageState], name: str, language: str
) -> None:
    shown = PAGES[name]
    path, session = shown.path(furnished), sessions[language] if shown.for_staff else None

    with reading(browser, furnished.address, language=language, session=session) as reader:
        reader.open(path if shown.for_staff else f"{path}?lang={language}", status=shown.status)
        shown.act(reader)

        assert reader.page.get_attribute("html", "lang") == language
        reader.require_accessible()
        for width in (NARROW, WIDE):
            reader.page.set_viewport_size({"width": width, "height": 800})
            reader.shoot(name)
            assert not reader.overflows(), f"{name} must be pushed sideways at {width} px"


REFUSALS: dict[str, Callable[[Request], Response]] = {
    "too-many": partial(problems.too_many_page, seconds=90),
    "too-large": problems.too_large_page,
    "unavailable": problems.unavailable_page,
    "error": problems.error_page,
    "problem": partial(problems.problem_page, error=IllegalTransitionError("the ticket has moved on")),
}


@pytest.mark.parametrize("language", SUPERVISORS)
@pytest.mark.parametrize("name", REFUSALS)
def test_a_page_that_says_no_is_readable_too(browser: Browser, furnished: Site, name: str, language: str) -> None:
    """Laid into the browser as it is made: the server would have to be overrun or broken for it."""
    query = f"lang={language}".encode()
    scope = {"type": "http", "method": "GET", "path": "/refused", "query_string": query, "headers": []}
    body = bytes(REFUSALS[name](Request(scope)).body)

    with reading(browser, furnished.address, language=language) as reader:
        reader.page.route("**/refused", lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8"))
        reader.open("/refused")

        assert reader.page.get_attribute("html", "lang") == language
        reader.require_accessible()
        for width in (NARROW, WIDE):
            reader.page.set_viewport_size({"width": width, "height": 800})
            reader.shoot(name)
            assert not reader.overflows()
