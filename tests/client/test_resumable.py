"""Pictures over a line that breaks: every picture arrives once, and little is sent twice."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from coldshelf.client import NoAnswer, Retries, UploadRefused
from coldshelf.client import resumable as sending
from tests.acceptance.installation import Installation
from tests.client.conftest import Shelf
from tests.client.flaky import Line
from tests.pictures.uploading import picture

OpenShelf = Callable[..., Shelf]
PIECE = 1500


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PIECE", PIECE)


def scene() -> list[tuple[str, bytes]]:
    """Make three pictures that nobody sent before."""
    seed = uuid4().int % 10**6
    names = ("centre.jpg", "left.jpg", "right.jpg")
    return [(name, picture(seed + number, size=(320, 240))) for number, name in enumerate(names)]


def patches(line: Line) -> list[tuple[str, int]]:
    """Give what was sent: to which upload, from which offset."""
    return [
        (head.split(" ")[1], int(head.lower().partition("upload-offset: ")[2].partition("\r\n")[0]))
        for head in line.heard.requests
        if head.startswith("PATCH")
    ]


async def test_set_arrives_whole_over_a_line_that_breaks_everywhere(
    open_shelf: OpenShelf, line: Line, installation: Installation
) -> None:
    shelf, pictures = open_shelf(line.address), scene()
    line.script.extend(["lose", "pass", "cut", "pass", "lose", "pass", "half", "pass", "cut", "lose"])

    (sent,) = await shelf.do("upload_resumably", *pictures, serial_number="C-1", grid_order=[2, 1, 3])

    (plain,) = await shelf.do("upload", *pictures, serial_number="C-1", grid_order=[2, 1, 3])
    files = await installation.fetch(
        f"SELECT file_name, bytes, place FROM picture_file WHERE picture_id = {sent.asset_purity_id} ORDER BY number"
    )
    assert (plain.guid, plain.repeated) == (sent.guid, True), "the same picture as by the plain upload"
    assert [tuple(file) for file in files] == [
        (name, len(content), place) for (name, content), place in zip(pictures, (2, 1, 3), strict=True)
    ]
    assert len(shelf.waits) == 6
    uploads = {place for place, _ in patches(line)}
    assert len(uploads) == 3, "what is begun twice is the same upload"


async def test_another_run_with_the_same_key_goes_on_where_the_first_broke(open_shelf: OpenShelf, line: Line) -> None:
    pictures, key = scene(), uuid4().hex
    line.script.extend(["pass", "pass", "pass", "cut"])
    with pytest.raises(NoAnswer):
        await open_shelf(line.address, retries=Retries(tries=1)).do(
            "upload_resumably", *pictures, serial_number="C-1", key=key
        )
    before = patches(line)

    (sent,) = await open_shelf(line.address).do("upload_resumably", *pictures, serial_number="C-1", key=key)
    count = len(patches(line))
    (again,) = await open_shelf(line.address).do("upload_resumably", *pictures, serial_number="C-1", key=key)

    assert [offset for _, offset in before] == [0, PIECE, 2 * PIECE]
    assert patches(line)[3] == before[2], "the first piece that is missing, and none before it"
    assert (again.guid, len(patches(line))) == (sent.guid, count), "nothing is sent a second time"


async def test_refused_picture_is_the_same_error_as_by_the_plain_upload(shelf: Shelf) -> None:
    good, bad = picture(uuid4().int % 10**6), picture(2)[:150]

    with pytest.raises(UploadRefused) as refused:
        await shelf.do("upload_resumably", good, ("bad.jpg", bad), serial_number="C-1")
    with pytest.raises(UploadRefused, match="Asset not found: nowhere"):
        await shelf.do("upload_resumably", good, serial_number="nowhere")
    results = await shelf.do("upload_resumably", good, bad, serial_number="C-1", stitch=False, strict=False)

    assert refused.value.info == "Image is corrupted: bad.jpg"
    assert [result.success for result in results] == [True, False]


async def test_only_pictures_can_be_sent_in_pieces(shelf: Shelf) -> None:
    for given in ({}, {"urls": ["https://pictures.example/shelf.jpg"]}):
        with pytest.raises(ValueError, match="give pictures"):
            await shelf.do("upload_resumably", serial_number="C-1", **given)
