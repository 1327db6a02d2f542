"""Promises of the gallery: the nearest reference counts, and none is embedded twice."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from coldshelf.recognition.networks.gallery import Gallery, GalleryKeeper
from coldshelf.recognition.recogniser import CatalogueProduct, ProductId

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


class ColourEmbedder:
    """Gives the mean colour of crops as unit vectors and counts what it was given."""

    def __init__(self):
        self.seen = 0

    def embed(self, crops):
        self.seen += len(crops)
        means = np.array([crop.mean((0, 1)) for crop, _ in crops], np.float32).reshape(-1, 3)
        return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6)


def plain(colour):
    return np.full((60, 30, 3), colour, np.uint8)


def product(number, *references):
    return CatalogueProduct(ProductId(number), f"S{number}", f"Name {number}", is_foreign=False, references=references)


@pytest.fixture
def embedder():
    return ColourEmbedder()


@pytest.fixture
def keeper(embedder):
    return GalleryKeeper(embedder)


def test_nearest_of_several_references_counts():
    gallery = Gallery(
        (ProductId(7), ProductId(9)),
        np.array([0, 0, 1], np.intp),
        np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32),
    )

    likeness = gallery.likeness(np.array([[1, 0], [0, 1], [-1, 0]], np.float32))

    assert likeness == pytest.approx(np.array([[1, 0.6], [1, 0.8], [0, -0.6]], np.float32))


def test_gallery_without_references_is_like_nothing(keeper, embedder):
    gallery = keeper.gallery([])

    assert gallery.products == ()
    assert gallery.likeness(np.eye(3, dtype=np.float32)).shape == (3, 0)
    assert embedder.seen == 0


def test_no_points_have_no_likeness(keeper):
    gallery = keeper.gallery([product(1, plain(RED)), product(2, plain(BLUE))])

    assert gallery.likeness(np.zeros((0, 1), np.float32)).shape == (0, 2)


def test_references_lead_to_their_product(keeper):
    gallery = keeper.gallery([product(5, plain(RED), plain(GREEN)), product(3, plain(BLUE))])

    likeness = gallery.likeness(np.array([[0, 1, 0], [0, 0, 1]], np.float32))

    assert gallery.products == (5, 3)
    assert likeness == pytest.approx(np.eye(2, dtype=np.float32), abs=1e-6)


def test_same_arrays_are_embedded_once(keeper, embedder):
    red, green, blue = plain(RED), plain(GREEN), plain(BLUE)

    first = keeper.gallery([product(1, red, green), product(2, blue)])
    again = keeper.gallery([product(1, red, green), product(2, blue)])

    assert embedder.seen == 3
    assert again is first


def test_new_reference_is_embedded_alone(keeper, embedder):
    red, green, blue = plain(RED), plain(GREEN), plain(BLUE)
    keeper.gallery([product(1, red), product(2, blue)])

    gallery = keeper.gallery([product(1, red, green), product(2, blue)])

    assert embedder.seen == 3
    assert gallery.likeness(np.array([[0, 1, 0]], np.float32)) == pytest.approx(np.array([[1, 0]]), abs=1e-6)


def test_picture_that_two_products_share_is_embedded_once(keeper, embedder):
    red = plain(RED)

    gallery = keeper.gallery([product(1, red), product(2, red)])

    assert embedder.seen == 1
    assert gallery.likeness(np.array([[1, 0, 0]], np.float32)) == pytest.approx(np.ones((1, 2)))


def test_reference_that_moves_to_another_product_names_that_one(keeper, embedder):
    red, blue = plain(RED), plain(BLUE)
    keeper.gallery([product(1, red), product(2, blue)])

    moved = keeper.gallery([product(1, blue), product(2, red)])

    assert embedder.seen == 2
    assert moved.likeness(np.array([[1, 0, 0]], np.float32)) == pytest.approx(np.array([[0, 1]]), abs=1e-6)


def test_reference_that_is_gone_is_forgotten(keeper, embedder):
    red, blue = plain(RED), plain(BLUE)
    keeper.gallery([product(1, red), product(2, blue)])

    gallery = keeper.gallery([product(2, blue)])

    assert gallery.products == (2,)
    assert len(gallery.points) == 1
    assert embedder.seen == 2


def test_products_without_usable_reference_are_not_in_it(keeper):
    speck = np.zeros((2, 2, 3), np.uint8)

    gallery = keeper.gallery([product(1), product(2, speck), product(3, speck, plain(RED))])

    assert gallery.products == (3,)
    assert len(gallery.points) == 1


@pytest.fixture
def eager_threads():
    """Let threads take turns as often as can be."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("eager_threads")
def test_threads_with_different_catalogues_do_not_disturb_each_other(keeper):
    large = [product(1000 + number, np.full((8, 8, 3), RED, np.uint8)) for number in range(300)]
    small = [[product(number, np.full((8, 8, 3), BLUE, np.uint8))] for number in range(100)]
    catalogues = [large, *small] * 8

    with ThreadPoolExecutor(2) as threads:
        galleries = list(threads.map(keeper.gallery, catalogues))

    for gallery, catalogue in zip(galleries, catalogues, strict=True):
        assert list(gallery.products) == [each.product_id for each in catalogue]
    assert galleries[0].points == pytest.approx(np.tile([1, 0, 0], (300, 1)), abs=1e-6)
    assert galleries[1].points == pytest.approx(np.array([[0, 0, 1]]), abs=1e-6)
