"""Every way to upload beside @tus/server, in the same run: pictures a second over 8 keep-alive connections.

    python benchmarks/uploads.py [--uploads 240] [--rounds 3] [--processes 1] [--peer FOLDER] [--directus]

The peer is `benchmarks/peers/tus` on Node; FOLDER holds its `node_modules` (unless given they are installed with npm).
It stores bytes and a JSON file and syncs nothing; "durable" is the same with one fsync of file and folder. Directus
(`directus.py`) on the same PostgreSQL server reads the picture's header, commits a record and syncs no bytes. The
product checks the caller, the cooler and the picture, syncs the bytes, and commits a record, an event and a job.
"""

import argparse
import asyncio
import base64
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from directus import Directus, make_database, run_directus
from upload import BOUNDARY, CONNECTIONS, RESULTS, UPLOAD, Http, free_port, installation, make_picture, set_up, threads
from upload import unique as unlike_all_others

PEER = Path(__file__).parent / "peers" / "tus"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}
BATCHED = 10

Once = Callable[[], None]
Prepare = Callable[[int], Once]


def main() -> None:
    options = _options()
    picture = make_picture()
    with ExitStack() as stack:
        settings, url = stack.enter_context(installation(options.processes))
        set_up(settings)
        plain = stack.enter_context(_peer(options.peer, fsync=False))
        durable = stack.enter_context(_peer(options.peer, fsync=True))
        ways: dict[str, tuple[Prepare, int]] = {
            "tus: POST, PATCH": (_in_two(settings.port, "/api/v1/uploads", picture), 1),
            "tus: POST with the bytes": (_in_one(settings.port, "/api/v1/uploads", picture), 1),
            "plain upload": (_plain(settings.port, picture), 1),
            f"batch of {BATCHED}": (_batch(settings.port, picture), BATCHED),
            "@tus/server: POST, PATCH": (_in_two(plain, "/files", picture), 1),
            "@tus/server: POST with the bytes": (_in_one(plain, "/files", picture), 1),
            "@tus/server durable: POST, PATCH": (_in_two(durable, "/files", picture), 1),
            "@tus/server durable: POST with the bytes": (_in_one(durable, "/files", picture), 1),
        }
        if options.directus:
            peer = stack.enter_context(run_directus(asyncio.run(make_database(url))))
            ways["@directus: POST /files"] = (_files(peer, picture), 1)
        for prepare, _ in ways.values():
            threads(prepare, CONNECTIONS * 3)
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(1, options.rounds + 1):
            for name, (prepare, each) in ways.items():
                rate, _ = threads(prepare, options.uploads // each)
                rates[name].append(rate * each)
                print(f"round {number}: {name}: {rates[name][-1]:.0f}/s", flush=True)
    _tell(options, len(picture), {name: statistics.median(found) for name, found in rates.items()})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--uploads", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--peer", type=Path, default=PEER)
    parser.add_argument("--directus", action="store_true", help="Directus beside them")
    return parser.parse_args()


def _in_two(port: int, path: str, picture: bytes) -> Prepare:
    """Create an upload, then send all bytes: what tus clients do unless told otherwise."""

    def prepare(_: int) -> Once:
        http = Http(port)

        def once() -> None:
            content = unlike_all_others(picture)
            status, told, answer = http.request("POST", path, _creation(content))
            _expect(status, 201, answer)
            place = "/" + told["location"].removeprefix("http://").split("/", 1)[-1]
            status, told, answer = http.request("PATCH", place, {**TUS, **BYTES, "Upload-Offset": "0"}, content)
            _expect(status, 204, answer)
            _expect(int(told["upload-offset"]), len(content), answer)

        return once

    return prepare


def _in_one(port: int, path: str, picture: bytes) -> Prepare:
    """Send the bytes with the creation."""

    def prepare(_: int) -> Once:
        http = Http(port)

        def once() -> None:
            content = unlike_all_others(picture)
            status, told, answer = http.request("POST", path, {**_creation(content), **BYTES}, content)
            _expect(status, 201, answer)
            _expect(int(told["upload-offset"]), len(content), answer)

        return once

    return prepare


