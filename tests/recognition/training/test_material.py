"""What is trained on, and what is kept apart; no torch needed."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coldshelf.kit.errors import InputInvalid, NotFound
from coldshelf.recognition.training.material import (
    catalogue_of,
    check_enough,
    choose_kept_apart,
    draw_kept_apart,
    fingerprint_of,
    read_material,
    scarce,
    write_split,
)
from coldshelf.recognition.training.samples import (
    UNREAD,
    Sample,
    read_samples,
    readable,
    rendered_samples,
    skus_of,
    split,
    without,
)
from tests.recognition.training.folders import labelled_folder


def test_torch_is_not_needed_to_prepare_a_training() -> None:
    modules = ", ".join(f"coldshelf.recognition.training.{name}" for name in ("augment", "samples", "material", "card"))

    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules['torch'] = None; import {modules}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_boxes_without_a_sku_and_regions_in_doubt_are_not_named(tmp_path: Path) -> None:
    folder = labelled_folder(tmp_path / "a", 1, facings=3, skus=("red", None, "unknown"))
    corrections = tmp_path / "corrections.json"
    corrections.write_text(json.dumps({"000.jpg": {"doubtful": [{"bbox": [100, 0, 120, 40]}]}}))

    sample = read_material([folder], corrections).samples[0]

    assert sample.labels == ("red", UNREAD, "unknown", UNREAD)
    assert sample.picture.ignored.tolist() == [False, False, False, True]
    assert sample.picture.boxes[3].tolist() == [100, 0, 120, 40]
    assert skus_of([sample]) == ["red"]
    assert readable([sample])[0].labels == ("red", "unknown")
    assert len(readable([sample])[0].picture.boxes) == 2


def test_a_coco_file_is_read_as_well(tmp_path: Path) -> None:
    folder = labelled_folder(tmp_path / "a", 1, facings=2)
    coco = folder / "instances.json"
    coco.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "000.jpg"}],
                "annotations": [{"image_id": 1, "category_id": 7, "bbox": [2, 4, 16, 42]}],
                "categories": [{"id": 7, "name": "red"}],
            }
        )
    )

    (sample,) = read_material([coco]).samples

    assert sample.labels == ("red",)
    assert sample.picture.boxes.tolist() == [[2, 4, 18, 46]]


def test_pictures_of_several_folders_keep_apart_by_name(tmp_path: Path) -> None:
    one = labelled_folder(tmp_path / "one", 2)
    other = labelled_folder(tmp_path / "other", 2, first=1)

    material = read_material([one, other])

    names = ["000.jpg", "one/images/001.jpg", "other/images/001.jpg", "002.jpg"]
    assert [sample.name for sample in material.samples] == names
    assert [picture.name for picture in material.of(names[1:2])] == names[1:2]
    with pytest.raises(InputInvalid, match=r"Two pictures are called one/images/000.jpg"):
        read_material([one, one])


def test_corrections_of_two_folders_are_refused(tmp_path: Path) -> None:
    folder = labelled_folder(tmp_path / "a", 1)

    with pytest.raises(InputInvalid, match="one folder"):
        read_material([folder, folder], tmp_path / "corrections.json")


def test_a_folder_without_boxes_or_without_anything_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    labelled_folder(folder, 1)
    (folder / "ground_truth.json").write_text(json.dumps({"images": [{"file": "images/000.jpg", "class": "red"}]}))

    with pytest.raises(InputInvalid, match="no picture has true boxes"):
        read_samples(folder)
    with pytest.raises(NotFound, match="nowhere"):
        read_samples(tmp_path / "nowhere")


def test_a_drawn_split_repeats_and_keeps_five_at_least() -> None:
    names = [f"{number}.jpg" for number in range(100)]

    assert draw_kept_apart(names, 1) == draw_kept_apart(names[::-1], 1)
    assert draw_kept_apart(names, 1) != draw_kept_apart(names, 2)
    assert len(draw_kept_apart(names, 1)) == 15
    assert len(draw_kept_apart(names[:12], 1)) == 5


def test_a_split_file_decides_and_can_be_repeated(tmp_path: Path) -> None:
    material = read_material([labelled_folder(tmp_path / "a", 12)])
    drawn = choose_kept_apart(material, None, seed=4)
    write_split(tmp_path / "split.json", drawn)

    assert choose_kept_apart(material, tmp_path / "split.json", seed=5) == drawn

    write_split(tmp_path / "a" / "split.json", ["003.jpg"])
    assert choose_kept_apart(material, None, seed=5) == ["003.jpg"]
    with pytest.raises(InputInvalid, match=r"nobody\.jpg"):
        split(material.samples, ["nobody.jpg"])
    (tmp_path / "split.json").write_text("[]")
    with pytest.raises(InputInvalid, match=r"split\.json") as wrong:
        choose_kept_apart(material, tmp_path / "split.json", seed=5)
    assert "kept_apart" in wrong.value.cure


def _samples(folder: Path, pictures: int, **how: object) -> list[Sample]:
    return read_samples(labelled_folder(folder, pictures, **how))  # type: ignore[arg-type]  # passed on as given


@pytest.mark.parametrize(
    ("pictures", "how", "kept", "said"),
    [
        (9, {}, 5, "9 pictures with true boxes are too few"),
        (10, {"facings": 19}, 5, "190 true boxes are too few"),
        (10, {}, 0, "10 pictures to train on and 0 to compare on"),
        (10, {}, 10, "0 pictures to train on and 10 to compare on"),
        (10, {"skus": ("red",)}, 5, "fewer than two SKUs"),
    ],
)
def test_too_little_is_refused(tmp_path: Path, pictures: int, how: dict[str, object], kept: int, said: str) -> None:
    samples = _samples(tmp_path / "a", pictures, **how)

    with pytest.raises(InputInvalid, match=said) as refused:
        check_enough(samples[kept:], samples[:kept])

    assert refused.value.cure


def test_pictures_kept_apart_have_to_show_something_trained_on(tmp_path: Path) -> None:
    trained = _samples(tmp_path / "a", 8)
    kept = _samples(tmp_path / "b", 4, skus=("green", "white"), first=8)

    with pytest.raises(InputInvalid, match="No SKU of the pictures kept apart"):
        check_enough(trained, kept)


def test_enough_is_enough(tmp_path: Path) -> None:
    samples = _samples(tmp_path / "a", 10)

    check_enough(samples[5:], samples[:5])


def test_products_of_one_box_are_named(tmp_path: Path) -> None:
    samples = _samples(tmp_path / "a", 1, facings=3)

    assert scarce(samples) == ["blue"]


def test_products_left_out_are_painted_over_and_never_named(tmp_path: Path) -> None:
    samples = _samples(tmp_path / "a", 1, facings=4)

    (seen,) = without(samples, ["red"], seed=0)

    assert seen.picture.ignored.tolist() == [True, False, True, False]
    assert readable([seen])[0].labels == ("blue", "blue")
    left, top, right, bottom = seen.picture.boxes[0].astype(int)
    inside = seen.picture.image[top:bottom, left:right].reshape(-1, 3)
    assert abs(int(inside[:, 0].mean()) - int(inside[:, 2].mean())) < 20, "no red is left"


def test_without_references_products_are_cut_from_pictures_trained_on(tmp_path: Path) -> None:
    folder = labelled_folder(tmp_path / "a", 2)
    material = read_material([folder])

    blue, red = catalogue_of(material, material.samples[:1], seed=0)

    assert (blue.sku, red.sku) == ("blue", "red")
    assert [picture.shape for picture in blue.references] == [(42, 16, 3)] * 4
    assert blue.references[0][..., 2].mean() > 150 > blue.references[0][..., 0].mean()


def test_references_of_the_folder_come_first(tmp_path: Path) -> None:
    folder = labelled_folder(tmp_path / "a", 1)
    (folder / "references").mkdir()
    (folder / "references" / "red.jpg").write_bytes((folder / "images" / "000.jpg").read_bytes())

    material = read_material([folder])

    assert [product.sku for product in catalogue_of(material, material.samples, seed=0)] == ["red"]


def test_a_fingerprint_changes_with_every_part_of_the_truth(tmp_path: Path) -> None:
    samples = _samples(tmp_path / "a", 1, facings=2)
    same = read_samples(tmp_path / "a")
    moved = read_samples(tmp_path / "a")
    moved[0].picture.boxes[0, 0] += 1
    renamed = [Sample("other", samples[0].picture, samples[0].labels)]

    assert fingerprint_of(samples) == fingerprint_of(same)
    assert len({fingerprint_of(each) for each in (samples, moved, renamed)}) == 3


def test_drawn_coolers_repeat_and_say_how_far_they_are() -> None:
    told: list[int] = []

    once = rendered_samples(5, 2, 20, told=told.append)

    assert told == [1, 2]
    assert np.array_equal(once[1].picture.image, rendered_samples(5, 2, 20)[1].picture.image)
    assert len(once[0].labels) == len(once[0].picture.boxes) > 0
