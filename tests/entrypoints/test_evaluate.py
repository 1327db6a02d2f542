"""`evaluate` and `recognise` of several pictures, run as a person runs them."""

import json
from pathlib import Path

import pytest
from tests.support.command import coldshelf

from coldshelf.pictures.rendering import CATALOGUE, SceneSpec, encode_jpeg, reference_pictures, render_scene
from coldshelf.recognition.evaluation.pairing import box_of

DESIGNS = [design for design in CATALOGUE if design.packaging == CATALOGUE[0].packaging][:4]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn coolers with truth, and references of what stands in them."""
    folder = tmp_path_factory.mktemp("drawn")
    for design in DESIGNS:
        (folder / "references" / design.sku).mkdir(parents=True)
        for number, picture in enumerate(reference_pictures(design)):
            (folder / "references" / design.sku / f"{number}.jpg").write_bytes(encode_jpeg(picture))
    (folder / "images").mkdir()
    row = tuple(design.sku for design in DESIGNS)
    images = []
    for seed in (3, 4):
        scene = render_scene(SceneSpec(rows=(row * 2, row[::-1] * 2, row * 2), size=(640, 800), seed=seed))
        (folder / f"images/{seed}.jpg").write_bytes(encode_jpeg(scene.image))
        objects = [
            {
                "bbox": box_of(facing.corners),
                "sku": facing.sku,
                "brand": facing.sku[:4],
                "row_auto": facing.shelf,
                "pos_auto": facing.position,
            }
            for facing in scene.facings
        ]
        images.append({"file": f"images/{seed}.jpg", "objects": objects})
    (folder / "ground_truth.json").write_text(json.dumps({"images": images}))
    return folder


def test_evaluate_prints_the_promised_figures_and_writes_pictures_page_and_coco(drawn: Path, tmp_path: Path) -> None:
    done = coldshelf(
        "evaluate",
        str(drawn),
        *("--recogniser", "colour", "--json", "--references", "2", "--out", str(tmp_path / "out")),
        *("--coco", str(tmp_path / "seen.json")),
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found)[:10] == [
        "pictures",
        "detection",
        "identification",
        "end_to_end",
        "unknown",
        "rows",
        "share_of_shelf",
        "planogram",
        "seconds_per_picture",
        "peak_rss_mb",
    ]
    assert (found["pictures"], found["planogram"], found["unknown"]) == (2, None, None)
    assert list(found["detection"])[:3] == ["precision", "recall", "ap50"]
    assert list(found["identification"])[:3] == ["references", "top1", "top5"]
    assert found["detection"]["recall"] > 0.8
    assert found["end_to_end"]["f1"] > 0.6
    assert found["identification"]["references"] == 2
    assert found["seconds_per_picture"] > 0
    assert found["peak_rss_mb"] > 20
    assert len(list((tmp_path / "out/pictures").iterdir())) == 2
    assert (tmp_path / "out/report.html").stat().st_size > 20_000
    assert len(json.loads((tmp_path / "seen.json").read_text())["images"]) == 2


def test_evaluate_shows_a_table(drawn: Path) -> None:
    done = coldshelf("evaluate", str(drawn), "--recogniser", "colour", "--every", "2", "--only", "identification")

    assert done.returncode == 0
    assert "identification" in done.stdout
    assert "top1" in done.stdout
    assert "detection" not in done.stdout


def test_evaluate_of_a_wrong_folder_ends_with_a_clear_error(tmp_path: Path) -> None:
    done = coldshelf("evaluate", str(tmp_path), "--recogniser", "colour")

    assert done.returncode == 1
    assert "ground_truth.jsonisnotthere" in "".join(done.stderr.split())  # the console wraps, inside a path too
    assert "docs/evaluation.md" in done.stderr
    assert "Traceback" not in done.stderr


def test_draws_without_a_number_of_references_are_refused(drawn: Path) -> None:
    done = coldshelf("evaluate", str(drawn), "--draws", "2")

    assert done.returncode == 1
    assert "--references" in done.stderr


def test_recognise_answers_for_several_pictures_at_once(drawn: Path, tmp_path: Path) -> None:
    pictures = [str(path) for path in sorted((drawn / "images").iterdir())]

    done = coldshelf(
        "recognise",
        *pictures,
        *("--references", str(drawn / "references"), "--recogniser", "colour", "--json"),
        *("--annotate", str(tmp_path / "drawn"), "--coco", str(tmp_path / "seen.json")),
    )

    assert done.returncode == 0, done.stderr
    assert [len(document["shelf"]) for document in json.loads(done.stdout)] == [3, 3]
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["3.jpg", "4.jpg"]
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert [image["file_name"] for image in seen["images"]] == pictures
    assert len(json.loads((tmp_path / "seen_results.json").read_text())) == len(seen["annotations"]) > 30


def _recognised_skus(document: dict[str, list[dict[str, list[dict[str, list[str]]]]]]) -> list[list[str]]:
    return [[product["sku"][0] for product in shelf["products"]] for shelf in document["shelf"]]


def test_recognise_holds_a_picture_against_a_planogram(drawn: Path, tmp_path: Path) -> None:
    plain = ("recognise", str(drawn / "images/3.jpg"), "--references", str(drawn / "references"))
    seen = coldshelf(*plain, "--recogniser", "colour", "--json")
    plan = _recognised_skus(json.loads(seen.stdout))
    plan[0][0], plan[0][1] = plan[0][1], plan[0][0]
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    outs = ("--compliance", str(tmp_path / "compared.json"), "--azure", str(tmp_path / "azure.json"))

    done = coldshelf(*plain, "--recogniser", "colour", "--planogram", str(tmp_path / "plan.json"), *outs)

    assert done.returncode == 0, done.stderr
    compared = json.loads((tmp_path / "compared.json").read_text())
    facings = sum(map(len, plan))
    assert compared["PlanogramFacings"] == facings
    assert compared["Counts"]["matched"] == facings - 2
    assert {place["Status"] for place in compared["Positions"][:2]} <= {"moved", "wrong_product"}
    azure = json.loads((tmp_path / "azure.json").read_text())
    assert [entry["positionId"] for entry in azure["matchedResultsPerPosition"][:2]] == ["1-1", "1-2"]
    assert len(azure["matchedResultsPerPosition"]) == facings


def test_recognise_compares_with_nothing_but_a_planogram(drawn: Path, tmp_path: Path) -> None:
    plain = ("recognise", str(drawn / "images/3.jpg"), "--references", str(drawn / "references"))

    done = coldshelf(*plain, "--compliance", str(tmp_path / "compared.json"))

    assert done.returncode == 1
    assert "--planogram" in done.stderr
    assert not (tmp_path / "compared.json").exists()


def test_recognise_says_which_picture_cannot_be_read(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")

    broken = coldshelf("recognise", str(tmp_path / "broken.jpg"), "--references", str(drawn / "references"))
    absent = coldshelf("recognise", str(tmp_path / "absent.jpg"), "--references", str(drawn / "references"))
    nothing = coldshelf("recognise", str(drawn / "images/3.jpg"), "--references", str(tmp_path / "nowhere"))

    assert [done.returncode for done in (broken, absent, nothing)] == [1, 1, 1]
    assert "broken.jpg" in "".join(broken.stderr.split())
    assert "absent.jpg" in "".join(absent.stderr.split())
    assert "nowhere" in "".join(nothing.stderr.split())
