"""Trains the detector of facings."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coldshelf.recognition.training.augment import (
    PERMUTATIONS,
    Floats,
    Labelled,
    degraded,
    mosaic,
    random_view,
    recoloured,
)
from coldshelf.recognition.training.checkpoints import Order, Run
from coldshelf.recognition.training.nets import STRIDE, Detector
from coldshelf.recognition.training.precision import automatic
from coldshelf.recognition.training.stopping import Stop, never

Report = Callable[[int, int, float], None]
"""Told after each step: step, steps, loss."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the detector is trained; pixels are those of the square training pictures."""

    steps: int = 1400
    batch: int = 8
    size: int = 416
    rate: float = 2e-3
    decay: float = 0.03
    zoom: tuple[float, float] = (0.7, 1.7)
    mosaics: float = 0.35
    mosaics_until: float = 0.85
    permuted: float = 0.15
    """Share of pictures with another order of colours: products that do not exist, but are found all the same."""
    rendered: float = 0.0
    """Share of pictures that the renderer drew."""
    forgiving_from: float = 0.4
    """From this part of the run a confident find where the truth has nothing is no longer punished: real truths are
    incomplete."""
    average: float = 0.998
    seed: int = 0


def train_detector(
    samples: Sequence[Labelled],
    recipe: Recipe,
    *,
    rendered: Sequence[Labelled] = (),
    checkpoint: Path | None = None,
    report: Report | None = None,
    device: str = "cpu",
    stop: Stop = never,
) -> Detector:
    """Train on pictures with true boxes and return the averaged network, on the CPU and ready to run.

    With a `checkpoint` file a run that was interrupted goes on where it stood, and ends as it would have without the
    interruption. When `stop` says so, the state is saved and Stopped raised.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    net, averaged = Detector(), Detector()
    averaged.load_state_dict(net.state_dict())
    net.to(device=device, memory_format=torch.channels_last)
    averaged.to(device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    pictures = _Pictures(samples, rendered, recipe, rng)
    modules = {"net": net, "averaged": averaged, "optimiser": optimiser}
    run = Run("Training the detector", checkpoint, asdict(recipe), modules=modules, rng=rng, orders=pictures.orders)
    state = _State(net, averaged, optimiser, recipe, device)
    for step in range(run.first(), recipe.steps):
        loss = _step(state, [pictures.draw(step) for _ in range(recipe.batch)], step)
        if report:
            report(step + 1, recipe.steps, loss)
        run.after(step + 1, recipe.steps, stop)
    averaged.cpu().eval()
    return averaged


@dataclass(frozen=True, slots=True)
class _State:
    """What a step changes, and how."""

    net: Detector
    averaged: Detector
    optimiser: torch.optim.Optimizer
    recipe: Recipe
    device: str


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Rise over the first 3 % of the steps, then fall along a cosine to a hundredth."""
    warm = max(1, round(0.03 * steps))
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))))


def _step(state: _State, batch: Sequence[Labelled], step: int) -> float:
    recipe = state.recipe
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate(step, recipe.steps, recipe.rate)
    state.net.train()
    images = torch.from_numpy(np.stack([sample.image for sample in batch])).to(state.device).permute(0, 3, 1, 2).float()
    truth = targets_of(batch, recipe.size // STRIDE).on(state.device)
    with automatic(state.device):
        centres, distances = state.net(images.to(memory_format=torch.channels_last))
    forgiving = step >= recipe.forgiving_from * recipe.steps
    loss = centre_loss(centres.float(), truth, forgiving=forgiving) + 2 * box_loss(distances.float(), truth)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), 10.0)
    state.optimiser.step()
    average_into(state.averaged, state.net, min(recipe.average, (step + 1) / (step + 10)))
    return float(loss.detach())


