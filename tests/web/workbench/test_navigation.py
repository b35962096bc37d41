"""The navigation offers to each role the pages that open for it, and no other."""

from __future__ import annotations

import re

import pytest

from domain.people import STAFF_ROLES, Role
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from web.workbench.navigation import menus_for

HREF = re.compile(r'href="([^"]+)"')
ACCOUNT = "/workbench/account"


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_every_page_that_is_offered_opens(site: Site, make_bench: MakeBench, role: Role) -> None:
    bench = make_bench(role=role)
    offered = [f"/workbench{entry.path}" for menu in menus_for(role) for entry in menu.entries]

    nav = re.search(r"<nav.*?</nav>", bench.client.get("/workbench").text, re.DOTALL)

    assert nav is not None
    assert [path for path in HREF.findall(nav[0]) if path != ACCOUNT] == offered
    assert {path: bench.client.get(path).status_code for path in offered} == dict.fromkeys(offered, 200)


def test_one_page_alone_is_no_menu() -> None:
    assert [menu.name for menu in menus_for(Role.ENGINEER)] == ["daily"]
    assert [menu.name for menu in menus_for(Role.MANAGER)] == ["daily", "reports", "improving"]
