"""Promises of the trained recogniser on rendered coolers; minimum figures leave room for networks trained anew."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from coldshelf.kit.errors import InputInvalid
from coldshelf.pictures.rendering import generate_designs, random_spec, reference_pictures, render_cooler
from coldshelf.recognition.networks.models import SETTINGS, SHIPPED, read_model
from coldshelf.recognition.recogniser import CatalogueProduct, Finder, Identifier, PlannedFacing, ProductId
from coldshelf.recognition.recognisers import by_name
from coldshelf.recognition.recognisers.neural import NeuralRecogniser
from tests.recognition.scenes import PRODUCTS, SKUS, best_at, found_share, overlap, right_share, three_shelves

DESIGNS = generate_designs(12, seed=5)
NEVER_SEEN = tuple(
    CatalogueProduct(
        ProductId(number), design.sku, design.name, is_foreign=False, references=reference_pictures(design)
    )
    for number, design in enumerate(DESIGNS, 1)
)
WITHOUT_PICTURES = [replace(product, references=()) for product in PRODUCTS]
PLAIN = 0.95


@pytest.fixture(scope="module")
def neural():
    return by_name("neural")


@pytest.fixture(scope="module")
def scene():
    return three_shelves()


@pytest.fixture(scope="module")
def result(neural, scene):
    return neural.recognise(scene.image, PRODUCTS)


def test_clean_scene_is_found_and_named(scene, result):
    assert found_share(scene, result) >= 0.85
    assert right_share(scene, result) >= 0.7
    assert len(result.facings) <= len(scene.facings) + 2
    assert len(result.shelves) == 3


def test_products_that_no_training_saw_are_named_from_their_references(neural):
    skus = {product.product_id: product.sku for product in NEVER_SEEN}
    found, right, wrong, true_count = 0, 0, 0, 0

    for number in range(3):
        cooler = render_cooler(random_spec(12, number, DESIGNS, size=(640, 640)))
        seen = neural.recognise(cooler.image, NEVER_SEEN)
        for true in cooler.facings:
            facing = best_at(true.corners, seen.facings)
            name = skus.get(facing.product_id) if facing is not None else None
            true_count += 1
            found += facing is not None
            right += name == true.sku
            wrong += name is not None and name != true.sku

    assert true_count == 85
    assert found / true_count >= 0.85
    assert right / true_count >= 0.7
    assert wrong / true_count <= 0.25


def test_product_without_reference_is_unknown_or_at_most_doubtfully_another(neural, scene):
    at_hidden = []
    for hidden in sorted({true.sku for true in scene.facings}):
        known = [replace(p, references=()) if p.sku == hidden else p for p in PRODUCTS]
        seen = neural.recognise(scene.image, known)
        facings = [best_at(true.corners, seen.facings) for true in scene.facings if true.sku == hidden]
        at_hidden += [facing for facing in facings if facing is not None]
        assert hidden not in {SKUS[f.product_id] for f in seen.facings if f.product_id is not None}
        assert hidden not in {SKUS[c.product_id] for f in seen.facings for c in f.alternatives}

    unknown = [facing for facing in at_hidden if facing.product_id is None]
    assert len(at_hidden) >= 8
    assert len(unknown) >= 0.4 * len(at_hidden)
    assert max((f.confidence for f in at_hidden if f.product_id is not None), default=0.0) < PLAIN


@pytest.mark.parametrize("catalogue", [[], WITHOUT_PICTURES], ids=["empty", "no pictures"])
def test_without_references_all_that_stands_there_is_unknown(neural, scene, catalogue):
    seen = neural.recognise(scene.image, catalogue)

    assert found_share(scene, seen) >= 0.5
    assert {f.product_id for f in seen.facings} == {None}
    assert {f.confidence for f in seen.facings} == {1.0}
    assert {f.seen_confidence for f in seen.facings} == {1.0}
    assert {f.alternatives for f in seen.facings} == {()}


def test_both_scores_are_told_for_every_facing(neural, result):
    sure = read_model(SHIPPED).sure

    assert all(sure <= facing.found_score <= 1 for facing in result.facings)
    assert all(0 <= facing.seen_confidence <= 1 for facing in result.facings)
    assert len({facing.found_score for facing in result.facings}) > 1
    assert any(facing.seen_confidence != facing.confidence for facing in result.facings)


def test_confidence_is_that_of_the_name_or_of_none(result):
    for facing in result.facings:
        rest = 1 - sum(candidate.score for candidate in facing.alternatives)
        if facing.product_id is None:
            assert facing.alternatives[0].score <= facing.confidence <= rest + 1e-5
        else:
            assert facing.confidence == facing.alternatives[0].score


def test_plan_never_overrides_what_is_plainly_seen(neural, scene, result):
    plainly = [f for f in result.facings if f.product_id is not None and f.confidence >= PLAIN]
    assert len(plainly) >= 3

    for wrong in ("NP-1301", "NP-1001"):
        product = next(p.product_id for p in PRODUCTS if p.sku == wrong)
        everywhere = [PlannedFacing(shelf, position, product) for shelf in (1, 2, 3) for position in range(1, 7)]
        seen = {f.corners: f for f in neural.recognise(scene.image, PRODUCTS, everywhere).facings}
        assert [seen[f.corners].product_id for f in plainly] == [f.product_id for f in plainly]
        assert [seen[f.corners].seen_confidence for f in plainly] == [f.seen_confidence for f in plainly]


def test_right_plan_helps_and_takes_nothing_away(neural, scene, result):
    number = {sku: product_id for product_id, sku in SKUS.items()}
    planned = [PlannedFacing(true.shelf, true.position, number[true.sku]) for true in scene.facings]

    seen = neural.recognise(scene.image, PRODUCTS, planned)

    assert right_share(scene, seen) >= max(right_share(scene, result), 0.75)
    assert {f.corners for f in seen.facings} == {f.corners for f in result.facings}


def test_another_process_would_say_the_same(scene, result):
    assert NeuralRecogniser().recognise(scene.image, PRODUCTS) == result


def test_catalogue_asked_for_before_leaves_no_trace(neural, scene, result):
    neural.recognise(scene.image, NEVER_SEEN)

    assert neural.recognise(scene.image, PRODUCTS) == result


def test_found_boxes_hold_those_of_the_result_best_first(neural, scene, result):
    assert isinstance(neural, Finder)

    found = neural.find(scene.image, PRODUCTS)

    scores = [box.score for box in found]
    assert scores == sorted(scores, reverse=True)
    told = {(f.corners[0], f.corners[2], f.found_score) for f in result.facings}
    assert told <= {(box.box[:2], box.box[2:], box.score) for box in found}


def test_given_boxes_are_named_with_scores_that_leave_a_rest(neural, scene):
    assert isinstance(neural, Identifier)

    named = neural.identify(scene.image, [true.box for true in scene.facings], PRODUCTS)

    right = [
        bool(best) and SKUS[best[0].product_id] == true.sku for best, true in zip(named, scene.facings, strict=True)
    ]
    assert np.mean(right) >= 0.75
    assert all(len(best) == 5 for best in named)
    assert all(sum(candidate.score for candidate in best) <= 1 + 1e-5 for best in named)
    assert neural.identify(scene.image, [], PRODUCTS) == []


def test_facings_do_not_cover_each_other(result):
    boxes = [(*f.corners[0], *f.corners[2]) for f in result.facings]

    assert max(overlap(one, other) for n, one in enumerate(boxes) for other in boxes[:n]) < 0.5


def test_folder_of_own_models_is_used_with_its_own_version(tmp_path, scene, result):
    folder = tmp_path / "own"
    shutil.copytree(SHIPPED, folder)
    settings = json.loads((folder / SETTINGS).read_text())
    (folder / SETTINGS).write_text(json.dumps(settings | {"version": "own-7"}))

    own = by_name(f"neural:{folder}")

    assert (own.name, own.version) == ("neural", "own-7")
    assert by_name(f"neural:{folder}") is own
    assert own.recognise(scene.image, PRODUCTS) == result
    (folder / SETTINGS).write_text(json.dumps(settings | {"sure": 1.01}))
    assert NeuralRecogniser(folder).recognise(scene.image, PRODUCTS).facings == ()


def test_folder_without_models_is_an_error_that_names_it(tmp_path, scene):
    nowhere = by_name(f"neural:{tmp_path}")

    with pytest.raises(InputInvalid) as caught:
        nowhere.recognise(scene.image, PRODUCTS)

    assert str(tmp_path) in caught.value.message
