"""Where truth comes from: folders, corrections, COCO files, and what is said when they are wrong."""

import json
from pathlib import Path

import pytest

from coldshelf.entrypoints.evaluation.run import Request, evaluate, read_truth
from coldshelf.kit.errors import ColdshelfError, InputInvalid, NotFound
from coldshelf.recognition.evaluation.references import read_references
from coldshelf.recognition.evaluation.truth import Deviation, DeviationKind, TrueBox, TruePicture
from coldshelf.recognition.formats.references import load_catalogue
from tests.recognition.evaluation.told import Json, PlainRecogniser, Said, column, true, write_folder


def one_picture(folder: Path, *skus: str | None) -> Path:
    return write_folder(folder, {"objects": [true(column(n), sku, (0, n), "B") for n, sku in enumerate(skus)]})


def corrected(folder: Path, corrections: Json) -> TruePicture:
    path = folder / "corrections.json"
    path.write_text(json.dumps(corrections))
    return read_truth(Request(folder, corrections=path)).pictures[0]


def refusal(request: Request) -> ColdshelfError:
    with pytest.raises((InputInvalid, NotFound)) as caught:
        evaluate(request, PlainRecogniser())
    assert caught.value.cure
    return caught.value


def test_a_folder_gives_boxes_with_products_brands_and_places(tmp_path: Path):
    folder = one_picture(tmp_path / "one", "cola", None)

    picture = read_truth(Request(folder)).pictures[0]

    assert picture.boxes == (TrueBox(column(0), "cola", "B", (0, 0)), TrueBox(column(1), None, "B", (0, 1)))
    assert picture.size == (200, 100)


def test_every_other_picture_is_taken(tmp_path: Path):
    folder = write_folder(tmp_path / "five", *[{"objects": []} for _ in range(5)])

    taken = read_truth(Request(folder, every=2)).pictures

    assert [picture.name for picture in taken] == ["images/0.jpg", "images/2.jpg", "images/4.jpg"]


def test_planted_deviations_count_from_one(tmp_path: Path):
    folder = one_picture(tmp_path / "one", "cola")
    planted = [
        {"kind": "position", "row": 1, "positions": [1, 2], "skus": ["a", "b"]},
        {"kind": "missing_facing", "row": 3, "sku": "a", "planned": 2, "seen": 1},
        {"kind": "wrong_sku", "row": 0, "position": 6, "planned": "a", "seen": "b"},
        {"kind": "extra", "row": 1, "position": 0, "sku": "a"},
    ]
    case = {"image": "images/0.jpg", "case": "x", "planogram_rows": [["a"], ["b", "a"]]}
    case["deviations_of_the_picture_from_the_plan"] = planted
    (folder / "planogram_cases.json").write_text(json.dumps({"cases": [case]}))

    (read,) = read_truth(Request(folder)).pictures[0].cases

    assert read.rows == (("a",), ("b", "a"))
    assert read.deviations == (
        Deviation(DeviationKind.POSITION, 2, (2, 3), ("a", "b")),
        Deviation(DeviationKind.MISSING_FACING, 4, (), ("a",)),
        Deviation(DeviationKind.WRONG_SKU, 1, (7,), ("a", "b")),
        Deviation(DeviationKind.EXTRA, 2, (1,), ("a",)),
    )


def test_corrections_add_change_and_remove_by_the_numbers_of_the_source(tmp_path: Path):
    folder = one_picture(tmp_path / "one", "cola", "tea", "tea")

    picture = corrected(
        folder,
        {
            "0.jpg": {
                "added": [{"bbox": column(5), "sku": "tea", "brand": None}, {"bbox": column(6), "sku": None}],
                "changed": [{"index": 2, "bbox": column(7), "sku": None, "why": "cannot be read"}],
                "removed": [{"index": 0, "why": "stands behind"}],
                "doubtful": [{"bbox": column(9), "why": "glare"}],
            }
        },
    )

    assert picture.boxes == (
        TrueBox(column(1), "tea", "B", (0, 1)),
        TrueBox(column(7), None, None, (0, 2)),
        TrueBox(column(5), "tea", "B", is_added=True),
        TrueBox(column(6), None, is_added=True),
    )
    assert picture.ignored == (column(9),)


