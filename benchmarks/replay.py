"""The replay of the real help-desk log: seconds, and the peak memory of its process."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.database import Bench

LOG = Path("data") / "helpdesk_log.csv.gz"


def measure(bench: Bench) -> dict[str, float]:
    """Nothing where AFTERCARE_SHARED names no folder with the log."""
    log = Path(os.environ.get("AFTERCARE_SHARED", "")) / LOG
    if not log.is_file():
        print("replay: left out, AFTERCARE_SHARED names no folder with the help-desk log")
        return {}
    report = bench.folder / "replay.json"
    command = [
        str(Path(sys.executable).parent / "aftercare"),
        *("replay", str(log), "--map", "helpdesk_log", "--report", str(report)),
    ]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERCARE_", "PREFECT_"))}
    subprocess.run(command, env=env | {"AFTERCARE_HOME": str(bench.folder)}, capture_output=True, check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"replay_s": json.loads(report.read_text())["seconds"], "replay_peak_mb": peak}
