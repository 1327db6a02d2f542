"""Promises of model folders: what is wrong in one is said with its name and a cure."""

import json

import pytest

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.context import Weights
from coldshelf.recognition.networks.detector import FacingDetector
from coldshelf.recognition.networks.embedding import CropEmbedder
from coldshelf.recognition.networks.models import (
    DETECTOR,
    EMBEDDING,
    SETTINGS,
    SHIPPED,
    Model,
    fingerprint,
    read_model,
)

WEIGHTS = {"temperature": 0.1, "unknown": 0.5, "agreement": 0.6, "alike": 0.7, "beside": 1.0, "planned": 1.5}
GOOD = {"version": "3", "sure": 0.4, "weights": WEIGHTS}


def test_what_is_written_is_read_again(tmp_path):
    model = Model(tmp_path, "2026-11 a", 0.37, Weights(0.08, 0.55, 0.7, 0.6, 1.0, 1.5))

    model.write()

    assert read_model(tmp_path) == model


def test_shipped_model_is_complete():
    model = read_model(SHIPPED)

    assert model.version
    assert 0.05 <= model.sure < 1
    assert model.weights.temperature > 0
    assert (SHIPPED / DETECTOR).is_file()
    assert (SHIPPED / EMBEDDING).is_file()


def test_missing_folder_is_named_with_a_cure(tmp_path):
    with pytest.raises(InputInvalid) as caught:
        read_model(tmp_path / "nowhere")

    assert str(tmp_path / "nowhere") in caught.value.message
    assert "coldshelf train" in caught.value.cure


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        json.dumps({"version": "3", "sure": 0.4}),
        json.dumps(GOOD | {"sure": "very"}),
        json.dumps(GOOD | {"weights": [1, 2]}),
        json.dumps(GOOD | {"weights": {"temperature": 0.1}}),
        json.dumps(GOOD | {"weights": WEIGHTS | {"magic": 1}}),
        json.dumps(GOOD | {"weights": WEIGHTS | {"alike": "somewhat"}}),
    ],
    ids=[
        "empty",
        "broken",
        "list",
        "null",
        "text",
        "no weights",
        "word for a number",
        "weights in a list",
        "weight missing",
        "weight too many",
        "word for a weight",
    ],
)
def test_broken_settings_are_an_error_that_names_the_folder(tmp_path, content):
    (tmp_path / SETTINGS).write_text(content)

    with pytest.raises(InputInvalid) as caught:
        read_model(tmp_path)

    assert str(tmp_path) in caught.value.message
    assert "coldshelf train" in caught.value.cure


def test_complete_settings_are_read(tmp_path):
    (tmp_path / SETTINGS).write_text(json.dumps(GOOD))

    assert read_model(tmp_path) == Model(tmp_path, "3", 0.4, Weights(**WEIGHTS))


@pytest.mark.parametrize("network", [FacingDetector, CropEmbedder])
@pytest.mark.parametrize(
    "content",
    [None, b"", b"not a network", (SHIPPED / EMBEDDING).read_bytes()[:20_000]],
    ids=["missing", "empty", "other", "cut short"],
)
def test_missing_or_broken_network_is_an_error_that_names_the_file(tmp_path, network, content):
    file = tmp_path / "some.onnx"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InputInvalid) as caught:
        network(file)

    assert str(file) in caught.value.message
    assert "coldshelf train" in caught.value.cure


def test_fingerprint_changes_with_each_network(tmp_path):
    (tmp_path / DETECTOR).write_bytes(b"one")
    (tmp_path / EMBEDDING).write_bytes(b"two")
    before = fingerprint(tmp_path)

    (tmp_path / EMBEDDING).write_bytes(b"three")
    after = fingerprint(tmp_path)

    assert len(before) == len(after) == 8
    assert before != after
