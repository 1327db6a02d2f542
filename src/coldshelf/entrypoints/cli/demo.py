"""`demo`: the main job on cooler pictures with an embedded PostgreSQL."""

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import threading
import webbrowser
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coldshelf.access.errors import ClientNotFound
from coldshelf.access.principal import Role
from coldshelf.access.service import add_client, add_user, client_by_code, load_client
from coldshelf.entrypoints.bootstrap import database_url, registry, runtime
from coldshelf.entrypoints.demo.door import Door
from coldshelf.entrypoints.demo.show import Show
from coldshelf.entrypoints.demo.world import World, rendered_world, sample_world
from coldshelf.entrypoints.processes import Processes, served
from coldshelf.kit import embedded
from coldshelf.kit.ids import ClientId
from coldshelf.kit.settings import Settings, load_settings
from coldshelf.masterdata.service import prepare_client
from coldshelf.publishing.models import Mode
from coldshelf.publishing.service import export

CLIENT = "demo"
LOG_WIDTH = 120
USERS = {"Client Admin": "demo-admin", "Installer": "demo-installer", "Sales Rep": "demo-rep"}
Users = dict[str, dict[str, str]]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(demo)


def demo(
    data: Annotated[Path, typer.Option(help="Folder of the demo's database, pictures and files.")] = Path("demo-data"),
    port: Annotated[int, typer.Option(help="Port of the API; 0 takes a free one.")] = 8000,
    samples: Annotated[Path | None, typer.Option(help="Folder of real pictures in the samples' format.")] = None,
    coolers: Annotated[int, typer.Option(min=1, max=500, help="How many coolers are drawn.")] = 12,
    once: Annotated[bool, typer.Option("--once", help="Exit when everything is shown instead of serving on.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Run the main job: pictures in through HTTP, answers out, shown here."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=LOG_WIDTH)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    world = sample_world(samples) if samples else rendered_world(coolers)
    data.mkdir(parents=True, exist_ok=True)
    settings = load_settings(data_dir=data.absolute(), port=free_port(port), host="127.0.0.1")
    console.print(f"Starting PostgreSQL in {data} …")
    url = database_url(settings)
    client_id, users = asyncio.run(_seed(settings, url, data / "demo.json"))
    environment = {
        "COLDSHELF_DATABASE_URL": url,
        "COLDSHELF_DATA_DIR": str(settings.data_dir),
        "COLDSHELF_HOST": settings.host,
        "COLDSHELF_PORT": str(settings.port),
        "COLDSHELF_SANDBOX": os.environ.get("COLDSHELF_SANDBOX", "true"),
    }
    try:
        with (data / "demo.log").open("ab") as log, served(Processes(environment, log.fileno()), settings) as address:
            _write_json(data / "demo.json", address, client_id, users, world)
            first = _show(settings, url, console, world, address, users)
            if not once:
                if not no_browser:
                    webbrowser.open(first)
                console.print(f"Serving until Ctrl-C. The first annotated picture: {first}")
                _await_end()
    finally:
        if settings.database_url is None:
            embedded.stop(settings.data_dir)


def _show(settings: Settings, url: str, console: Console, world: World, address: str, users: Users) -> str:
    """Show everything; give the address of the first annotated picture."""
    admin = users["Client Admin"]
    with closing(Door(address, admin["username"], admin["password"])) as door:
        show = Show(door, world, console)
        show.set_up()
        shown = show.upload()
        records = show.await_results(shown)
        show.print_results(shown, records)
        count = show.save_annotated(shown, settings.data_dir / "annotated")
    folder = settings.data_dir / "exports"
    rows = asyncio.run(_export(settings, url, folder))
    console.print(f"{count} annotated pictures in {settings.data_dir / 'annotated'}")
    console.print(f"Parquet, {rows} rows, in {folder}")
    console.print(
        f"API at {address}, its description at {address}/openapi.json, users in {settings.data_dir / 'demo.json'}"
    )
    console.print(f"What would be sent to others is kept at {address}/outbox")
    console.print("READY")
    return f"{address}/Controllers/CoolerImagePreview.ashx?guid={shown[0].guid}&imageType=Annotated"


def _await_end() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()


async def _seed(settings: Settings, url: str, remembered: Path) -> tuple[ClientId, Users]:
    """Make the demo's client and users, or take those of an earlier run in the same folder."""
    async with runtime(settings, url) as run:
        try:
            client_id = (await client_by_code(run, CLIENT)).id
        except ClientNotFound:
            client_id = await add_client(run, CLIENT, "Demo Bottler")
            await prepare_client(run, client_id)
        if remembered.exists():
            return client_id, json.loads(remembered.read_text())["users"]
        users: Users = {}
        for role, name in USERS.items():
            _, password = await add_user(run, client_id, name, role=Role(role), password=secrets.token_urlsafe(12))
            users[role] = {"username": name, "password": password}
        return client_id, users


async def _export(settings: Settings, url: str, folder: Path) -> int:
    async with runtime(settings, url, migrate=False) as run:
        client = await load_client(run, (await client_by_code(run, CLIENT)).id)
        manifest = await export(run, registry(), url=url, client=client, mode=Mode.FULL, destination=folder)
        return manifest.rows


def _write_json(path: Path, address: str, client_id: ClientId, users: Users, world: World) -> None:
    content = {
        "url": address,
        "clientId": client_id,
        "users": users,
        "serialNumbers": [cooler.serial_number for cooler in world.coolers],
        "storeNumbers": sorted({cooler.store_number for cooler in world.coolers}),
        "imeis": [cooler.imei for cooler in world.coolers],
    }
    path.write_text(json.dumps(content, indent=1))
    path.chmod(0o600)


def free_port(wanted: int) -> int:
    """Give the wanted port, or a free one when it is taken or 0."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted
