"""The demo itself: its exit code says that every step of the standard happened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("demo"), pytest.mark.timeout(600)]


def test_the_demo_plays_a_whole_week_and_ends_with_the_digest(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "aftercare"), "demo"]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERCARE_", "PREFECT_"))}

    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=580, check=False)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "0 steps missing" in done.stdout
    assert "The digest that Grace Lee reads" in done.stdout
