"""What every recogniser must keep, run over the registry."""

import pkgutil
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from coldshelf.kit.errors import NotFound
from coldshelf.recognition import recognisers
from coldshelf.recognition.recogniser import Detections, Facing, PlannedFacing, Recogniser
from coldshelf.recognition.recognisers import RECOGNISERS, by_name
from tests.recognition.scenes import PRODUCTS, three_shelves

EVERY = pytest.mark.parametrize("recogniser", RECOGNISERS, ids=lambda each: each.name)
NOISE = np.random.default_rng(7)
ODD = {
    "one pixel": np.zeros((1, 1, 3), np.uint8),
    "one row": np.full((1, 900, 3), 128, np.uint8),
    "one column": np.full((900, 1, 3), 128, np.uint8),
    "tiny": NOISE.integers(0, 255, (20, 20, 3), dtype=np.uint8),
    "black": np.zeros((480, 640, 3), np.uint8),
    "white": np.full((640, 480, 3), 255, np.uint8),
    "very wide": NOISE.integers(0, 255, (40, 4000, 3), dtype=np.uint8),
    "very high": NOISE.integers(0, 255, (4000, 40, 3), dtype=np.uint8),
}


def numbered(result: Detections) -> dict[int, list[int]]:
    """Positions of facings and gaps by shelf."""
    positions: dict[int, list[int]] = {shelf.number: [] for shelf in result.shelves}
    for seen in (*standing(result), *result.gaps):
        positions[seen.shelf].append(seen.position)
    return positions


def standing(result: Detections) -> list[Facing]:
    """Facings that count: those on top of others do not."""
    return [facing for facing in result.facings if facing.stack_index == 0]


@pytest.fixture(scope="module")
def scene():
    return three_shelves()


@EVERY
def test_has_a_name_and_a_version(recogniser: Recogniser):
    assert recogniser.name.isidentifier()
    assert recogniser.version
    assert by_name(recogniser.name) is recogniser


@EVERY
@pytest.mark.parametrize("picture", ODD.values(), ids=ODD)
def test_odd_picture_gives_nothing(recogniser: Recogniser, picture):
    assert recogniser.recognise(picture, PRODUCTS) == Detections((), (), ())


@EVERY
def test_grey_or_noisy_picture_does_not_raise(recogniser: Recogniser, scene):
    grey = np.repeat(scene.image.mean(2, keepdims=True).astype(np.uint8), 3, axis=2)
    noise = NOISE.integers(0, 255, (300, 500, 3), dtype=np.uint8)

    for picture in (grey, noise, scene.image[::2, ::4], np.asfortranarray(scene.image[100:500])):
        recogniser.recognise(picture, PRODUCTS)


@EVERY
def test_same_picture_gives_the_same_answer_and_stays_as_it_is(recogniser: Recogniser, scene):
    before = scene.image.copy()

    once, again = (recogniser.recognise(scene.image, PRODUCTS) for _ in range(2))

    assert once == again
    assert (scene.image == before).all()


@EVERY
@pytest.mark.parametrize("planned", [None, [PlannedFacing(1, 1, PRODUCTS[0].product_id)]], ids=["no plan", "plan"])
def test_answer_keeps_the_contract(recogniser: Recogniser, scene, planned):
    height, width = scene.image.shape[:2]

    result = recogniser.recognise(scene.image, PRODUCTS, planned)

    assert result.facings
    assert [shelf.number for shelf in result.shelves] == list(range(1, len(result.shelves) + 1))
    for positions in numbered(result).values():
        assert sorted(positions) == list(range(1, len(positions) + 1))
    for seen in (*result.shelves, *result.facings, *result.gaps):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = seen.corners
        assert ax < dx and bx < cx and ay < by and dy < cy  # noqa: PT018  (top-left, bottom-left, bottom-right, …)
        assert min(ax, bx) > -0.1 * width and max(cx, dx) < 1.1 * width  # noqa: PT018
        assert min(ay, dy) > -0.1 * height and max(by, cy) < 1.1 * height  # noqa: PT018


@EVERY
def test_names_come_from_the_catalogue_with_sorted_candidates(recogniser: Recogniser, scene):
    known = {product.product_id for product in PRODUCTS}

    result = recogniser.recognise(scene.image, PRODUCTS)

    for facing in result.facings:
        assert 0 <= facing.confidence <= 1
        assert facing.product_id is None or facing.product_id == facing.alternatives[0].product_id
        assert {candidate.product_id for candidate in facing.alternatives} <= known
        assert len(facing.alternatives) <= 5
        assert all(one.score >= other.score for one, other in pairwise(facing.alternatives))


def test_every_file_of_the_folder_is_registered():
    files = {module.name for module in pkgutil.iter_modules(recognisers.__path__)}

    assert {type(each).__module__.rpartition(".")[2] for each in RECOGNISERS} == files
    assert len({each.name for each in RECOGNISERS}) == len(RECOGNISERS)


def test_unknown_name_says_which_are_known():
    with pytest.raises(NotFound) as caught:
        by_name("oracle")

    assert "oracle" in caught.value.message
    assert all(each.name in caught.value.cure for each in RECOGNISERS)


def test_recognisers_need_no_database_and_no_web():
    heavy = "{'sqlalchemy', 'asyncpg', 'fastapi', 'starlette', 'httpx', 'aiohttp', 'pgqueuer'}"
    code = f"import sys, coldshelf.recognition.recognisers; sys.exit(str({heavy} & set(sys.modules) or ''))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr.strip() == ""
