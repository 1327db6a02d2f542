"""What every destination promises, run for each that is registered."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from coldshelf.publishing.destination import Destination
from coldshelf.publishing.destinations import DESTINATIONS, open_destination
from coldshelf.publishing.destinations.azure import AzureDestination
from coldshelf.publishing.destinations.file import FileDestination
from coldshelf.publishing.destinations.ftps import FtpsDestination
from coldshelf.publishing.destinations.s3 import S3Destination
from coldshelf.publishing.destinations.sftp import SftpDestination
from coldshelf.publishing.errors import AlreadyPublished, DestinationFailed, DestinationUnknown
from tests.publishing.servers import Places
from tests.publishing.support import files_below

PLACES: dict[type[Destination], str] = {
    FileDestination: "file_places",
    AzureDestination: "azure_places",
    S3Destination: "s3_places",
    SftpDestination: "sftp_places",
    FtpsDestination: "ftps_places",
}
"""The fixture that gives places of each kind, on a real server."""


@pytest.fixture(params=DESTINATIONS, ids=lambda kind: kind.__name__)
def destination(request: pytest.FixtureRequest) -> Iterator[Destination]:
    places: Places = request.getfixturevalue(PLACES[request.param])
    place = places()
    opened = open_destination(place.address, place.secret)
    yield opened
    opened.close()


def write(destination: Destination, path: str, content: bytes) -> None:
    part = destination.part(path)
    part.write(content)
    part.commit()


def test_every_registered_destination_is_tested() -> None:
    assert set(PLACES) == set(DESTINATIONS)


def test_what_was_committed_reads_back(destination: Destination) -> None:
    destination.begin("Full/demo/T/R")
    part = destination.part("Full/demo/T/R/part-00000.parquet")
    part.write(b"first ")
    part.write(memoryview(b"second"))
    part.commit()
    destination.finish("Full/demo/T/R")

    with destination.open("Full/demo/T/R/part-00000.parquet") as file:
        assert file.read() == b"first second"
        file.seek(6)
        assert file.read() == b"second"
    with destination.open("Full/demo/T/R/_SUCCESS") as file:
        assert file.read() == b""


def test_a_folder_is_taken_once(destination: Destination) -> None:
    destination.begin("Full/demo/T/R")

    with pytest.raises(AlreadyPublished):
        destination.begin("Full/demo/T/R")


def test_a_part_is_never_overwritten(destination: Destination) -> None:
    destination.begin("Full/demo/T/R")
    write(destination, "Full/demo/T/R/part", b"first")

    with pytest.raises(AlreadyPublished):
        write(destination, "Full/demo/T/R/part", b"second")

    with destination.open("Full/demo/T/R/part") as file:
        assert file.read() == b"first"


def test_a_part_is_not_seen_before_its_end(destination: Destination) -> None:
    destination.begin("Full/demo/T/R")
    part = destination.part("Full/demo/T/R/part")
    part.write(b"half")

    if destination.capabilities.appears == "rename":
        with pytest.raises(DestinationFailed):
            destination.open("Full/demo/T/R/part")

    part.discard()


def test_abort_leaves_nothing_and_touches_nothing_else(destination: Destination) -> None:
    for run in ("R1", "R2"):
        destination.begin(f"Full/demo/T/{run}")
        write(destination, f"Full/demo/T/{run}/part", run.encode())
    half = destination.part("Full/demo/T/R2/half")
    half.write(b"half")
    half.discard()

    destination.remove("Full/demo/T/R2")

    with pytest.raises(DestinationFailed):
        destination.open("Full/demo/T/R2/part")
    with destination.open("Full/demo/T/R1/part") as file:
        assert file.read() == b"R1"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../outside", "Full/../../outside"])
def test_a_path_cannot_leave_the_destination(destination: Destination, path: str) -> None:
    with pytest.raises(ValueError, match="not a path below"):
        destination.begin(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    destination = open_destination(tmp_path / "file")

    with pytest.raises(DestinationFailed, match=f"{tmp_path}/file/Full: "):
        destination.begin("Full")


def test_half_written_parts_are_hidden_files(tmp_path: Path) -> None:
    destination = open_destination(str(tmp_path))
    destination.begin("Full")
    part = destination.part("Full/part-00000.parquet")

    (name,) = files_below(tmp_path)
    part.discard()
    assert re.fullmatch(r"Full/\.part-00000\.parquet\.[0-9a-f]{8}\.tmp", name)
    assert files_below(tmp_path) == set()


def test_an_address_that_nobody_takes_is_refused() -> None:
    with pytest.raises(DestinationUnknown, match="gopher:// is not known") as caught:
        open_destination("gopher://user:pa55word@host/folder")

    assert caught.value.cure.startswith("Use a folder, or an address with file://")
    assert "pa55word" not in str(caught.value)


def test_a_file_is_copied_listed_and_removed(destination: Destination) -> None:
    destination.begin("Full/demo/T/R1")
    write(destination, "Full/demo/T/R1/part", b"settled")
    destination.finish("Full/demo/T/R1")

    destination.copy("Full/demo/T/R1/part", "Full/demo/T/R2/part")

    assert destination.size("Full/demo/T/R2/part") == 7
    assert destination.size("Full/demo/T/R2/other") is None
    found = [(entry.path, entry.bytes) for entry in destination.entries("Full/demo")]
    assert sorted(found) == [("Full/demo/T/R1/_SUCCESS", 0), ("Full/demo/T/R1/part", 7), ("Full/demo/T/R2/part", 7)]
    destination.remove("Full/demo/T/R1")
    assert [entry.path for entry in destination.entries("Full")] == ["Full/demo/T/R2/part"]
    assert list(destination.entries("Nowhere")) == []


def test_a_copy_never_overwrites(destination: Destination) -> None:
    write(destination, "T/a", b"a")
    write(destination, "T/b", b"b")

    with pytest.raises(AlreadyPublished):
        destination.copy("T/a", "T/b")

    with destination.open("T/b") as file:
        assert file.read() == b"b"
