"""Promises of the quality measures: real cooler pictures pass, hopeless ones do not, damaged ones raise a doubt."""

import cv2
import numpy as np
import pytest

from coldshelf.pictures.imaging.decode import decode
from coldshelf.pictures.imaging.quality import QualityReason, QualityVerdict, assess

OK = QualityVerdict.OK, None


@pytest.fixture(scope="module")
def cooler(samples):
    return decode((samples / "cooler_pepsico_vn" / "images" / "dev_000.jpg").read_bytes())


def judged(image):
    quality = assess(image)
    return quality.verdict, quality.reason


def noisy(grey, *, sigma, shape=(1200, 1600, 3)):
    noise = np.random.default_rng(9).normal(grey, sigma, shape)
    return np.clip(noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("folder", "count"), [("cooler_pepsico_vn", 58), ("cooler_pepsico_vn_train", 172)])
def test_every_real_cooler_picture_is_ok(samples, folder, count):
    pictures = sorted((samples / folder / "images").glob("*.jpg"))

    doubted = {path.stem: judged(image) for path in pictures if judged(image := decode(path.read_bytes())) != OK}

    assert len(pictures) == count
    assert doubted == {}


@pytest.mark.parametrize("folder", ["grocery_packages", "stitch"])
def test_other_real_pictures_are_ok_too(samples, folder):
    pictures = sorted((samples / folder).rglob("*.jpg"))

    assert pictures
    assert {judged(decode(path.read_bytes())) for path in pictures} == {OK}


@pytest.mark.parametrize("shape", [(1, 1, 3), (480, 640, 3), (3000, 4000, 3)])
def test_black_picture_is_unusable(shape):
    assert judged(np.zeros(shape, np.uint8)) == (QualityVerdict.UNUSABLE, QualityReason.TOO_DARK)


def test_lens_cap_with_sensor_noise_is_unusable():
    assert judged(noisy(3, sigma=4)) == (QualityVerdict.UNUSABLE, QualityReason.TOO_DARK)


@pytest.mark.parametrize("grey", [60, 128, 255])
def test_blank_picture_is_unusable(grey):
    nothing = QualityVerdict.UNUSABLE, QualityReason.NO_STRUCTURE

    assert judged(np.full((480, 640, 3), grey, np.uint8)) == nothing
    assert judged(noisy(grey, sigma=6)) == nothing


@pytest.mark.parametrize(
    ("light", "verdict"),
    [
        (0.5, OK),
        (0.25, OK),
        (0.15, (QualityVerdict.DOUBTFUL, QualityReason.TOO_DARK)),
        (0.05, (QualityVerdict.UNUSABLE, QualityReason.TOO_DARK)),
    ],
)
def test_dark_picture_is_doubted_and_a_black_one_refused(cooler, light, verdict):
    assert judged((cooler * light).astype(np.uint8)) == verdict


def test_overexposed_picture_is_doubted():
    picture = np.full((400, 400, 3), 255, np.uint8)
    picture[:100, :100] = 90

    assert judged(picture) == (QualityVerdict.DOUBTFUL, QualityReason.TOO_BRIGHT)


@pytest.mark.parametrize("enlarged", [1, 4])
def test_picture_out_of_focus_is_doubted(cooler, enlarged):
    large = cv2.resize(cooler, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC)

    assert judged(cv2.GaussianBlur(large, (0, 0), 0.5 * enlarged)) == OK
    assert judged(cv2.GaussianBlur(large, (0, 0), 3 * enlarged)) == (QualityVerdict.DOUBTFUL, QualityReason.BLURRED)


@pytest.mark.parametrize("kernel", [(20, 1), (1, 20)])
def test_picture_shaken_along_one_direction_is_doubted(cooler, kernel):
    assert judged(cv2.blur(cooler, kernel)) == (QualityVerdict.DOUBTFUL, QualityReason.BLURRED)


def test_measures_are_plain_numbers_of_the_stated_range(cooler):
    checkered = np.indices((64, 64)).sum(axis=0) % 2 * 255
    quality = assess(np.repeat(checkered[:, :, None], 3, axis=2).astype(np.uint8))

    assert (quality.brightness, quality.contrast) == (127.5, 127.5)
    assert quality.sharpness == pytest.approx(16, rel=0.01)
    assert all(type(value) is float for value in (quality.brightness, quality.contrast, assess(cooler).sharpness))


def test_reasons_have_the_names_of_the_record():
    assert [str(reason) for reason in QualityReason] == ["TooDark", "TooBright", "NoStructure", "Blurred"]
    assert [str(verdict) for verdict in QualityVerdict] == ["ok", "doubtful", "unusable"]
