"""A client that a public generator makes from the served document lists, saves and uploads."""

import asyncio
import base64
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.acceptance.installation import installed
from tests.conftest import PASSWORD, REPOSITORY
from tests.pictures.uploading import picture

WANTED = REPOSITORY / "requirements" / "client-generator.in"
SCRIPT = """
import base64, io, json, sys
import httpx
from made.client import AuthenticatedClient
from made.api.location import change_location, create_location, get_location, list_locations
from made.api.upload import cool_rapi_post
from made.models import CoolRapiPostBody, CoolRapiPostBodyAction, LocationChange, LocationNew
from made.types import File

address, token, picture = sys.argv[1:]
http = AuthenticatedClient(base_url=address, token=token, prefix="Basic", timeout=httpx.Timeout(120))
new = create_location.sync(client=http, body=LocationNew(code="G-1", name="Made", latitude=10.5))
changed = change_location.sync(str(new.location_id), client=http, body=LocationChange(city="Hanoi"))
read = get_location.sync("code:G-1", client=http)
page = list_locations.sync(client=http, limit=10)
missing = get_location.sync("code:G-2", client=http)
with open(picture, "rb") as file:
    body = CoolRapiPostBody(
        action=CoolRapiPostBodyAction.UPLOADIMAGE,
        serial_number=sys.stdin.read().strip(),
        file=[File(payload=io.BytesIO(file.read()), file_name="a.jpg", mime_type="image/jpeg")],
    )
uploaded = cool_rapi_post.sync(client=http, body=body)
print(json.dumps({
    "read": [read.code, read.name, read.latitude, read.city, read.is_deleted, read.created_on.tzinfo is not None],
    "same": read.to_dict() == changed.to_dict(),
    "listed": [record.code for record in page.data],
    "missing": [missing.status, missing.code],
    "uploaded": [[one.success, one.info] for one in uploaded],
}))
"""


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the generator in it."""
    folder = tmp_path_factory.mktemp("generator")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r", WANTED]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the client generator cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return python


def generate(python: Path, document: Path, out: Path) -> None:
    command = ["-m", "openapi_python_client", "generate", "--path", document, "--output-path", out, "--meta", "none"]
    settings = out.parent / "settings.yml"
    settings.write_text("post_hooks: []\n")
    done = subprocess.run([python, *command, "--config", settings], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout, done.stdout


@pytest.mark.timeout(600)
async def test_a_generated_client_lists_saves_and_uploads(generator: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(picture())
    async with installed(workers=0) as place:
        async with httpx.AsyncClient(timeout=120) as http:
            document = (await http.get(f"{place.address}/openapi.json")).content
        (tmp_path / "openapi.json").write_bytes(document)
        await asyncio.to_thread(generate, generator, tmp_path / "openapi.json", tmp_path / "made")
        (tmp_path / "use.py").write_text(SCRIPT)
        token = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        async with place.http() as http:
            assets = (await http.get("/api/v1/assets")).json()["data"]
        codes = [record["Code"] for record in await locations(place.address)]

        done = await asyncio.to_thread(
            subprocess.run,
            [generator, tmp_path / "use.py", place.address, token, tmp_path / "a.jpg"],
            input=assets[0]["SerialNumber"],
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "read": ["G-1", "Made", 10.5, "Hanoi", False, True],
        "same": True,
        "listed": [*codes, "G-1"],
        "missing": [404, "record_not_found"],
        "uploaded": [[True, "Image uploaded successfully"]],
    }


async def locations(address: str) -> list[dict[str, str]]:
    async with httpx.AsyncClient(base_url=address, auth=("admin", PASSWORD), timeout=120) as http:
        return list((await http.get("/api/v1/locations")).json()["data"])
