"""The command line in processes of its own that begin at once: they are forked from one that has loaded everything."""

import multiprocessing
import os
import sys
import tempfile
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess

from coldshelf.entrypoints import cli

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.command", *(f"{cli.__name__}.{name}" for name in cli.GROUPS)])
WITHIN = 240


def coldshelf(*arguments: str, **environment: str) -> CompletedProcess[str]:
    """Run a command to its end and give what it printed; a variable that is set here is not in the test's process."""
    with tempfile.TemporaryDirectory() as folder:
        process: BaseProcess = CONTEXT.Process(target=_run, args=(folder, arguments, {**os.environ, **environment}))
        process.start()
        process.join(WITHIN)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(arguments)
        out, err = ((Path(folder) / name).read_text() for name in ("out", "err"))
    return CompletedProcess(arguments, process.exitcode, out, err)


def _run(folder: str, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["coldshelf", *arguments]
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(Path(folder) / name, os.O_WRONLY | os.O_CREAT), number)
    cli.main()
