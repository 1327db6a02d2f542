"""Losses by hand, resuming, and what is exported."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coldshelf.recognition.networks.crops import cut
from coldshelf.recognition.networks.session import open_session
from coldshelf.recognition.training.augment import Labelled
from coldshelf.recognition.training.samples import Sample, read_samples, rendered_samples, skus_of
from coldshelf.recognition.training.stopping import Stopped
from tests.recognition.training.folders import labelled_folder

torch = pytest.importorskip("torch", reason="torch is not installed: make train-tools")
pytest.importorskip("onnx", reason="onnx is not installed: make train-tools")

from coldshelf.recognition.training import detector, embedding  # noqa: E402  # torch comes first
from coldshelf.recognition.training.checkpoints import Order  # noqa: E402
from coldshelf.recognition.training.detector import Targets  # noqa: E402
from coldshelf.recognition.training.export import export_detector, export_embedding  # noqa: E402
from coldshelf.recognition.training.nets import Detector, Embedding  # noqa: E402
from coldshelf.recognition.training.precision import automatic  # noqa: E402

SMALL = detector.Recipe(steps=4, batch=2, size=96, mosaics=0.5, rendered=0.3)
FEW = embedding.Recipe(steps=4, batch=8, rendered=0.3)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return rendered_samples(1, 2, 12)


def labelled(*boxes: tuple[float, float, float, float], ignored: tuple[bool, ...] = ()) -> Labelled:
    marks = np.array(ignored or (False,) * len(boxes), np.bool_)
    return Labelled(np.zeros((32, 32, 3), np.uint8), np.array(boxes, np.float32).reshape(-1, 4), marks)


def test_the_rate_rises_then_falls_along_a_cosine() -> None:
    rates = [detector.learning_rate(step, 100, 1.0) for step in range(100)]

    assert rates[:3] == [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]
    assert rates[3] == 1.0
    assert detector.learning_rate(3 + 97 / 2, 100, 1.0) == pytest.approx(0.01 + 0.99 / 2)  # type: ignore[arg-type]  # half way
    assert rates[-1] == pytest.approx(0.01, abs=0.001)
    assert all(later < earlier for earlier, later in pairwise(rates[3:]))


def test_generalised_iou_has_known_values() -> None:
    one = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 1, 1]])
    other = torch.tensor([[0.0, 0, 2, 2], [1, 0, 3, 2], [3, 0, 4, 1]])

    found = detector.generalised_iou(one, other)

    # Same; a third of the union with a full hull; apart, with half of the hull of 4 empty.
    assert found.tolist() == pytest.approx([1.0, 2 / 6, 0 - 2 / 4])


def test_targets_peak_in_the_middle_and_leave_ignored_boxes_out() -> None:
    targets = detector.targets_of([labelled((4, 4, 20, 28), (24, 0, 32, 8), ignored=(False, True))], 8)

    assert targets.heat.shape == (1, 1, 8, 8)
    peaks = (targets.heat == 1).nonzero().tolist()
    assert peaks == [[0, 0, 4, 2]]
    assert targets.weight[0, 0, 0:3, 6:].sum() == 0
    assert targets.weight[0, 0, 4, 2] == 1
    assert [4, 2] in targets.cells[:, 1:].tolist()
    assert targets.boxes.unique(dim=0).tolist() == [[4, 4, 20, 28]]


def test_no_box_gives_no_cells_and_no_box_loss() -> None:
    targets = detector.targets_of([labelled()], 8)

    assert targets.cells.shape == (0, 3)
    assert detector.box_loss(torch.ones(1, 4, 8, 8), targets) == 0


def centre_targets(heat: float, weight: float = 1.0) -> Targets:
    """Two cells: a centre, and one with the given heat."""
    nothing = torch.zeros(0, 3, dtype=torch.long)
    return Targets(torch.tensor([[[[1.0, heat]]]]), torch.tensor([[[[1.0, weight]]]]), nothing, torch.zeros(0, 4))


def test_the_loss_of_centres_is_focal() -> None:
    logits = torch.zeros(1, 1, 1, 2)  # both cells are as likely as not
    hit, miss = -math.log(0.5) * 0.5**2, -math.log(0.5) * 0.5**2

    plain = detector.centre_loss(logits, centre_targets(0.0), forgiving=False)
    near = detector.centre_loss(logits, centre_targets(0.5), forgiving=False)
    blanked = detector.centre_loss(logits, centre_targets(0.0, weight=0.0), forgiving=False)

    assert float(plain) == pytest.approx(hit + miss)
    assert float(near) == pytest.approx(hit + miss * 0.5**4)
    assert float(blanked) == pytest.approx(hit)


def test_a_confident_find_without_truth_is_forgiven_late_in_the_run() -> None:
    logits = torch.tensor([[[[0.0, 2.0]]]])
    chance = 1 / (1 + math.exp(-2))
    hit, miss = -math.log(0.5) * 0.25, -math.log(1 - chance) * chance**2

    strict = detector.centre_loss(logits, centre_targets(0.0), forgiving=False)
    forgiving = detector.centre_loss(logits, centre_targets(0.0), forgiving=True)

    assert float(strict) == pytest.approx(hit + miss, rel=1e-4)
    assert float(forgiving) == pytest.approx(hit + miss / 10, rel=1e-4)


def test_the_loss_of_boxes_is_nothing_for_the_right_distances() -> None:
    targets = Targets(
        torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8), torch.tensor([[0, 4, 2]]), torch.tensor([[4.0, 4, 20, 28]])
    )
    distances = torch.zeros(1, 4, 8, 8)
    distances[0, :, 4, 2] = torch.tensor([6.0, 14, 10, 10])  # from (10, 18), the middle of the cell

    assert float(detector.box_loss(distances, targets)) == pytest.approx(0, abs=1e-6)

    distances[0, :, 4, 2] = torch.tensor([6.0, 14, 10, 10 - 12])  # the lower half is missing
    assert float(detector.box_loss(distances, targets)) == pytest.approx(0.5, abs=1e-6)


def test_the_loss_of_classes_has_a_margin() -> None:
    recipe = embedding.Recipe(scale=2.0, margin=0.25, smoothing=0.0)
    points, centres = torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0.0], [0.0, 5.0]])

    loss = embedding.class_loss(points, centres, torch.tensor([0]), recipe)

    assert float(loss) == pytest.approx(-math.log(math.exp(1.5) / (math.exp(1.5) + 1)))


def test_the_loss_of_contrast_compares_with_all_others() -> None:
    points = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])

    loss = embedding.contrast_loss(points, torch.tensor([0, 0, 1]), 1.0)

    assert float(loss) == pytest.approx(-math.log(math.e / (math.e + 1)))


def test_an_average_moves_by_its_share() -> None:
    averaged, net = torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)
    averaged.weight.data.fill_(1.0)
    net.weight.data.fill_(3.0)

    detector.average_into(averaged, net, 0.75)

    assert averaged.weight.item() == pytest.approx(1.5)


def test_an_order_gives_each_number_once_and_goes_on_where_it_stood() -> None:
    order = Order(5, np.random.default_rng(0))
    seen = [order.next() for _ in range(7)]
    other = Order(5, np.random.default_rng(1))
    other.restore(order.state())

    assert sorted(seen[:5]) == [0, 1, 2, 3, 4]
    assert [other.next() for _ in range(3)] == [order.next() for _ in range(3)]


class StopsAfter:
    def __init__(self, steps: int) -> None:
        self._left = steps

    def __call__(self) -> bool:
        self._left -= 1
        return self._left == 0


def train_detector(drawn: list[Sample], recipe: detector.Recipe = SMALL, **more: Any) -> Detector:  # as it takes them
    pictures = [sample.picture for sample in drawn]
    return detector.train_detector(pictures[:1], recipe, rendered=pictures[1:], **more)


def train_embedding(drawn: list[Sample], recipe: embedding.Recipe = FEW, **more: Any) -> Embedding:  # as it takes them
    crops = [embedding.crops_of([sample], skus_of([sample])) for sample in drawn]
    return embedding.train_embedding(crops[0], recipe, rendered=crops[1], **more)


def same(one: Any, other: Any) -> bool:  # networks
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("train", [train_detector, train_embedding])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(train: Any, drawn: list[Sample], tmp_path: Path) -> None:
    checkpoint = tmp_path / "state.ckpt"
    whole = train(drawn)

    with pytest.raises(Stopped, match="stopped after 2 of 4"):
        train(drawn, checkpoint=checkpoint, stop=StopsAfter(2))
    steps: list[int] = []
    resumed = train(drawn, checkpoint=checkpoint, report=lambda step, *_: steps.append(step))

    assert steps == [3, 4]
    assert same(resumed, whole)
    assert not list(tmp_path.glob("*.part"))


def test_a_finished_training_is_not_done_again(drawn: list[Sample], tmp_path: Path) -> None:
    checkpoint = tmp_path / "state.ckpt"
    first = train_embedding(drawn, checkpoint=checkpoint)
    steps: list[int] = []

    again = train_embedding(drawn, checkpoint=checkpoint, report=lambda step, *_: steps.append(step))

    assert steps == []
    assert same(first, again)


def test_another_seed_does_not_go_on_with_a_checkpoint(drawn: list[Sample], tmp_path: Path) -> None:
    checkpoint = tmp_path / "state.ckpt"
    train_embedding(drawn, checkpoint=checkpoint)
    other = embedding.Recipe(steps=4, batch=8, rendered=0.3, seed=1)
    steps: list[int] = []

    train_embedding(drawn, other, checkpoint=checkpoint, report=lambda step, *_: steps.append(step))

    assert steps == [1, 2, 3, 4]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
@pytest.mark.parametrize("train", [train_detector, train_embedding])
def test_a_gpu_gives_a_network_on_the_cpu(train: Any, drawn: list[Sample]) -> None:
    net = train(drawn, device="cuda")

    assert {tensor.device.type for tensor in net.state_dict().values()} == {"cpu"}


def test_the_exported_detector_says_what_torch_says(drawn: list[Sample], tmp_path: Path) -> None:
    net = train_detector(drawn)
    export_detector(net, tmp_path / "detector.onnx")
    image = np.random.default_rng(0).integers(0, 255, (1, 3, 96, 128)).astype(np.float32)

    centre, distance = open_session(tmp_path / "detector.onnx").run(None, {"image": image})

    with torch.no_grad():
        wanted = [part.numpy() for part in net(torch.from_numpy(image))]
    assert centre.shape == (1, 1, 24, 32)
    assert np.abs(centre - wanted[0]).max() < 0.05
    assert np.abs(distance - wanted[1]).max() < 0.25  # pixels
    assert not np.array_equal(centre, wanted[0]), "weights are kept in half precision"


def test_the_exported_embedding_says_what_torch_says(drawn: list[Sample], tmp_path: Path) -> None:
    net = train_embedding(drawn)
    export_embedding(net, tmp_path / "embedding.onnx")
    picture = drawn[0].picture
    crops = [cut(picture.image, box) for box in picture.boxes[:5]]
    pixels = np.stack([crop for crop, _ in crops]).transpose(0, 3, 1, 2).astype(np.float32)
    shapes = np.array([shape for _, shape in crops], np.float32)

    (points,) = open_session(tmp_path / "embedding.onnx").run(None, {"crop": pixels, "shape": shapes})

    assert np.abs(points - embedding.embed(net, crops)).max() < 0.01
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.ones(5), abs=1e-4)


def test_painted_over_products_give_no_crops(tmp_path: Path) -> None:
    (sample,) = read_samples(labelled_folder(tmp_path / "a", 1, facings=4))
    sample.picture.ignored[0] = True

    crops = embedding.crops_of([sample], ["blue", "red"])

    assert [crop.label for crop in crops] == [0, 1, 0]


@pytest.mark.parametrize(("capability", "precision"), [("AVX2", torch.float32), ("AVX512", torch.bfloat16)])
def test_bfloat16_is_used_only_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, capability: str, precision: object
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)

    with automatic("cpu"):
        points = torch.nn.Linear(2, 2)(torch.ones(1, 2))

    assert points.dtype == precision
