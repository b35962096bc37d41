"""How long the server takes for each page of the catalogue, asked by one reader, and what the page weighs.

The middle of several looks at each page counts, and of those the slowest page; the first look at it is left out, since
its template is compiled then.
"""

from __future__ import annotations

from statistics import median

import httpx

from benchmarks.database import Bench
from db import seed, staff, staff_accounts
from db.session import transaction
from domain.passwords import hash_password
from tests.browser.catalogue import PAGES
from tests.browser.conftest import PASSWORD, SUPERVISORS, serving

LOOKS = 7


def measure(bench: Bench) -> dict[str, float]:
    """The slowest and the heaviest page, which are printed by name."""
    url = bench.fresh("bench_pages")
    taken: dict[str, float] = {}
    weights: dict[str, float] = {}
    with serving(url, bench.folder / "pages") as site:
        with transaction(url) as connection:
            who = staff.actor(connection, seed.address(SUPERVISORS["en"]))
            staff_accounts.keep_hash(connection, who.id or 0, hash_password(PASSWORD))
        with httpx.Client(base_url=site.address, trust_env=False, timeout=30) as reader:
            form = {"email": seed.address(SUPERVISORS["en"]), "password": PASSWORD}
            reader.post("/workbench/sign-in", data=form)  # leads on; were it refused, the first page would say so
            for name, page in PAGES.items():
                path = page.path(site)
                looks = [reader.get(path) for _ in range(LOOKS + 1)]
                assert {look.status_code for look in looks} == {page.status}, (name, looks[0].status_code)
                taken[name] = median(look.elapsed.total_seconds() * 1000 for look in looks[1:])
                weights[name] = len(looks[0].content) / 1000
    slowest, heaviest = max(taken, key=taken.__getitem__), max(weights, key=weights.__getitem__)
    print(f"pages: {len(PAGES)}; the slowest is {slowest!r}, the heaviest {heaviest!r}")
    return {"page_render_ms": taken[slowest], "page_kb": weights[heaviest]}
