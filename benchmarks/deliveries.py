"""Callbacks: how many a second one worker delivers, and what dead and slow receivers cost the others.

    python benchmarks/deliveries.py [--url URL] [--deliveries 6000] [--subscriptions 1000] [--events 5] [--rounds 3]

Without --url it starts the embedded PostgreSQL in a folder of its own. The worker's loop runs in this process; the
receivers are a process of their own, `http.server`'s place taken by a few lines that answer 200 at once and note when.
Dead receivers refuse connections; slow ones take them and say nothing. Every receiver has an address of its own
(127.1.x.y), so that to the worker each is another server.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import secrets
import socket
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from scratch import scratch_database

from coldshelf.access.service import add_client
from coldshelf.deliveries.dispatching import deliver_forever
from coldshelf.deliveries.fanout import send_to_all
from coldshelf.entrypoints.bootstrap import runtime, surroundings
from coldshelf.kit.events import Event
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.masterdata.service import outlet_place

DEAD = SLOW = 10
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SUBSCRIBE = """
    INSERT INTO subscription (client_id, name, url, events)
    SELECT coldshelf_client(), url, url, 'alert.opened' FROM unnest($1::text[]) url"""


def receive(pipe: Pipe) -> None:
    """Answer everything at once; give the moments of arrival by the path that was posted to when asked for them."""
    asyncio.run(_receive(pipe))


async def _receive(pipe: Pipe) -> None:
    arrived: list[tuple[str, float]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                arrived.append((head.split(b" ", 2)[1].decode(), time.time()))
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    quick = await asyncio.start_server(serve, "0.0.0.0", 0, backlog=4096)  # all of 127.0.0.0/8
    slow = await asyncio.start_server(silent, "0.0.0.0", 0, backlog=4096)
    pipe.send([server.sockets[0].getsockname()[1] for server in (quick, slow)])
    while await asyncio.to_thread(pipe.recv) == "arrived":
        pipe.send(arrived.copy())
        arrived.clear()


@dataclass(frozen=True)
class Bench:
    run: Runtime
    client_id: ClientId
    outlet: int
    pipe: Pipe
    quick: int
    slow: int
    dead: int

    async def arrived(self) -> list[tuple[str, float]]:
        """Give what has arrived since it was last asked."""
        self.pipe.send("arrived")
        found: list[tuple[str, float]] = await asyncio.to_thread(self.pipe.recv)
        return found

    def event(self) -> Event:
        now = datetime.now(UTC)
        return Event("alert.opened", 1, self.client_id, "Location", self.outlet, now, location_id=self.outlet)

    async def subscribe(self, urls: Sequence[str]) -> None:
        async with self.run.database.scope(self.client_id) as connection:
            await connection.execute(SUBSCRIBE, list(urls))

    async def happen(self, many: int) -> None:
        """Let events happen, and put them on their way to every subscription."""
        async with self.run.database.scope(self.client_id) as connection:
            for _ in range(many):
                await send_to_all(connection, self.event(), outlet_place, datetime.now(UTC))

    async def until_arrived(self, many: int) -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = []
        while len(found) < many:
            await asyncio.sleep(0.05)
            found += await self.arrived()
        return found

    async def forget(self) -> None:
        async with self.run.database.system() as connection:
            await connection.execute("TRUNCATE delivery, delivery_attempt, subscription, callback_secret")


async def throughput(bench: Bench, many: int) -> tuple[float, int]:
    """Deliver so many events to one receiver; give deliveries a second and the memory of this process then, in KiB."""
    await bench.subscribe([f"http://127.1.0.1:{bench.quick}/"])
    await bench.happen(many)
    async with delivering(bench):
        began = time.time()
        found = await bench.until_arrived(many)
        resident = memory()
    await bench.forget()
    return many / (max(moment for _, moment in found) - began), resident


async def delays(bench: Bench, subscriptions: int, events: int, *, bad: bool) -> list[float]:
    """Tell everybody of events, one after the other; give the seconds until each arrived at the good receivers."""
    good = [f"http://127.1.{n // 250}.{n % 250 + 1}:{bench.quick}/" for n in range(subscriptions - DEAD - SLOW)]
    others = [f"http://127.2.0.{n + 1}:{bench.dead}/" for n in range(DEAD)]
    others += [f"http://127.3.0.{n + 1}:{bench.slow}/" for n in range(SLOW)]
    await bench.subscribe(good + others if bad else good)
    found: list[float] = []
    async with delivering(bench):
        for _ in range(events):
            began = time.time()
            await bench.happen(1)
            arrived = await bench.until_arrived(len(good))
            found += [moment - began for _, moment in arrived]
    await bench.forget()
    return found


@asynccontextmanager
async def delivering(bench: Bench) -> AsyncIterator[None]:
    """Run the loop of a worker; what hangs at its end is left."""
    task = asyncio.create_task(deliver_forever(bench.run, surroundings(), asyncio.Event()))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def memory() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def measure(options: argparse.Namespace, url: str, pipe: Pipe, folder: Path) -> dict[str, object]:
    quick, slow = pipe.recv()
    dead = free_port()
    settings = load_settings(
        data_dir=folder, outgoing_http=True, outgoing_allow=("127.0.0.0/8",), outgoing_ports=(quick, slow, dead)
    )
    async with runtime(settings, url) as run:
        client_id = await add_client(run, f"bench{secrets.token_hex(4)}", "Bench")
        async with run.database.scope(client_id) as connection:
            outlet = await connection.fetchval(
                "INSERT INTO location (client_id, code, name) VALUES (coldshelf_client(), 'B', 'B') RETURNING id"
            )
        bench = Bench(run, client_id, outlet, pipe, quick, slow, dead)
        await throughput(bench, 500)
        rates = {many: await throughput(bench, many) for many in (options.deliveries // 4, options.deliveries)}
        for many, (rate, resident) in rates.items():
            print(f"{many:>7,} deliveries to one receiver: {rate:7.1f} a second, {resident / 1024:.0f} MiB", flush=True)
        ratios: list[float] = []
        for number in range(options.rounds):
            alone = p95(await delays(bench, options.subscriptions, options.events, bad=False))
            beside = p95(await delays(bench, options.subscriptions, options.events, bad=True))
            ratios.append(beside / alone)
            print(f"round {number + 1}: p95 {alone:.3f} s alone, {beside:.3f} s beside bad ones: {ratios[-1]:.3f} x")
        return {
            "rates": {many: {"a second": rate, "resident KiB": resident} for many, (rate, resident) in rates.items()},
            "p95 beside bad ones / alone": ratios,
            "median": statistics.median(ratios),
            "load": os.getloadavg()[0],
        }


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="")
    parser.add_argument("--deliveries", type=int, default=6000)
    parser.add_argument("--subscriptions", type=int, default=1000)
    parser.add_argument("--events", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    receiver = multiprocessing.get_context("spawn").Process(target=receive, args=(theirs,), daemon=True)
    receiver.start()
    with tempfile.TemporaryDirectory() as folder, scratch_database(options.url) as url:
        print(json.dumps(asyncio.run(measure(options, url, ours, Path(folder))), indent=2))
    ours.send("end")
    receiver.join()


if __name__ == "__main__":
    main()
