"""Every page in a real browser: readable on a phone and a desk, in both languages, light and dark, and by ear."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, StorageState

from tests.browser.browsing import NARROW, WIDE, reading
from tests.browser.catalogue import PAGES
from tests.browser.conftest import SUPERVISORS, Site, serving
from tests.conftest import create_database


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
