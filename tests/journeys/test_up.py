"""``aftercare up`` as an operator uses it: up, a ticket served within seconds, refused twice, down with Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.supervisor import processes_of

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("demo"), pytest.mark.timeout(600)]
AFTERCARE = str(Path(sys.executable).parent / "aftercare")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(file: Path, words: str, process: subprocess.Popen[bytes], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while words not in file.read_text():
        assert process.poll() is None, file.read_text()
        assert time.monotonic() < end, file.read_text()
        time.sleep(0.5)


def stop_and_go_on(api: str, pages: str, aftercare: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Pause a deployment and cancel its run, as in the UI: just that work stops, and nothing is lost."""
    with httpx.Client(base_url=api, trust_env=False, timeout=30) as client:

        def post(path: str, **body: object) -> Any:
            answer = client.post(path, json=body)
            assert answer.is_success, answer.text
            return answer.json() if answer.content else None

        deployment = client.get("/deployments/name/message_delivery/message-delivery").json()["id"]
        mine = {"deployments": {"id": {"any_": [deployment]}}}
        post(f"/deployments/{deployment}/pause_deployment")
        running = post("/flow_runs/filter", **mine, flow_runs={"state": {"type": {"any_": ["RUNNING"]}}})
        assert running
        for run in running:
            post(f"/flow_runs/{run['id']}/set_state", state={"type": "CANCELLING"})
        until(lambda: all(client.get(f"/flow_runs/{run['id']}").json()["state_type"] == "CANCELLED" for run in running))

        opened = aftercare("ticket", "open", "The oven is cold", "--name", "Bob", "--email", "bob@example.com")
        assert "TK-00000002 is open" in opened.stdout, opened.stderr
        until(lambda: "assigned" in aftercare("ticket", "show", "2").stdout)
        assert "queued" in aftercare("ticket", "show", "2").stdout
        assert "bob@example.com" not in httpx.get(f"{pages}/mailbox", trust_env=False).text

        post(f"/deployments/{deployment}/resume_deployment")
        post(f"/deployments/{deployment}/create_flow_run")
        until(lambda: "bob@example.com" in httpx.get(f"{pages}/mailbox", trust_env=False).text)


def until(happened: Callable[[], bool], *, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.5)


def test_up_serves_a_ticket_refuses_a_second_up_and_goes_down_cleanly(tmp_path: Path) -> None:
    web, prefect = free_port(), free_port()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERCARE_", "PREFECT_"))}
    env = inherited | {
        "AFTERCARE_HOME": str(tmp_path / "home"),
        "AFTERCARE_WEB_PORT": str(web),
        "AFTERCARE_PREFECT_PORT": str(prefect),
    }
    out = tmp_path / "out"

    def aftercare(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [AFTERCARE, *arguments], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    with out.open("wb") as log:
        up = subprocess.Popen([AFTERCARE, "up"], env=env, cwd=tmp_path, stdout=log, stderr=log)
    try:
        wait_for(out, "Aftercare is up", up, seconds=240)
        assert aftercare("db", "seed").returncode == 0
        opened = aftercare(
            "ticket", "open", "The fridge leaks", "--name", "Ann", "--email", "ann@example.com", "--language", "en"
        )
        assert "TK-00000001 is open" in opened.stdout, opened.stderr

        mailbox = ""
        end = time.monotonic() + 120
        while "We have your report" not in mailbox and time.monotonic() < end:
            time.sleep(1)
            mailbox = httpx.get(f"http://127.0.0.1:{web}/mailbox/of/ann@example.com", trust_env=False).text
        assert "We have your report" in mailbox
        assert "assigned" in aftercare("ticket", "show", "1").stdout

        stop_and_go_on(f"http://127.0.0.1:{prefect}/api", f"http://127.0.0.1:{web}", aftercare)

        programs = [" ".join(process.cmdline()) for process in processes_of(tmp_path / "home")]
        assert not [program for program in programs if "prefect.engine" in program]  # runs are forked

        second = aftercare("up")
        assert second.returncode == 1
        assert "is up already" in second.stderr
        doctor = aftercare("doctor")
        assert doctor.returncode == 0, doctor.stdout
    finally:
        up.send_signal(signal.SIGINT)
        code = up.wait(timeout=90)

    assert code == 0, out.read_text()
    assert "Aftercare is down" in out.read_text()
    for port in (web, prefect):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
