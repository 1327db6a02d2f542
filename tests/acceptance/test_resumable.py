"""Resumable uploads over weak lines: a public tus client, connections that break, and a server that is killed."""

import asyncio
import base64
import hashlib
import io
import os
import random
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import cv2
import httpx
import numpy as np
import pytest
from tusclient import client as tus
from tusclient.exceptions import TusCommunicationError

from coldshelf.entrypoints.processes import await_ready
from tests.acceptance.installation import Installation, installed
from tests.conftest import PASSWORD

PATH = "/api/v1/uploads"
CREDENTIALS = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
HEADERS = {"Tus-Resumable": "1.0.0", "Authorization": CREDENTIALS}
CUTS = 8 if os.environ.get("SOAK") else 4


@pytest.fixture(scope="module")
async def installation() -> AsyncIterator[Installation]:
    async with installed(workers=0) as running:
        yield running


def large_picture(seed: int) -> bytes:
    """Make a picture of about 9 MB: more than two parts."""
    noise = np.random.default_rng(seed).integers(0, 255, (1600, 1900, 3), np.uint8)
    _, encoded = cv2.imencode(".png", noise)
    return encoded.tobytes()


class Line:
    """A way to the server that breaks: each connection ends after so many bytes, the last ones never."""

    def __init__(self, port: int, lives: list[int]) -> None:
        self.broken = 0
        self._port = port
        self._lives = lives
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._door.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._port)) as far, suppress(OSError):
            threading.Thread(target=self._back, args=(far, near), daemon=True).start()
            carried = 0
            while data := near.recv(64 * 1024):
                far.sendall(data)
                carried += len(data)
                if self._lives and carried > self._lives[0]:
                    self._lives.pop(0)
                    self.broken += 1
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    near.shutdown(socket.SHUT_RDWR)
                    return

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(64 * 1024):
                near.sendall(data)
            near.shutdown(socket.SHUT_WR)


@contextmanager
def line_to(installation: Installation, lives: list[int]) -> Iterator[Line]:
    line = Line(int(installation.address.rsplit(":", 1)[1]), lives)
    try:
        yield line
    finally:
        line.close()


def send_stubbornly(address: str, content: bytes, *, chunk_size: int | None = None) -> int:
    """Upload with tuspy, asking for the offset after every broken connection; give how often it went on."""
    client = tus.TusClient(f"{address}{PATH}", headers={"Authorization": CREDENTIALS})
    said = {"filename": "weak line.png", "SerialNumber": "C-1"}
    sizes = {} if chunk_size is None else {"chunk_size": chunk_size}
    uploader = client.uploader(file_stream=io.BytesIO(content), metadata=said, **sizes)
    resumed = 0
    while uploader.offset < len(content):
        try:
            uploader.upload()
        except TusCommunicationError:
            resumed += 1
            uploader = client.uploader(file_stream=io.BytesIO(content), url=uploader.url, **sizes)
    return resumed


async def stored_bytes(installation: Installation, content: bytes) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    (row,) = await installation.fetch(f"SELECT object_key FROM picture_file WHERE sha256 = '\\x{digest}'")
    return (installation.folder / "objects" / row["object_key"]).read_bytes()


@pytest.mark.parametrize(("chunk_size", "latest_cut"), [(None, 2_000_000), (700_000, 600_000)])
async def test_public_client_uploads_over_a_line_that_breaks(
    installation: Installation, chunk_size: int | None, latest_cut: int
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    choose, content = random.Random(seed), large_picture(seed)
    cuts = [choose.randrange(200_000, latest_cut) for _ in range(CUTS)]

    with line_to(installation, cuts) as line:
        resumed = await asyncio.to_thread(send_stubbornly, line.address, content, chunk_size=chunk_size)

    assert line.broken == CUTS
    assert 1 <= resumed <= CUTS
    assert await stored_bytes(installation, content) == content
    assert not list((installation.folder / "objects" / "uploads").rglob("*-*-*-*-*/*")), "parts are left"


async def begin(http: httpx.AsyncClient, content: bytes) -> str:
    said = f"SerialNumber {base64.b64encode(b'C-1').decode()}"
    answer = await http.post(PATH, headers={**HEADERS, "Upload-Length": str(len(content)), "Upload-Metadata": said})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def head_of(place: str, offset: int, length: int) -> bytes:
    lines = {
        **HEADERS,
        "Host": "coldshelf",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(offset),
        "Content-Length": str(length),
    }
    said = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"PATCH {place} HTTP/1.1\r\n{said}\r\n".encode()


async def offset_of(http: httpx.AsyncClient, place: str) -> int:
    answer = await http.head(place, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    return int(answer.headers["upload-offset"])


async def until_offset(http: httpx.AsyncClient, place: str, wanted: int) -> int:
    for _ in range(100):
        offset = await offset_of(http, place)
        if offset >= wanted:
            break
        await asyncio.sleep(0.1)
    return offset


async def finish(http: httpx.AsyncClient, place: str, content: bytes) -> None:
    offset = await offset_of(http, place)
    answer = await http.patch(
        place,
        content=content[offset:],
        headers={**HEADERS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)},
    )
    assert answer.status_code == 204, answer.text


async def test_broken_connection_loses_nothing_that_arrived(installation: Installation) -> None:
    content = large_picture(1)
    async with installation.http() as http:
        place = await begin(http, content)
        port = int(installation.address.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(head_of(place, 0, len(content)) + content[:300_000])
        offset = await until_offset(http, place, 300_000)
        await finish(http, place, content)

    assert offset == 300_000
    assert await stored_bytes(installation, content) == content


async def test_killed_server_tells_an_offset_whose_bytes_it_has(installation: Installation) -> None:
    content = large_picture(2)
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    choose = random.Random(seed)
    sent, offsets = 0, [0]
    async with installation.http() as http:
        place = await begin(http, content)
        for _ in range(3):
            upto = min(len(content) - 1, offsets[-1] + choose.randrange(100_000, 6_000_000))
            await asyncio.to_thread(_send_and_kill, installation, place, content, offsets[-1], upto)
            await asyncio.to_thread(await_ready, installation.processes, installation.address)
            sent = max(sent, upto)
            offsets.append(await offset_of(http, place))
        await finish(http, place, content)

    assert offsets == sorted(offsets), "what was durable stays"
    assert offsets[-1] <= sent
    assert await stored_bytes(installation, content) == content


def _send_and_kill(installation: Installation, place: str, content: bytes, offset: int, upto: int) -> None:
    """Send some bytes of a request, kill the API in the midst of it and start it again."""
    port = int(installation.address.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head_of(place, offset, len(content) - offset) + content[offset:upto])
        child = installation.processes.running["api"]
        os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
    installation.processes.start("api", child.command)
