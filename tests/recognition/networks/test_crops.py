"""Promises of the crops that the embedding sees."""

import numpy as np
import pytest

from coldshelf.recognition.networks.crops import CROP, MARGIN, cut, cut_alone

WIDTH, HEIGHT = CROP
RED, BLUE = (200, 20, 20), (20, 20, 200)


def noise(height, width):
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def halves(height, width):
    """A picture that is red on the left and blue on the right."""
    picture = np.full((height, width, 3), BLUE, np.uint8)
    picture[:, : width // 2] = RED
    return picture


@pytest.mark.parametrize("size", [(3, 5), (40, 90), (400, 300), (1, 1)])
def test_every_box_gives_a_crop_of_the_same_size(size):
    crop, _ = cut(noise(500, 600), (20, 30, 20 + size[0], 30 + size[1]))

    assert crop.shape == (HEIGHT, WIDTH, 3)
    assert crop.dtype == np.uint8


@pytest.mark.parametrize(("size", "shape"), [((50, 50), 0.0), ((20, 40), np.log(2)), ((90, 30), -np.log(3))])
def test_shape_of_the_box_is_told_as_logarithm(size, shape):
    _, told = cut(noise(200, 200), (10, 10, 10 + size[0], 10 + size[1]))

    assert told == pytest.approx(shape)


def test_crop_shows_the_margin_around_the_box():
    picture = noise(300, 300)
    wide, high = WIDTH / (1 + 2 * MARGIN), HEIGHT / (1 + 2 * MARGIN)
    left, top = 100 + MARGIN * wide, 60 + MARGIN * high

    crop, _ = cut(picture, (left, top, left + wide, top + high))

    shown = picture[60 : 60 + HEIGHT, 100 : 100 + WIDTH]
    assert np.abs(crop.astype(int) - shown).max() <= 1


def test_large_product_is_averaged_not_sampled():
    picture = noise(1000, 500)

    crop, _ = cut(picture, (10, 20, 490, 980))

    assert picture.std() > 70
    assert crop.std() < 12  # a tenth per direction; interpolated samples would keep more than 35
    assert abs(float(crop.mean()) - 127.5) < 2


@pytest.mark.parametrize("scale", [1, 10])
def test_what_lies_outside_of_the_picture_repeats_its_border(scale):
    picture = halves(100 * scale, 60 * scale)

    crop, _ = cut(picture, (-60 * scale, 0, 60 * scale, 100 * scale))

    # red outside and to the middle of the picture: three quarters of the box
    assert (crop[:, : WIDTH // 2] == RED).all()
    assert (crop[:, -4:] == BLUE).all()


@pytest.mark.parametrize("scale", [1, 10])
def test_box_that_misses_the_picture_shows_only_its_border(scale):
    crop, _ = cut(halves(100 * scale, 60 * scale), (90 * scale, 0, 130 * scale, 100 * scale))

    assert (crop == BLUE).all()


def test_crop_alone_is_the_crop_of_the_part():
    picture = noise(300, 200)

    alone, shape = cut_alone(picture, (40.3, 50.6, 90.4, 170.2))

    expected, told = cut(picture[51:170, 40:90], (0, 0, 50, 119))
    assert (alone == expected).all()
    assert shape == told
    beside, _ = cut(picture, (40, 51, 90, 170))
    assert (alone != beside).any()  # with the neighbours in the margin it is another crop


def test_crop_alone_stays_inside_of_the_picture():
    picture = noise(100, 80)

    crop, shape = cut_alone(picture, (-30, -20, 200, 300))

    whole, told = cut(picture, (0, 0, 80, 100))
    assert (crop == whole).all()
    assert shape == told
