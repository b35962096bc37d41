"""``python -m flows.worker start …``: ``prefect worker start …``, whose flow runs are forked from one process.

A new interpreter for each run takes seconds of CPU and 120 MB for the same imports; a fork shares them. The rest of a
run's life, its signals and its log are Prefect's own.
"""

from __future__ import annotations

import atexit
import gc
import os
import runpy
import sys
import warnings
from collections.abc import Mapping
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.windows import FLOWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskStatus

# What every run needs and what the windows need; the other flows import their libraries when they run.
_SHARED = ["prefect.flow_engine", "prefect.task_engine", "prefect.runner", "prefect.deployments.steps.core", "psycopg"]
_SHARED += [f"flows.{name}" for name in FLOWS]
_forks = get_context("forkserver")


def main() -> None:
    """Run Prefect's command ``worker`` with the arguments of this one."""
    from prefect.cli import app
    from prefect.runner import _starter_engine

    _forks.set_forkserver_preload(_SHARED)
    # Its module says: "Uses module-level `run_process` reference -- patch the module to override."
    _starter_engine.run_process = _fork  # type: ignore[attr-defined, assignment]
    _forks.Process(target=_watch_windows, daemon=True).start()
    sys.argv.insert(1, "worker")
    app()


def _watch_windows() -> None:
    """Begin anew the windows that die, here or with another worker; a forked process that lives as long as this one."""
    from clock import utc_now
    from tasks.windows import watch

    if (worker := parent_process()) is not None:
        watch(partial(wait, [worker.sentinel]), utc_now)


async def _fork(
    *,
    task_status: TaskStatus[Any],
    task_status_handler: Callable[[Any], Any],
    env: dict[str, str],
    cwd: Path,
    **_: Any,
) -> None:
    """Takes the place of Prefect's ``run_process``, which starts ``python -m prefect.engine`` and waits for its end."""
    import anyio

    process = _forks.Process(target=_run_engine, args=(env, cwd))
    process.start()
    task_status.started(task_status_handler(process))
    try:
        await anyio.wait_readable(process.sentinel)
    except anyio.get_cancelled_exc_class():
        process.terminate()
        raise
    process.join()


def _run_engine(env: Mapping[str, str], cwd: Path) -> None:
    """One flow run, in the forked process."""
    # Collecting garbage would write into what was imported, and what is written to is shared no longer.
    gc.freeze()
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["prefect.engine"]
    warnings.filterwarnings("ignore", message="'prefect.engine' found in sys.modules")
    try:
        runpy.run_module("prefect.engine", run_name="__main__")
    finally:
        # Unlike an interpreter, a forked process ends without them.
        atexit._run_exitfuncs()


if __name__ == "__main__":
    main()
