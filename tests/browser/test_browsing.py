"""The checks themselves: a page that shuts people out, asks others, or breaks its own policy is found out."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.browsing import reading

NOBODY = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "fault",
    [
        '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
        '<input type="text">',
        '<p style="color: #aaa; background: #fff">pale</p>',
    ],
    ids=["picture without words", "field without label", "pale text"],
)
def test_a_page_that_shuts_people_out_is_found(browser: Browser, fault: str) -> None:
    with reading(browser, NOBODY, language="en") as reader:
        reader.page.set_content(f'<html lang="en"><title>A page</title><main><h1>A page</h1>{fault}</main></html>')

        with pytest.raises(AssertionError):
            reader.require_accessible()


def test_a_page_too_wide_for_a_phone_is_found(browser: Browser) -> None:
    with reading(browser, NOBODY, language="en") as reader:
        reader.page.set_content('<div style="width: 500px">wide</div>')

        assert reader.overflows()


@pytest.mark.parametrize(
    "content",
    [
        '<img src="http://127.0.0.1:10/elsewhere.png" alt="">',
        "<script>console.error('broken')</script>",
        "<script>throw new Error('broken')</script>",
        "<meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\"><script>1</script>",
    ],
    ids=["another host", "console", "script", "policy"],
)
def test_a_page_that_asks_others_or_breaks_is_found(browser: Browser, content: str) -> None:
    def read() -> None:
        with reading(browser, NOBODY, language="en") as reader:
            reader.page.set_content(content)
            reader.page.wait_for_timeout(100)

    with pytest.raises(AssertionError):
        read()