def test_a_corrected_product_takes_the_brand_that_the_source_gives_it(tmp_path: Path):
    objects = [true(column(0), "cola", brand="C"), true(column(1), "tea", brand="T")]
    folder = write_folder(tmp_path / "one", {"objects": objects})

    picture = corrected(folder, {"0.jpg": {"changed": [{"index": 0, "sku": "tea"}]}})

    assert picture.boxes is not None
    assert picture.boxes[0] == TrueBox(column(0), "tea", "T")


def test_boxes_in_doubtful_regions_are_neither_right_nor_wrong(tmp_path: Path):
    folder = one_picture(tmp_path / "one", "cola")
    path = folder / "corrections.json"
    path.write_text(json.dumps({"0.jpg": {"doubtful": [{"bbox": column(3)}]}}))
    told = PlainRecogniser([Said(column(0), "cola"), Said(column(3), "tea")])

    _, source = evaluate(Request(folder), told)
    _, completed = evaluate(Request(folder, corrections=path), told)

    assert (source["detection"]["precision"], source["labels"]) == (0.5, "source")
    assert completed["detection"]["precision"] == completed["end_to_end"]["precision"] == 1.0
    assert completed["labels"] == "source, corrected by corrections.json"


def test_products_that_corrections_added_are_not_held_against_a_plan_made_before(tmp_path: Path):
    folder = one_picture(tmp_path / "one", "cola")
    plan = {"image": "images/0.jpg", "case": "same", "planogram_rows": [["cola"]]}
    plan["deviations_of_the_picture_from_the_plan"] = []
    (folder / "planogram_cases.json").write_text(json.dumps({"cases": [plan]}))
    path = folder / "corrections.json"
    path.write_text(json.dumps({"0.jpg": {"added": [{"bbox": column(1), "sku": "tea"}]}}))
    added, false = (Said(column(n), "tea", position=n + 1) for n in (1, 5))
    told = PlainRecogniser([Said(column(0), "cola"), added, false])

    source, completed = (
        evaluate(Request(folder, corrections=corrections), told)[1]["planogram"]["by_kind"]["extra"]
        for corrections in (None, path)
    )

    assert source == {"found": 0, "missed": 0, "wrongly_found": 2}
    assert completed == {"found": 0, "missed": 0, "wrongly_found": 1}


def test_corrections_of_what_is_not_there_are_refused(tmp_path: Path):
    folder = one_picture(tmp_path / "one", "cola")

    with pytest.raises(InputInvalid, match=r"0.jpg has no object 1"):
        corrected(folder, {"0.jpg": {"removed": [{"index": 1}]}})
    with pytest.raises(InputInvalid, match=r"'9.jpg' is no picture"):
        corrected(folder, {"9.jpg": {}})
    with pytest.raises(InputInvalid, match=r"0.jpg.dropped: Extra inputs"):
        corrected(folder, {"0.jpg": {"dropped": []}})


def coco_file(folder: Path) -> Path:
    one_picture(folder, "cola")
    document = {
        "images": [{"id": 7, "file_name": "0.jpg", "width": 200, "height": 100}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [20, 0, 20, 40]},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [100, 0, 50, 40], "iscrowd": 1},
        ],
        "categories": [{"id": 3, "name": "tea", "supercategory": "T"}],
    }
    (folder / "annotations").mkdir()
    path = folder / "annotations" / "instances_val.json"
    path.write_text(json.dumps(document))
    return path


def test_a_coco_file_gives_boxes_and_ignored_regions(tmp_path: Path):
    path = coco_file(tmp_path / "coco")

    truth = read_truth(Request(path))

    assert truth.pictures[0].boxes == (TrueBox((20, 0, 40, 40), "tea", "T"),)
    assert truth.pictures[0].ignored == ((100, 0, 150, 40),)
    assert truth.folder == tmp_path / "coco"
    assert truth.brands == {"tea": "T"}


