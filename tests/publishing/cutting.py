"""Delivers files while the connection breaks at random bytes, and looks at what is there after each try."""

import hashlib
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from coldshelf.publishing.destination import Destination
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.errors import AlreadyPublished, DestinationFailed
from tests.publishing.proxy import CuttingProxy

CUTS = 50 if os.environ.get("SOAK") else 5
TRIES = 5


@contextmanager
def opened(address: str, secret: dict[str, str]) -> Iterator[Destination]:
    destination = open_destination(address, secret)
    try:
        yield destination
    finally:
        destination.close()


def deliver(destination: Destination, path: str, content: bytes, *, piece: int = 300_000) -> None:
    part = destination.part(path)
    try:
        for start in range(0, len(content), piece):
            part.write(content[start : start + piece])
        part.commit()
    except BaseException:
        part.discard()
        raise


def deliver_until_done(destination: Destination, path: str, content: bytes, look: Callable[[], None]) -> None:
    """Try again as a caller does; `look` after each try that failed."""
    for _ in range(TRIES):
        try:
            deliver(destination, path, content)
        except DestinationFailed:
            look()
        except AlreadyPublished:  # the try before was done, and only its answer was lost
            return
        else:
            return
    raise AssertionError(f"not delivered in {TRIES} tries")


def survive_cuts(destination: Destination, watcher: Destination, proxy: CuttingProxy, size: int) -> None:
    """Deliver through the proxy, cut once for each file; the watcher looks past it."""
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    deliver(destination, "Shared/first", chance.randbytes(size))  # signs in
    before = proxy.passed
    deliver(destination, "Shared/second", chance.randbytes(size))
    traffic = proxy.passed - before
    delivered = {"Shared/first": size, "Shared/second": size}
    for number in range(CUTS):
        path, content = f"Shared/{number}.csv", chance.randbytes(size)
        proxy.cut_after(chance.randrange(1, traffic))

        def look(path: str = path) -> None:
            assert watcher.size(path) in {None, size}, "a half file has the final name"

        deliver_until_done(destination, path, content, look)

        with watcher.open(path) as file:
            assert hashlib.sha256(file.read()).digest() == hashlib.sha256(content).digest()
        delivered[path] = size
    assert proxy.cuts == CUTS
    found = {entry.path: entry.bytes for entry in watcher.entries("Shared")}
    assert found == delivered, "nothing is missing, doubled or left behind"
