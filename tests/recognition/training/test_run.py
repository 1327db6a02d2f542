"""A whole training in a few steps, from a drawn folder to a model that is taken or not."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.networks.models import DETECTOR, EMBEDDING, SETTINGS, SHIPPED, fingerprint, read_model
from coldshelf.recognition.recognisers import by_name
from coldshelf.recognition.training.options import Network, Options
from coldshelf.recognition.training.stopping import Stopped
from tests.recognition.training.folders import drawn_folder

torch = pytest.importorskip("torch", reason="torch is not installed: make train-tools")
pytest.importorskip("onnx", reason="onnx is not installed: make train-tools")

from coldshelf.recognition.training.export import export_embedding  # noqa: E402  # torch comes first
from coldshelf.recognition.training.nets import Embedding  # noqa: E402
from coldshelf.recognition.training.recipes import differences  # noqa: E402
from coldshelf.recognition.training.run import Outcome, train  # noqa: E402

QUICK = Options(detector_steps=1, embedding_steps=2, rendered=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_folder(tmp_path_factory.mktemp("drawn") / "coolers")


class Told:
    """Notes what a training said; stops it after so many reports."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stages: list[str] = []
        self._stop_after = stop_after

    def __call__(self, stage: str, done: int, total: int, loss: float | None) -> None:
        assert 0 < done <= total
        self.stages.append(stage)

    def stop(self) -> bool:
        return self._stop_after is not None and len(self.stages) >= self._stop_after


def run(folder: Path, out: Path, options: Options, told: Told | None = None) -> Outcome:
    told = told or Told()
    return train([folder], out, options, told, told.stop)


def test_a_model_that_is_no_better_stays_a_candidate_until_it_is_taken_anyway(folder: Path, tmp_path: Path) -> None:
    told = Told()

    refused = run(folder, tmp_path / "out", QUICK, told)

    assert not refused.taken
    assert refused.folder == tmp_path / "out" / "candidate"
    assert not (tmp_path / "out" / "model").exists()
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert (found["better"], found["taken"]) == (False, False)
    assert found["new"]["pictures"] == found["in_use"]["pictures"] == found["kept_apart"] == 5
    assert not found["new"]["end_to_end"]["f1"], "nothing is learnt in a step"
    assert found["in_use"]["end_to_end"]["f1"] > 0.3
    assert len(json.loads((tmp_path / "out" / "split.json").read_text())["kept_apart"]) == 5
    assert told.stages.count("Drawing coolers") == 2
    assert told.stages.count("Training the detector") == 1
    assert told.stages.count("Training the embedding") == 2
    before = fingerprint(refused.folder)

    taken = run(folder, tmp_path / "out", replace(QUICK, take_anyway=True), told)

    assert taken.taken
    assert taken.folder == tmp_path / "out" / "model"
    assert not (tmp_path / "out" / "candidate").exists()
    assert told.stages.count("Training the embedding") == 2, "nothing was trained twice"
    assert fingerprint(taken.folder) == before
    assert sorted(path.name for path in taken.folder.iterdir()) == sorted(
        [DETECTOR, EMBEDDING, SETTINGS, "MODEL_CARD.md"]
    )
    recogniser = by_name(f"neural:{taken.folder}")
    assert recogniser.version == read_model(taken.folder).version == f"own-{before}"
    with pytest.raises(InputInvalid, match="is there already"):
        run(folder, tmp_path / "out", QUICK)


@pytest.fixture
def weak(tmp_path: Path) -> Path:
    """A model that finds what the shipped one finds, and to which all products look the same."""
    shutil.copytree(SHIPPED, tmp_path / "weak")
    net = Embedding()
    with torch.no_grad():
        net.head.weight.zero_()
        net.head.bias.fill_(1.0)
    export_embedding(net, tmp_path / "weak" / EMBEDDING)
    return tmp_path / "weak"


def test_a_better_model_is_taken(folder: Path, weak: Path, tmp_path: Path) -> None:
    options = Options(against=weak, only=Network.EMBEDDING, embedding_steps=8, rendered=0)

    outcome = run(folder, tmp_path / "out", options)

    found = outcome.comparison
    assert found["new"]["end_to_end"]["f1"] > found["in_use"]["end_to_end"]["f1"]
    assert found["new"]["detection"]["ap50"] == found["in_use"]["detection"]["ap50"] > 0.5
    assert outcome.taken
    assert (outcome.folder / DETECTOR).read_bytes() == (weak / DETECTOR).read_bytes()
    assert (outcome.folder / EMBEDDING).read_bytes() != (weak / EMBEDDING).read_bytes()
    assert "| detector | taken from the model in use" in (outcome.folder / "MODEL_CARD.md").read_text()


def test_a_stopped_training_goes_on_and_another_recipe_does_not(folder: Path, tmp_path: Path) -> None:
    options = replace(QUICK, only=Network.EMBEDDING, embedding_steps=3, rendered=0)
    told = Told(stop_after=2)
    with pytest.raises(Stopped, match="Training the embedding: stopped after 2 of 3"):
        run(folder, tmp_path / "out", options, told)
    assert not (tmp_path / "out" / "comparison.json").exists()

    with pytest.raises(InputInvalid, match=r"embedding\.steps was 3, is 4") as refused:
        run(folder, tmp_path / "out", replace(options, embedding_steps=4))
    assert "another --out" in refused.value.cure

    again = Told(stop_after=2)
    with pytest.raises(Stopped, match="Measuring the new model"):
        run(folder, tmp_path / "out", options, again)
    assert again.stages == ["Training the embedding", "Measuring the new model"]


def _without_room(out: Path) -> Path:
    out.write_text("a file")
    return out


def _strange(out: Path) -> Path:
    out.mkdir()
    (out / "letter.txt").write_text("not ours")
    return out


@pytest.mark.parametrize(("make", "said"), [(_without_room, "cannot be read"), (_strange, "holds no training")])
def test_a_folder_that_cannot_take_a_training_is_refused_first(
    tmp_path: Path, make: Callable[[Path], Path], said: str
) -> None:
    out = make(tmp_path / "out")

    with pytest.raises(InputInvalid, match=said):
        run(tmp_path / "nowhere", out, QUICK)


def test_products_that_are_not_there_cannot_be_left_out(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="'nobody' is no SKU"):
        run(folder, tmp_path / "out", replace(QUICK, leave_out=("nobody",)))
    assert not (tmp_path / "out").exists()


def test_a_model_in_use_has_to_be_one(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="is not a model folder"):
        run(folder, tmp_path / "out", replace(QUICK, against=tmp_path))


def test_differences_of_recipes_are_named_one_by_one() -> None:
    before = {"seed": 0, "detector": {"steps": 5, "rate": 0.1}, "embedding": None}
    after = {"seed": 1, "detector": {"steps": 6, "rate": 0.1}, "embedding": {"steps": 2}}

    assert differences(before, after) == [
        "detector.steps was 5, is 6",
        "embedding was not there, is there",
        "seed was 0, is 1",
    ]