def test_a_folder_without_own_truth_is_read_by_its_coco_file(tmp_path: Path):
    path = coco_file(tmp_path / "coco")
    (tmp_path / "coco" / "ground_truth.json").unlink()

    _, found = evaluate(Request(tmp_path / "coco"), PlainRecogniser([Said(column(1), "tea")]))

    assert found["labels"] == f"source ({path.name})"
    assert found["end_to_end"]["f1"] == 1.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": []}, "images: List should have at least 1 item"),
        ({"annotations": [{"image_id": 8, "category_id": 3, "bbox": [0, 0, 1, 1]}]}, "annotations.0 names no image"),
        ({"annotations": [{"image_id": 7, "category_id": 3, "bbox": [0, 0, 0, 1]}]}, "annotations.0.bbox.2"),
        ({"images": [{"id": 7, "file_name": "gone.jpg"}], "annotations": []}, "gone.jpg is not there"),
    ],
)
def test_a_wrong_coco_file_is_refused_with_the_place(tmp_path: Path, change: Json, said: str):
    path = coco_file(tmp_path / "coco")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    assert said in refusal(Request(path)).message


def test_wrong_truth_is_refused_with_file_and_place(tmp_path: Path):
    folder = write_folder(tmp_path / "one", {"objects": [true((30, 0, 20, 40), "cola")]})

    said = refusal(Request(folder)).message

    assert "ground_truth.json: images.0.objects.0.bbox" in said
    assert "left < right" in said


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "ground_truth.json").unlink(), "ground_truth.json is not there"),
        (lambda folder: (folder / "ground_truth.json").write_text("{"), "ground_truth.json: Invalid JSON"),
        (lambda folder: (folder / "images/0.jpg").unlink(), "0.jpg is not there, though ground_truth.json names it"),
        (lambda folder: (folder / "images/0.jpg").write_bytes(b"no picture"), "0.jpg: "),
        (lambda folder: (folder / "references.json").write_text('{"references": []}'), "references.json names no"),
        (
            lambda folder: (folder / "references.json").write_text('{"references": [{"sku": "a", "file": "a.png"}]}'),
            "references.0: a.png is not there",
        ),
        (lambda folder: (folder / "planogram_cases.json").write_text('{"cases": [{}]}'), "cases.0.image"),
    ],
)
def test_a_spoilt_folder_is_refused_with_what_and_where(tmp_path: Path, spoil, said: str):
    folder = one_picture(tmp_path / "one", "cola")
    spoil(folder)

    assert said in refusal(Request(folder)).message


def test_what_is_not_there_is_refused(tmp_path: Path):
    folder = one_picture(tmp_path / "one", "cola")
    bare = write_folder(tmp_path / "bare", {"objects": []}, references=())

    assert "nowhere is not there" in refusal(Request(tmp_path / "nowhere")).message
    assert "'water' has no references" in refusal(Request(folder, leave_out=("water",))).message
    assert "no references to leave out" in refusal(Request(bare, leave_out=("tea",))).message
    assert "nowhere is no folder" in refusal(Request(folder, references_from=tmp_path / "nowhere")).message


def test_references_come_as_a_list_as_folders_or_as_one_picture_each(tmp_path: Path):
    folder = one_picture(tmp_path / "one", "cola")
    listed = [{"sku": "tea", "brand": "T", "file": "references/tea/ref_0.jpg"}] * 2
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "water.jpg").write_bytes((folder / "images/0.jpg").read_bytes())
    (flat / "notes.txt").write_text("no picture")

    assert list(read_references(folder).files) == ["cola", "cola-chai", "tea"]
    assert list(read_references(flat).files) == ["water"]
    (folder / "references.json").write_text(json.dumps({"references": listed}))
    by_list = read_references(folder)
    assert (by_list.most, by_list.brands) == (2, {"tea": "T"})


def test_products_keep_their_numbers_when_others_are_left_out(tmp_path: Path):
    references = read_references(one_picture(tmp_path / "one", "cola"))

    whole = {product.sku: product.product_id for product in load_catalogue(references)}
    part = {product.sku: product.product_id for product in load_catalogue(references, without={"cola-chai"})}

    assert part == {sku: number for sku, number in whole.items() if sku != "cola-chai"}
