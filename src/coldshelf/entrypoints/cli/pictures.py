"""`upload`: pictures through the HTTP door."""

from pathlib import Path
from typing import Annotated

import httpx
import typer


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(upload)


def upload(
    files: Annotated[list[Path], typer.Argument(help="Pictures of one cooler.", exists=True, dir_okay=False)],
    serial: Annotated[str, typer.Option(help="Serial number of the cooler.")] = "",
    store: Annotated[str, typer.Option(help="Code of the outlet.")] = "",
    imei: Annotated[str, typer.Option(help="IMEI of the device.")] = "",
    url: Annotated[str, typer.Option(envvar="COLDSHELF_URL", help="Address of the API.")] = "http://127.0.0.1:8000",
    user: Annotated[str, typer.Option(envvar="COLDSHELF_USER", help="User name.")] = "",
    password: Annotated[str, typer.Option(envvar="COLDSHELF_PASSWORD", help="Password or API token.")] = "",
    stitch: Annotated[bool, typer.Option(help="Make one picture of several files.")] = True,
    scene: Annotated[str, typer.Option(help="Scene type.")] = "ProductAnalysis",
) -> None:
    """Upload pictures through the HTTP door and print the answer; exit code 1 when one was refused."""
    fields = {"SerialNumber": serial, "StoreNumber": store, "IMEI": imei, "SceneType": scene}
    fields["IsStitchImage"] = str(stitch).lower()
    parts = [("file", (path.name, path.read_bytes())) for path in files]
    address = f"{url}/Controllers/CoolRAPI.ashx?action=uploadImage"
    answer = httpx.post(address, data=fields, files=parts, auth=(user, password), timeout=120)
    typer.echo(answer.text)
    results = answer.json() if answer.headers.get("content-type", "").startswith("application/json") else []
    if not isinstance(results, list) or not all(result["Success"] for result in results):
        raise typer.Exit(1)