def average_into(averaged: torch.nn.Module, net: torch.nn.Module, keep: float) -> None:
    """Move the averaged weights towards the trained ones; counters are copied."""
    with torch.no_grad():
        for old, new in zip(averaged.state_dict().values(), net.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.lerp_(new, 1 - keep)
            else:
                old.copy_(new)


class _Pictures:
    """Draws training pictures; `orders` is what has to be kept to go on drawing the same ones."""

    def __init__(
        self, samples: Sequence[Labelled], rendered: Sequence[Labelled], recipe: Recipe, rng: np.random.Generator
    ) -> None:
        self._samples, self._rendered, self._recipe, self._rng = samples, rendered, recipe, rng
        self.orders = [Order(len(samples), rng), Order(len(rendered), rng)]

    def draw(self, step: int) -> Labelled:
        recipe, rng = self._recipe, self._rng
        mixed = step < recipe.mosaics_until * recipe.steps and rng.random() < recipe.mosaics
        sample = mosaic([self._view() for _ in range(4)], recipe.size, rng) if mixed else self._view()
        image = sample.image
        if rng.random() < recipe.permuted:
            image = np.ascontiguousarray(image[..., list(PERMUTATIONS[int(rng.integers(1, 6))])])
        return Labelled(degraded(recoloured(image, rng), rng), sample.boxes, sample.ignored)

    def _view(self) -> Labelled:
        from_renderer = bool(self._rendered) and self._rng.random() < self._recipe.rendered
        real, drawn = self.orders
        sample = self._rendered[drawn.next()] if from_renderer else self._samples[real.next()]
        return random_view(sample, self._recipe.size, self._rng, zoom=self._recipe.zoom)


@dataclass(frozen=True, slots=True)
class Targets:
    """What the network should say.

    `heat` and `weight` have the shape (n, 1, h, w). `cells` are the inner cells of boxes as picture, row and column,
    shape (k, 3), and `boxes` their boxes, xyxy in pixels, shape (k, 4).
    """

    heat: Tensor
    weight: Tensor
    cells: Tensor
    boxes: Tensor

    def on(self, device: str) -> "Targets":
        return Targets(*(part.to(device) for part in (self.heat, self.weight, self.cells, self.boxes)))


def targets_of(batch: Sequence[Labelled], cells: int) -> Targets:
    """Return what the network should say about square pictures of `cells` times the stride."""
    heat = np.zeros((len(batch), 1, cells, cells), np.float32)
    weight = np.ones_like(heat)
    places, boxes = [], []
    for n, sample in enumerate(batch):
        order = np.argsort(-(sample.boxes[:, 2:] - sample.boxes[:, :2]).prod(1), kind="stable")
        owner = np.full((cells, cells), -1, np.int64)
        for i in order:
            if sample.ignored[i]:
                _blank(weight[n, 0], sample.boxes[i])
            else:
                _bump(heat[n, 0], owner, sample.boxes[i], int(i))
        rows, columns = np.nonzero(owner >= 0)
        places.append(np.stack([np.full(len(rows), n), rows, columns], 1))
        boxes.append(sample.boxes[owner[rows, columns]])
    weight = np.where(heat >= 0.999, 1.0, weight)
    return Targets(
        torch.from_numpy(heat),
        torch.from_numpy(weight.astype(np.float32)),
        torch.from_numpy(np.concatenate(places)),
        torch.from_numpy(np.concatenate(boxes).astype(np.float32)),
    )


def _blank(weight: Floats, box: Floats) -> None:
    left, top, right, bottom = (box / STRIDE).round().astype(int)
    weight[max(top, 0) : bottom + 1, max(left, 0) : right + 1] = 0


def _bump(heat: Floats, owner: NDArray[np.int64], box: Floats, number: int) -> None:
    """Raise a Gaussian of 0.17 of the box at its centre, and give the cells of its inner part to the box."""
    cells = heat.shape[0]
    left, top, right, bottom = box / STRIDE
    x, y, width, height = (left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5, right - left, bottom - top
    x0, x1 = max(int(x - width / 2), 0), min(int(x + width / 2) + 2, cells)
    y0, y1 = max(int(y - height / 2), 0), min(int(y + height / 2) + 2, cells)
    if x0 >= x1 or y0 >= y1:
        return
    dx = (np.arange(x0, x1) - x) / max(0.17 * width, 0.5)
    dy = (np.arange(y0, y1) - y) / max(0.17 * height, 0.5)
    bump = np.exp(-(dx[None] ** 2 + dy[:, None] ** 2) / 2).astype(np.float32)
    row, column = min(max(round(float(y)), 0), cells - 1), min(max(round(float(x)), 0), cells - 1)
    bump[row - y0, column - x0] = 1.0
    np.maximum(heat[y0:y1, x0:x1], bump, out=heat[y0:y1, x0:x1])
    owner[y0:y1, x0:x1][bump > 0.42] = number


def centre_loss(logits: Tensor, truth: Targets, *, forgiving: bool) -> Tensor:
    """Focal loss on heat maps (Zhou 2019, Objects as Points, eq. 1), per true facing."""
    chance = torch.sigmoid(logits).clamp(1e-5, 1 - 1e-5)
    is_centre = truth.heat >= 0.999
    hit = -torch.log(chance) * (1 - chance) ** 2
    miss = -torch.log(1 - chance) * chance**2 * (1 - truth.heat) ** 4
    weight = truth.weight
    if forgiving:
        weight = torch.where((chance.detach() > 0.5) & (truth.heat < 0.02), weight * 0.1, weight)
    loss = torch.where(is_centre, hit, miss) * weight
    return loss.sum() / is_centre.sum().clamp(min=1)


def box_loss(distances: Tensor, truth: Targets) -> Tensor:
    """Generalised IoU loss (Rezatofighi 2019) of the boxes that the inner cells tell."""
    if not len(truth.cells):
        return distances.sum() * 0
    n, row, column = truth.cells.T
    found = distances[n, :, row, column]
    x, y = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
    box = torch.stack([x - found[:, 0], y - found[:, 1], x + found[:, 2], y + found[:, 3]], 1)
    return (1 - generalised_iou(box, truth.boxes)).mean()


def generalised_iou(one: Tensor, other: Tensor) -> Tensor:
    """Return the generalised intersection over union of boxes (n, 4) and (n, 4), shape (n,)."""
    common = (torch.minimum(one[:, 2:], other[:, 2:]) - torch.maximum(one[:, :2], other[:, :2])).clamp(min=0).prod(1)
    union = (one[:, 2:] - one[:, :2]).clamp(min=0).prod(1) + (other[:, 2:] - other[:, :2]).prod(1) - common
    hull = (torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])).prod(1)
    return common / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)


def timed(report: Report | None = None) -> Report:
    """Print every hundredth step with the time it took."""
    started = time.monotonic()

    def tell(step: int, steps: int, loss: float) -> None:
        if step % 100 == 0 or step == steps:
            print(f"{step}/{steps} loss {loss:.3f} {time.monotonic() - started:.0f} s", flush=True)  # noqa: T201
        if report:
            report(step, steps, loss)

    return tell
