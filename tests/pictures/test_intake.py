"""The upload's body on its own: parsed from any cut of it, staged, discarded."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coldshelf.kit.errors import InputInvalid, TooLarge
from coldshelf.kit.objects import KEPT_IN_MEMORY, LocalStore
from coldshelf.kit.testing import FaultyStore
from coldshelf.pictures.errors import SaveFailed, UploadTooLarge
from coldshelf.pictures.intake import Intake

FORM = "multipart/form-data; boundary=b"
BODY = (
    b'--b\r\nContent-Disposition: form-data; name="SerialNumber"\r\n\r\nC-1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nfirst\r\n--c\r\nfile\r\n'
    b'--b\r\nContent-Disposition: form-data; name="empty"; filename=""\r\n\r\n\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="c.jpg"\r\n\r\n\r\n'
    b"--b--\r\n"
)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "objects")


def staged(store: LocalStore) -> list[Path]:
    return list(store.staging.iterdir())


async def stream(content: bytes, cut: int) -> AsyncIterator[bytes]:
    for at in range(0, len(content), cut):
        yield content[at : at + cut]
    yield b""


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 64, 10_000])
async def test_body_reads_the_same_however_it_is_cut(store: LocalStore, cut: int) -> None:
    intake = Intake(store, most_files=3)

    await intake.receive(stream(BODY, cut), FORM)

    assert intake.fields == [("SerialNumber", "C-1")]
    assert [file.name for file in intake.files] == ["a.jpg", "c.jpg"]
    with intake.files[0].writer.content() as content:
        assert content == b"first\r\n--c\r\nfile"
    assert [file.size for file in intake.files] == [16, 0]


async def test_small_files_wait_in_memory_and_large_ones_on_the_disk(store: LocalStore) -> None:
    intake = Intake(store, most_files=1)

    await intake.receive(stream(b"x" * KEPT_IN_MEMORY, 65_536), "image/jpeg")
    assert staged(store) == []

    larger = Intake(store, most_files=1)
    await larger.receive(stream(b"x" * (KEPT_IN_MEMORY + 1), 65_536), "image/jpeg")
    assert [path.stat().st_size for path in staged(store)] != []
    larger.discard()
    assert staged(store) == []


async def test_discarded_upload_leaves_nothing(store: LocalStore) -> None:
    large = BODY.replace(b"first", b"x" * KEPT_IN_MEMORY * 2)
    for body in (large, large[:-10], large[: KEPT_IN_MEMORY + 500]):
        intake = Intake(store, most_files=1)
        with pytest.raises((InputInvalid, UploadTooLarge)):
            await intake.receive(stream(body, 65_536), FORM)
        intake.discard()

    assert staged(store) == []


async def test_rest_of_a_refused_body_is_read_so_that_the_caller_sees_the_answer(store: LocalStore) -> None:
    source = stream(b"nonsense" * 10_000, 1000)

    with pytest.raises(InputInvalid):
        await Intake(store, most_files=1).receive(source, FORM)

    assert [chunk async for chunk in source] == []


async def test_bound_of_the_body_holds_while_the_rest_is_read(store: LocalStore) -> None:
    read = 0

    async def bounded() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            if read > 5:
                raise TooLarge("enough")
            yield b"--b\r\nnonsense\r\n" * 1000

    with pytest.raises(InputInvalid, match="malformed"):
        await Intake(store, most_files=1).receive(bounded(), FORM)
    assert read == 6


async def test_full_disk_is_a_fault_of_saving(store: LocalStore) -> None:
    faulty = FaultyStore(store, fail_writes=1)
    intake = Intake(faulty, most_files=1)

    with pytest.raises(SaveFailed, match="Something went wrong while saving image"):
        await intake.receive(stream(b"x", 1), "image/png")

    intake.discard()
    assert staged(store) == []


async def test_urlencoded_form_has_fields_and_no_files(store: LocalStore) -> None:
    intake = Intake(store, most_files=1)

    await intake.receive(stream(b"SerialNumber=C%201&a=&SerialNumber=2", 5), "application/x-www-form-urlencoded")

    assert intake.fields == [("SerialNumber", "C 1"), ("a", ""), ("SerialNumber", "2")]
    assert (intake.files, intake.params["serialnumber"]) == ([], "C 1")


async def test_long_form_is_refused(store: LocalStore) -> None:
    for body in (b"a=" + b"x" * 70_000, b"&".join(b"a=1" for _ in range(300))):
        with pytest.raises(UploadTooLarge):
            await Intake(store, most_files=1).receive(stream(body, 4096), "application/x-www-form-urlencoded")
