"""Upload rate of a 480 kB picture against what this machine can do at all, side by side in the same run.

    python benchmarks/upload.py [--uploads 400] [--rounds 3] [--processes 1]

The limit: 8 threads, each writes a file, fsyncs it, renames it, fsyncs the folder and commits one INSERT on the same
PostgreSQL (fsync on). The product: 8 keep-alive connections to a real server process, every picture different.
"""

import argparse
import asyncio
import base64
import json
import os
import secrets
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import asyncpg
import cv2
import numpy as np

from coldshelf.access.principal import Role
from coldshelf.access.service import add_client, add_user
from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.entrypoints.processes import Processes, await_ready
from coldshelf.kit import embedded
from coldshelf.kit.settings import Settings, load_settings
from coldshelf.masterdata.service import prepare_client

CONNECTIONS = 8
PICTURE_BYTES = 480_000
PASSWORD = "correct horse battery"
BOUNDARY = b"coldshelf-benchmark"
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Round:
    """Pictures a second of the machine and of the product, measured one after the other."""

    limit: float
    product: float
    milliseconds: tuple[float, float]

    @property
    def ratio(self) -> float:
        return self.product / self.limit


def main() -> None:
    options = _options()
    with installation(options.processes) as (settings, url):
        picture = make_picture()
        print(f"{len(picture):,} bytes a picture, {CONNECTIONS} connections, {options.processes} API process(es)")
        _product(settings, picture, CONNECTIONS * 4)
        rounds = []
        for number in range(1, options.rounds + 1):
            limit = _limit(settings, url, picture, options.uploads)
            product, times = _product(settings, picture, options.uploads)
            rounds.append(Round(limit, product, (_percentile(times, 50), _percentile(times, 95))))
            print(_line(f"round {number}", rounds[-1]))
    median = sorted(rounds, key=lambda one: one.ratio)[len(rounds) // 2]
    print(_line("median", median))
    _keep(options, median)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--uploads", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1)
    return parser.parse_args()


def make_picture() -> bytes:
    """Compose a picture of 2048 x 1536 with the size of a phone's."""
    random = np.random.default_rng(7)
    coarse = random.integers(0, 255, (24, 32, 3), np.uint8)
    smooth = cv2.resize(coarse, (2048, 1536), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    low, high = 0.0, 60.0
    for _ in range(12):
        middle = (low + high) / 2
        grain = random.normal(0, middle, smooth.shape)
        _, jpeg = cv2.imencode(".jpg", np.clip(smooth + grain, 0, 255).astype(np.uint8))
        low, high = (middle, high) if jpeg.size < PICTURE_BYTES else (low, middle)
    return jpeg.tobytes()


def unique(picture: bytes) -> bytes:
    """Give the picture a comment of its own (JPEG segment COM), so that no two uploads are the same bytes."""
    comment = secrets.token_bytes(16)
    return picture[:2] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2, "big") + comment + picture[2:]


@contextmanager
def installation(processes: int) -> Iterator[tuple[Settings, str]]:
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-bench-"))
    folder.chmod(0o711)
    handle = embedded.start(folder / "pg")
    settings = load_settings(
        data_dir=folder / "data", port=free_port(), api_processes=processes, requests_per_minute=1_000_000
    )
    environment = {
        "COLDSHELF_DATABASE_URL": handle.url,
        "COLDSHELF_DATA_DIR": str(settings.data_dir),
        "COLDSHELF_PORT": str(settings.port),
        "COLDSHELF_API_PROCESSES": str(processes),
        "COLDSHELF_REQUESTS_PER_MINUTE": "1000000",
        "COLDSHELF_LOG_LEVEL": "INFO",
    }
    try:
        asyncio.run(_seed(settings, handle.url))
        with (folder / "log").open("wb") as log:
            running = Processes(environment, log.fileno())
            try:
                running.start("api", ["api"])
                await_ready(running, f"http://{settings.host}:{settings.port}")
                yield settings, handle.url
            finally:
                running.stop()
    finally:
        embedded.stop(folder / "pg")
        embedded.remove(folder / "pg")
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _seed(settings: Settings, url: str) -> None:
    async with runtime(settings, url) as run:
        client_id = await add_client(run, "bench", "Benchmark")
        await prepare_client(run, client_id)
        await add_user(run, client_id, "bench", password=PASSWORD, role=Role.CLIENT_ADMIN)
        async with run.database.system() as connection:
            await connection.execute("CREATE TABLE bench_limit (id bigserial PRIMARY KEY, key text NOT NULL)")


def _limit(settings: Settings, url: str, picture: bytes, count: int) -> float:
    folder = settings.data_dir / "limit"
    folder.mkdir(parents=True, exist_ok=True)

    def write(number: int) -> Callable[[], None]:
        loop = asyncio.new_event_loop()
        connection = loop.run_until_complete(asyncpg.connect(url))
        files = iter(range(1_000_000))

        def once() -> None:
            name = folder / f"{number}-{next(files)}-{time.monotonic_ns()}"
            with name.with_suffix(".part").open("xb") as file:
                file.write(picture)
                file.flush()
                os.fsync(file.fileno())
            name.with_suffix(".part").rename(name)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(handle)
            os.close(handle)
            loop.run_until_complete(connection.execute("INSERT INTO bench_limit (key) VALUES ($1)", str(name)))

        return once

    rate, _ = threads(write, count)
    shutil.rmtree(folder)
    return rate


def _product(settings: Settings, picture: bytes, count: int) -> tuple[float, list[float]]:
    set_up(settings)

    def upload(_: int) -> Callable[[], None]:
        connection = Http(settings.port)

        def once() -> None:
            results = json.loads(
                connection.post(UPLOAD, "multipart/form-data; boundary=" + BOUNDARY.decode(), _body(unique(picture)))
            )
            if not results[0]["Success"]:
                raise RuntimeError(results)

        return once

    return threads(upload, count)


UPLOAD = "/Controllers/CoolRAPI.ashx?action=uploadImage&SerialNumber=BENCH-1"


def _body(picture: bytes) -> bytes:
    head = b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="file"; filename="shelf.jpg"\r\n\r\n'
    return head + picture + b"\r\n--" + BOUNDARY + b"--\r\n"


def set_up(settings: Settings) -> None:
    connection = Http(settings.port)
    for entity, values in (
        ("Location", {"LocationCode": "BENCH", "Name": "Bench"}),
        ("AssetType", {"ExternalAssetTypeCode": "BENCH", "Name": "Bench"}),
        ("Asset", {"SerialNumber": "BENCH-1", "AssetType": "Bench", "LocationCode": "BENCH"}),
    ):
        answer = json.loads(
            connection.post(
                f"/controllers/{entity}.ashx?action=save",
                "application/x-www-form-urlencoded",
                urlencode(values).encode(),
            )
        )
        if not answer["success"]:
            raise RuntimeError(answer)


class Http:
    """One keep-alive connection; hardly more than a socket, so that the driver costs little."""

    def __init__(self, port: int, *, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self._credentials = base64.b64encode(f"bench:{PASSWORD}".encode()).decode()

    def post(self, path: str, kind: str, body: bytes) -> bytes:
        status, _, answer = self.request("POST", path, {"Content-Type": kind}, body)
        if status != 200:
            raise RuntimeError(status, answer)
        return answer

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request; give status, headers by lower-case name, and body of the answer."""
        said = {"Host": "bench", "Authorization": f"Basic {self._credentials}", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        head = f"{method} {path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)
        status = int(self._file.readline().split()[1])
        told: dict[str, str] = {}
        while (line := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            told[name.lower()] = value.strip()
        if told.get("transfer-encoding") == "chunked":
            return status, told, b"".join(self._chunks())
        return status, told, self._file.read(int(told.get("content-length", 0)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._file.readline(), 16):
            yield self._file.read(size)
            self._file.readline()
        self._file.readline()


def threads(prepare: Callable[[int], Callable[[], None]], count: int) -> tuple[float, list[float]]:
    """Run prepared work `count` times on 8 threads; give the rate and the time of each run in seconds."""
    works = [prepare(number) for number in range(CONNECTIONS)]
    times: list[float] = []
    failures: list[Exception] = []

    def repeat(work: Callable[[], None]) -> None:
        try:
            for _ in range(count // CONNECTIONS):
                began = time.perf_counter()
                work()
                times.append(time.perf_counter() - began)
        except Exception as error:  # noqa: BLE001  # told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures:
        raise failures[0]
    return len(times) / seconds, times


def _percentile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1] * 1000


def _line(name: str, one: Round) -> str:
    p50, p95 = one.milliseconds
    return (
        f"{name}: limit {one.limit:.0f}/s, product {one.product:.0f}/s, ratio {one.ratio:.2f}"
        f" (p50 {p50:.1f} ms, p95 {p95:.1f} ms)"
    )


def _keep(options: argparse.Namespace, median: Round) -> None:
    RESULTS.mkdir(exist_ok=True)
    line = {
        "on": time.strftime("%Y-%m-%d"),
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
        "processes": options.processes,
        "limit": round(median.limit),
        "product": round(median.product),
        "ratio": round(median.ratio, 2),
    }
    with (RESULTS / "upload.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
