"""``make bench``: measure, print figure and ratio, write ``benchmarks/results.json``; asserts nothing."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import commands, delivery, digest, drain, night, pages, peak, replay, sweep, web
from benchmarks.database import Bench
from db import embedded

RESULTS = Path(__file__).parent / "results.json"
AIMS = {
    "commands_per_s_1": "",
    "commands_per_s_8": "",
    "commands_vs_pgbench_1": "aim ≥ 0.4",
    "commands_vs_pgbench_8": "aim ≥ 0.4",
    "drain_tickets_per_s": "aim ≥ 150",
    "escalations_per_s": "aim ≥ 4,000 (1,000 breaches among 1 M open tickets)",
    "sweep_1m_vs_10k": "aim ≤ 1.5",
    "messages_per_s": "aim ≥ 300 (a vendor that answers in 50 ms, 2 senders)",
    "messages_vs_sdk": "the bare SDK with as many threads is 1",
    "create_vs_django_helpdesk": "aim ≥ 5 (tickets over HTTP, same Postgres, same processes)",
    "page_vs_django_helpdesk": "aim ≥ 5",
    **{
        f"web_{name}_{figure}": ""
        for name in ("create", "create_django", "api", "page", "page_django")
        for figure in ("per_s", "p50_ms", "p95_ms", "p99_ms")
    },
    "digest_s": "aim < 10 (a week among 1 M tickets and 8 M events)",
    "digest_peak_mb": "aim < 300",
    "digest_1m_vs_100k": "aim ≤ 1.5",
    "digest_vs_pandas": "the same figures from the weeks' rows with pandas are 1",
    "night_s": "a day's 1,400 tickets and 5,500 messages past their time, in 1 M tickets, 8 M events, 4 M messages",
    "night_1m_vs_100k": "aim ≤ 1.5",
    "idle_cpu_pct": "aim < 10 (of one core, everything at rest, the database too)",
    "idle_rss_mb": "aim < 900",
    "handover_p50_s": "3 tickets/s with their whole lives, 10 minutes",
    "handover_p95_s": "aim < 2",
    "watchdog_late_s": "aim < 60",
    "prefect_api_p95_s": "",
    "handover_p50_s_at_3x": "",
    "handover_p95_s_at_3x": "",
    "watchdog_late_s_at_3x": "",
    "prefect_api_p95_s_at_3x": "",
    "page_render_ms": "aim < 50 (the slowest page of the catalogue)",
    "page_kb": "aim < 50 (the heaviest)",
    "replay_s": "aim < 60",
    "replay_peak_mb": "aim < 400",
}
BENCHES = {
    "commands": commands.measure,
    "drain": drain.measure,
    "sweep": sweep.measure,
    "delivery": delivery.measure,
    "digest": digest.measure,
    "night": night.measure,
    "web": web.measure,
    "pages": pages.measure,
    "peak": peak.measure,
    "replay": replay.measure,
}


def main() -> None:
    """Run all benchmarks, or those named on the command line."""
    console = Console()
    wanted = sys.argv[1:] or list(BENCHES)
    if unknown := [name for name in wanted if name not in BENCHES]:
        sys.exit(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHES)}")
    results: dict[str, float] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="aftercare-bench-") as folder:
        server = embedded.start(Path(folder) / "data")
        try:
            for name in wanted:
                with console.status(f"Measuring {name}"):
                    results |= BENCHES[name](Bench(server, Path(folder)))
                RESULTS.write_text(json.dumps(results, indent=2) + "\n")  # what was measured stays, whatever comes next
        finally:
            server.close()
    table = Table("What", "Figure", "Aim")
    for name, aim in AIMS.items():
        if name in results:
            table.add_row(name, f"{results[name]:,.2f}", aim)
    console.print(table)
    console.print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, embedded PostgreSQL"
    )


if __name__ == "__main__":
    main()