def _plain(port: int, picture: bytes) -> Prepare:
    def prepare(_: int) -> Once:
        http = Http(port)

        def once() -> None:
            answer = http.post(UPLOAD, KIND, _multipart([], [unlike_all_others(picture)]))
            _expect(json.loads(answer)[0]["Success"], True, answer)

        return once

    return prepare


def _files(peer: Directus, picture: bytes) -> Prepare:
    def prepare(_: int) -> Once:
        http = Http(peer.port)

        def once() -> None:
            content = unlike_all_others(picture)
            said = {**peer.headers, "Content-Type": KIND}
            status, _told, answer = http.request("POST", "/files", said, _multipart([], [content]))
            _expect(status, 200, answer)
            _expect(int(json.loads(answer)["data"]["filesize"]), len(content), answer)

        return once

    return prepare


def _batch(port: int, picture: bytes) -> Prepare:
    def prepare(_: int) -> Once:
        http = Http(port)
        manifest: list[dict[str, object]] = [
            {"files": [f"{place}.jpg"], "SerialNumber": "BENCH-1"} for place in range(BATCHED)
        ]

        def once() -> None:
            contents = [unlike_all_others(picture) for _ in manifest]
            answer = http.post("/api/v1/images/batch", KIND, _multipart(manifest, contents))
            _expect(json.loads(answer)["stored"], BATCHED, answer)

        return once

    return prepare


KIND = "multipart/form-data; boundary=" + BOUNDARY.decode()


def _multipart(manifest: list[dict[str, object]], contents: list[bytes]) -> bytes:
    parts = []
    if manifest:
        parts.append(b'Content-Disposition: form-data; name="manifest"\r\n\r\n' + json.dumps(manifest).encode())
    for place, content in enumerate(contents):
        head = (
            f'Content-Disposition: form-data; name="file"; filename="{place}.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        )
        parts.append(head.encode() + content)
    return b"".join(b"--" + BOUNDARY + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + BOUNDARY + b"--\r\n"


def _creation(content: bytes) -> dict[str, str]:
    said = {"filename": "shelf.jpg", "SerialNumber": "BENCH-1"}
    encoded = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    return {**TUS, "Upload-Length": str(len(content)), "Upload-Metadata": encoded}


def _expect(found: object, wanted: object, answer: bytes) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} instead of {wanted}: {answer[:500]!r}")


@contextmanager
def _peer(folder: Path, *, fsync: bool) -> Iterator[int]:
    """Run @tus/server; give its port."""
    if not (folder / "node_modules").is_dir():
        subprocess.run(["npm", "install", "--no-package-lock"], cwd=folder, check=True)
    home, port = Path(tempfile.mkdtemp(prefix="coldshelf-bench-tus-")), free_port()
    shutil.copy(PEER / "server.mjs", home)
    (home / "node_modules").symlink_to((folder / "node_modules").resolve())
    environment = {**os.environ, "FOLDER": str(home / "files"), "PORT": str(port), "FSYNC": "1" if fsync else ""}
    process = subprocess.Popen(["node", "server.mjs"], cwd=home, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != b"READY\n":
            raise RuntimeError("@tus/server did not start")
        yield port
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(home)


def _tell(options: argparse.Namespace, size: int, rates: dict[str, float]) -> None:
    print(f"\n{size:,} bytes a picture, {CONNECTIONS} connections, {options.processes} API process(es), medians")
    for name, rate in rates.items():
        alike = [other for other in rates if other.startswith("@tus") and other.endswith(name.partition(": ")[2])]
        others = [other for other in rates if other.startswith("@directus")]
        peers = [*(alike or [other for other in rates if other.startswith("@tus")]), *others]
        ratios = [f"{rate / rates[other]:.2f} x {other.partition(':')[0]}" for other in peers]
        print(f"{name}: {rate:.0f}/s" + ("" if name[0] == "@" else f" ({', '.join(ratios)})"))
    RESULTS.mkdir(exist_ok=True)
    line = {
        "on": time.strftime("%Y-%m-%d"),
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
        "processes": options.processes,
        "rates": {name: round(rate) for name, rate in rates.items()},
    }
    with (RESULTS / "uploads.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
