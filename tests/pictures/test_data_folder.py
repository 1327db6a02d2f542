"""Promises of the data folder that is drawn: the samples' form, the same bytes again, plans that differ as told."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coldshelf.kit.errors import InputInvalid
from coldshelf.pictures.rendering import FolderSpec, generate_designs, two_camera_scene, write_folder

SMALL = FolderSpec(count=3, seed=4, size=(240, 320), products=24, references=2)
KINDS = {"position", "missing_facing", "wrong_sku", "extra"}


def read(path: Path):
    return json.loads(path.read_text())


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("drawn")
    write_folder(out, SMALL)
    return out


def test_truth_has_the_samples_form_and_what_we_know_besides(folder: Path):
    truth = read(folder / "ground_truth.json")

    assert {"dataset", "licence", "note", "images"} <= truth.keys()
    assert len(truth["images"]) == 3
    for entry in truth["images"]:
        assert size_of(folder / entry["file"]) == (entry["width"], entry["height"]) == (240, 320)
        assert sum(entry["facings_by_sku"].values()) == sum(map(len, entry["realogram_auto"]))
        assert sum(entry["share_of_shelf_by_brand_count"].values()) == pytest.approx(1, abs=0.01)
        shelves = {shelf["number"] for shelf in entry["shelves"]}
        assert len(entry["realogram_auto"]) == len(shelves)
        for each in entry["objects"]:
            x0, y0, x1, y1 = each["bbox"]
            assert 0 <= x0 < x1 <= 240
            assert 0 <= y0 < y1 <= 320
            assert each["shelf"] in shelves
            assert each["fill_level"] in {25, 50, 75, 100}
            if each["stack_index"] == 0:
                assert entry["realogram_auto"][each["row_auto"]][each["pos_auto"]] == each["sku"]


def test_all_products_but_the_unknown_have_references_and_the_unknown_stand_in_coolers(folder: Path, tmp_path: Path):
    references = read(folder / "references.json")["references"]
    counts = Counter(each["sku"] for each in references)

    assert len(counts) == 22
    assert set(counts.values()) == {2}
    for each in references:
        assert size_of(folder / each["file"]) == (each["width"], each["height"])
        assert each["file"].startswith(f"references/{each['sku']}/ref_")

    write_folder(tmp_path / "all", FolderSpec(count=8, seed=1, size=(120, 160), products=6, unknown=2, references=1))
    known = {each["sku"] for each in read(tmp_path / "all" / "references.json")["references"]}
    seen = {
        each["sku"] for entry in read(tmp_path / "all" / "ground_truth.json")["images"] for each in entry["objects"]
    }
    assert len(seen - known) == 2


def test_plans_differ_from_their_picture_exactly_as_told(folder: Path):
    rows = {entry["file"]: entry["realogram_auto"] for entry in read(folder / "ground_truth.json")["images"]}
    cases = read(folder / "planogram_cases.json")["cases"]

    assert len({case["case"] for case in cases}) >= 6
    for case in cases:
        seen, plan = rows[case["image"]], case["planogram_rows"]
        deviations = case["deviations_of_the_picture_from_the_plan"]
        assert {each["kind"] for each in deviations} <= KINDS
        assert undone(plan, deviations) == seen, case["case"]
        assert (seen == plan) == (case["case"] == "same")


def undone(plan, deviations):
    """Change a plan as the deviations say."""
    rows = [list(row) for row in plan]
    for each in deviations:
        row = rows[each["row"]]
        if each["kind"] == "position":
            one, other = each["positions"]
            row[one], row[other] = row[other], row[one]
        elif each["kind"] == "wrong_sku":
            assert row[each["position"]] == each["planned"]
            row[each["position"]] = each["seen"]
        elif each["kind"] == "extra":
            row.insert(each["position"], each["sku"])
        else:
            assert row.count(each["sku"]) == each["planned"] == each["seen"] + 1
            assert row.pop(each["position"]) == each["sku"]
    return rows


def test_same_seed_writes_the_same_bytes_and_another_seed_others(folder: Path, tmp_path: Path):
    write_folder(tmp_path / "again", SMALL)
    write_folder(tmp_path / "other", FolderSpec(count=1, seed=5, size=(240, 320), products=24, references=2))

    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert len(files) == 3 + 44 + 3
    assert files == sorted(path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*.*"))
    for name in files:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    first = "images/cooler_0000.jpg"
    assert (folder / first).read_bytes() != (tmp_path / "other" / first).read_bytes()


def test_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(InputInvalid, match="not empty"):
        write_folder(tmp_path, SMALL)

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_two_cameras_see_the_same_facings_where_their_homographies_say():
    scene = two_camera_scene(2, 0, generate_designs(24), size=(240, 320))
    whole = {each.number: each for each in scene.whole.facings}
    cam1, cam2 = ({each.number: each for each in camera.facings} for camera in (scene.cam1, scene.cam2))

    assert scene.cam1.image.shape == scene.cam2.image.shape == (320, 240, 3)
    assert cam1.keys() & cam2.keys()
    assert cam1.keys() - cam2.keys()
    assert cam2.keys() - cam1.keys()
    for camera, bend in ((cam1, scene.cam1_to_whole), (cam2, scene.cam2_to_whole)):
        for number, seen in camera.items():
            assert whole[number].sku == seen.sku
            there = np.array([seen.box[0], seen.box[3], 1.0]) @ bend.T
            expected = whole[number].box
            wide = expected[2] - expected[0]
            assert abs(there[0] / there[2] - expected[0]) < 0.6 * wide  # what stands back moves against the front
            assert abs(there[1] / there[2] - expected[3]) < 0.6 * wide


def test_two_camera_folder_holds_both_views_the_whole_and_the_way_between(tmp_path: Path):
    write_folder(tmp_path / "out", FolderSpec(count=1, size=(240, 320), products=12, references=1, two_cameras=True))

    views = {entry["view"]: entry for entry in read(tmp_path / "out" / "ground_truth.json")["images"]}
    assert views.keys() == {"cam1", "cam2", "whole"}
    assert views["whole"]["width"] == 384
    for name in ("cam1", "cam2"):
        between = np.array(views["whole"]["front_to_picture"]) @ np.linalg.inv(views[name]["front_to_picture"])
        assert np.allclose(between / between[2, 2], views[name]["to_whole"], rtol=1e-4, atol=1e-3)
