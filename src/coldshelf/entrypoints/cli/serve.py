"""`migrate`, `api`, `worker`, `up`: the processes of an installation."""

import asyncio
import multiprocessing
import os
import signal
import threading

import typer
import uvloop
from granian import Granian
from granian.constants import Interfaces

from coldshelf.entrypoints.bootstrap import database_url
from coldshelf.entrypoints.processes import Processes, served
from coldshelf.entrypoints.scheduler import schedule
from coldshelf.entrypoints.worker import work
from coldshelf.kit import ending
from coldshelf.kit.logs import configure_logs
from coldshelf.kit.settings import load_settings
from coldshelf.migrations.upgrade import upgrade


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (migrate, api, worker, scheduler, up):
        app.command()(command)


def migrate() -> None:
    """Bring the database to the newest revision."""
    settings = load_settings()
    before, after = asyncio.run(upgrade(database_url(settings)))
    typer.echo(f"{before or 'empty'} → {after}")


class Server(Granian):  # type: ignore[valid-type,misc]  # the package names one of two servers by a variable
    """The server of the API, which tells its processes to end what stays open before it waits for them."""

    def signal_handler_interrupt(self, *args: object, **kwargs: object) -> None:
        for child in multiprocessing.active_children():
            if child.pid:
                os.kill(child.pid, ending.SIGNAL)
        super().signal_handler_interrupt(*args, **kwargs)


def api() -> None:
    """Serve the HTTP API; the database must be migrated."""
    settings = load_settings()
    configure_logs(settings.log_level)
    os.environ["COLDSHELF_DATABASE_URL"] = database_url(settings)
    Server(
        "coldshelf.entrypoints.api:create",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.api_processes,
        log_enabled=False,
    ).serve()


def worker() -> None:
    """Work on pictures until told to stop; start as many as wanted."""
    settings = load_settings()
    configure_logs(settings.log_level)
    uvloop.run(work(settings, database_url(settings)))


def scheduler() -> None:
    """Begin publications when they are due; several do no harm."""
    settings = load_settings()
    configure_logs(settings.log_level)
    uvloop.run(schedule(settings, database_url(settings)))


def up() -> None:
    """Serve everything on this machine: database (unless one is named), API, a worker and a scheduler."""
    settings = load_settings()
    configure_logs(settings.log_level)
    url = database_url(settings)
    asyncio.run(upgrade(url))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    processes = Processes({"COLDSHELF_DATABASE_URL": url})
    with served(processes, settings) as address:
        typer.echo(f"READY {address}")
        while not stop.wait(1):
            processes.check()
