"""What SFTP and FTPS promise alike, on a real server of each: hidden names, whole files, connections that break."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from coldshelf.publishing.destination import Destination
from coldshelf.publishing.errors import AlreadyPublished, DestinationFailed
from tests.publishing.cutting import deliver, opened, survive_cuts
from tests.publishing.proxy import CuttingProxy
from tests.publishing.servers import Ftp, Ssh
from tests.publishing.support import files_below

LARGE = 9_000_000


@dataclass(frozen=True, slots=True)
class Site:
    """A folder of a running server, here and there. `proxied` gives a proxy, and the address that leads through it."""

    folder: Path
    address: str
    secret: dict[str, str]
    proxied: Callable[[], tuple[CuttingProxy, str]]
    size: int
    """Bytes of a file that is cut: each takes its time."""

    @contextmanager
    def cut(self) -> Iterator[tuple[CuttingProxy, Destination]]:
        proxy, address = self.proxied()
        try:
            with opened(address, self.secret) as destination:
                yield proxy, destination
        finally:
            proxy.close()


@pytest.fixture(params=["openssh", "vsftpd"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    server: Ssh | Ftp = request.getfixturevalue(request.param)
    name = tmp_path.name
    if isinstance(server, Ssh):

        def by_port() -> tuple[CuttingProxy, str]:
            proxy = CuttingProxy([(0, server.port)])
            return proxy, server.address(name, port=proxy.port)

        secret = {"private_key": server.private_key}
        return Site(server.folder / name, server.address(name), secret, by_port, 5_000_000)

    def by_host() -> tuple[CuttingProxy, str]:
        # At the same ports of another address of this machine, where clients look for data connections as well.
        ports = [(port, port) for port in (server.port, *server.passive)]
        return CuttingProxy(ports, host="127.0.0.2"), server.address(name, host="127.0.0.2")

    return Site(server.files / name, server.address(name), server.secret, by_host, 3_000_000)


@pytest.fixture
def destination(site: Site) -> Iterator[Destination]:
    with opened(site.address, site.secret) as destination:
        yield destination


def test_a_large_part_arrives_whole_and_unchanged(destination: Destination, site: Site) -> None:
    content = bytes(range(256)) * (LARGE // 256)

    deliver(destination, "T/large", content)

    assert (site.folder / "T/large").read_bytes() == content
    with destination.open("T/large") as file:
        assert file.read() == content


def test_half_written_parts_are_hidden_files_in_the_same_folder(destination: Destination, site: Site) -> None:
    part = destination.part("T/a.csv")
    part.write(b"half")

    (hidden,) = files_below(site.folder)

    assert hidden.startswith("T/.a.csv.")
    assert hidden.endswith(".tmp")
    assert [entry.path for entry in destination.entries("T")] == [hidden]
    part.discard()
    assert files_below(site.folder) == set()


def test_one_of_two_that_write_the_same_part_wins(destination: Destination, site: Site) -> None:
    first, second = destination.part("T/a"), destination.part("T/a")
    first.write(b"first")
    second.write(b"second")

    second.commit()

    with pytest.raises(AlreadyPublished):
        first.commit()
    assert (site.folder / "T/a").read_bytes() == b"second"
    assert files_below(site.folder) == {"T/a"}


def test_a_copy_does_not_overwrite_and_leaves_nothing(destination: Destination, site: Site) -> None:
    deliver(destination, "T/a", b"first")
    deliver(destination, "T/b", b"second")

    with pytest.raises(AlreadyPublished):
        destination.copy("T/b", "T/a")
    with pytest.raises(DestinationFailed, match="T/none"):
        destination.copy("T/none", "T/c")

    assert (site.folder / "T/a").read_bytes() == b"first"
    assert files_below(site.folder) == {"T/a", "T/b"}


def test_names_may_hold_blanks_and_letters_of_any_script(destination: Destination) -> None:
    deliver(destination, "Früh ling/Größe 1 .csv", b"content")

    (entry,) = destination.entries("Früh ling")

    assert (entry.path, entry.bytes) == ("Früh ling/Größe 1 .csv", 7)
    destination.remove("Früh ling")
    assert list(destination.entries("Früh ling")) == []


def test_a_rename_whose_answer_was_lost_counts(site: Site) -> None:
    with site.cut() as (proxy, destination):
        for number in range(6):
            part = destination.part(f"T/{number}")
            part.write(b"content")
            proxy.cut_after(110 * number + 1)  # somewhere among the few hundred bytes of a commit
            try:
                part.commit()
            except DestinationFailed:
                deliver(destination, f"T/{number}", b"content")

        assert proxy.cuts == 6
    assert files_below(site.folder) == {f"T/{number}" for number in range(6)}


def test_files_are_whole_however_often_the_connection_breaks(site: Site, destination: Destination) -> None:
    with site.cut() as (proxy, through):
        survive_cuts(through, destination, proxy, site.size)
