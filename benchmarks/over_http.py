"""Lists and CSV files of the product and of Directus, both asked over HTTP by the same client in turn."""

import asyncio
import base64
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection

from directus import TABLE, copy_rows, make_database, run_directus
from scratch import fill, registry
from upload import PASSWORD, installation

from coldshelf.access.principal import Role
from coldshelf.access.service import add_user
from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.kit.ids import ClientId
from coldshelf.kit.settings import Settings

USER = "lists"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one answer took."""

    seconds: float
    first: float
    size: int


Ask = Callable[[], Taken]


def beside_directus(dataset: str, *, rows: int, page: int, rounds: int) -> None:
    """Print what a list and a CSV file of all rows take, and the ratio to Directus in the same run."""
    with installation(1) as (settings, url):
        client_id = asyncio.run(fill(url, dataset, rows))
        asyncio.run(_add_reader(settings, url, client_id))
        peer_url = asyncio.run(make_database(url))
        asyncio.run(copy_rows(url, peer_url, client_id, registry().datasets[dataset]))
        with run_directus(peer_url) as peer:
            basic = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
            handler = f"/controllers/{dataset}.ashx?action="
            for name, ours, theirs, times in (
                (f"list of {page:,}", f"{handler}list&limit={page}", f"/items/{TABLE}?limit={page}", rounds * 4),
                (
                    f"CSV of {rows:,}",
                    f"{handler}export&exportFormat=CSV",
                    f"/items/{TABLE}?export=csv&limit=-1",
                    rounds,
                ),
            ):
                asks = _asks(settings.port, ours, basic), _asks(peer.port, theirs, peer.headers)
                for ask in asks:
                    ask()
                found = [[ask() for ask in asks] for _ in range(times)]
                _tell(name, [pair[0] for pair in found], [pair[1] for pair in found])


async def _add_reader(settings: Settings, url: str, client_id: ClientId) -> None:
    async with runtime(settings, url) as run:
        await add_user(run, client_id, USER, password=PASSWORD, role=Role.CLIENT_ADMIN)


def _asks(port: int, path: str, headers: Mapping[str, str]) -> Ask:
    def ask() -> Taken:
        begun = time.perf_counter()
        connection = HTTPConnection("127.0.0.1", port)  # a new one: the product ends those that are idle for long
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        size = len(answer.read(1))
        first = time.perf_counter() - begun
        while part := answer.read(1 << 20):
            size += len(part)
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path} answers {answer.status}")
        return Taken(time.perf_counter() - begun, first, size)

    return ask


def _tell(name: str, ours: list[Taken], theirs: list[Taken]) -> None:
    for who, taken in (("Coldshelf", ours), ("Directus", theirs)):
        print(
            f"{name}, {who}: {_middle([one.seconds for one in taken]) * 1e3:.0f} ms, first byte after"
            f" {_middle([one.first for one in taken]) * 1e3:.0f} ms, {taken[0].size / 1e6:.2f} MB"
        )
    ratio = _middle([one.seconds for one in theirs]) / _middle([one.seconds for one in ours])
    print(f"{name}: Directus takes {ratio:.1f} x as long", flush=True)


def _middle(values: list[float]) -> float:
    return statistics.median(values)
