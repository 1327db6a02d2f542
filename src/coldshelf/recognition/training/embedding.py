"""Trains the embedding: crops of the same product close together, all others apart."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from coldshelf.recognition.networks.crops import CROP, cut, cut_alone
from coldshelf.recognition.recogniser import Pixels
from coldshelf.recognition.training.augment import PERMUTATIONS, Floats, degraded, recoloured
from coldshelf.recognition.training.checkpoints import Run
from coldshelf.recognition.training.detector import Report, average_into, learning_rate
from coldshelf.recognition.training.nets import Embedding
from coldshelf.recognition.training.precision import automatic
from coldshelf.recognition.training.samples import Sample
from coldshelf.recognition.training.stopping import Stop, never


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the embedding is trained."""

    steps: int = 1100
    batch: int = 128
    rate: float = 2e-3
    decay: float = 0.05
    dimensions: int = 128
    scale: float = 20.0
    margin: float = 0.15
    smoothing: float = 0.03
    contrast: float = 0.5
    temperature: float = 0.1
    permuted: float = 0.4
    """Share of crops with another order of colours, each order a product of its own."""
    joined: float = 0.15
    """Share of crops made of the upper part of one product and the lower of another: a product of its own."""
    alone: float = 0.3
    """Share of crops without their surroundings, as reference pictures are."""
    rendered: float = 0.0
    jitter: float = 0.08
    average: float = 0.995
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Crop:
    """Where a product can be seen; `label` counts from 0."""

    image: Pixels
    box: Floats
    label: int


def crops_of(samples: Sequence[Sample], skus: Sequence[str]) -> list[Crop]:
    """Return the crops of the products that `skus` names; painted-over ones are left out."""
    numbers = {sku: n for n, sku in enumerate(skus)}
    return [
        Crop(sample.picture.image, box, numbers[label])
        for sample in samples
        for box, label, ignored in zip(sample.picture.boxes, sample.labels, sample.picture.ignored, strict=True)
        if label in numbers and not ignored
    ]


def train_embedding(
    crops: Sequence[Crop],
    recipe: Recipe,
    *,
    rendered: Sequence[Crop] = (),
    checkpoint: Path | None = None,
    report: Report | None = None,
    device: str = "cpu",
    stop: Stop = never,
) -> Embedding:
    """Train on crops of known products and return the averaged network, on the CPU and ready to run.

    With a `checkpoint` file a run that was interrupted goes on where it stood, and ends as it would have without the
    interruption. When `stop` says so, the state is saved and Stopped raised.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    net, averaged = Embedding(recipe.dimensions), Embedding(recipe.dimensions)
    averaged.load_state_dict(net.state_dict())
    net.to(device=device, memory_format=torch.channels_last)
    averaged.to(device)
    draw = _Source(crops, rendered, recipe, rng)
    centres = _Centres(draw.classes, recipe.dimensions).to(device)
    optimiser = torch.optim.AdamW(
        [{"params": net.parameters()}, {"params": centres.parameters(), "weight_decay": 0.0}],
        lr=recipe.rate,
        weight_decay=recipe.decay,
    )
    modules = {"net": net, "averaged": averaged, "centres": centres, "optimiser": optimiser}
    run = Run("Training the embedding", checkpoint, asdict(recipe), modules=modules, rng=rng)
    state = _State(net, averaged, centres, optimiser, recipe, device)
    for step in range(run.first(), recipe.steps):
        loss = _step(state, draw.batch(), step)
        if report:
            report(step + 1, recipe.steps, loss)
        run.after(step + 1, recipe.steps, stop)
    averaged.cpu().eval()
    return averaged


class _Centres(nn.Module):
    """A point on the sphere for each class of the training, shape (classes, dimensions)."""

    def __init__(self, classes: int, dimensions: int) -> None:
        super().__init__()
        self.points = nn.Parameter(functional.normalize(torch.randn(classes, dimensions), dim=1))


@dataclass(frozen=True, slots=True)
class _State:
    """What a step changes, and how."""

    net: Embedding
    averaged: Embedding
    centres: _Centres
    optimiser: torch.optim.Optimizer
    recipe: Recipe
    device: str


def _step(state: _State, batch: tuple[Tensor, Tensor, Tensor], step: int) -> float:
    recipe = state.recipe
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate(step, recipe.steps, recipe.rate)
    images, shapes, labels = (part.to(state.device) for part in batch)
    state.net.train()
    with automatic(state.device):
        points = state.net(images.to(memory_format=torch.channels_last), shapes)
    loss = class_loss(points, state.centres.points, labels, recipe) + recipe.contrast * contrast_loss(
        points, labels, recipe.temperature
    )
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    state.optimiser.step()
    average_into(state.averaged, state.net, min(recipe.average, (step + 1) / (step + 10)))
    return float(loss.detach())


class _Source:
    """Draws batches: classes by the root of their frequency, each class at least twice where it can be."""

    def __init__(
        self, crops: Sequence[Crop], rendered: Sequence[Crop], recipe: Recipe, rng: np.random.Generator
    ) -> None:
        self.recipe, self.rng = recipe, rng
        self.real, self.drawn = _by_label(crops), _by_label(rendered)
        counts = np.array([len(group) for group in self.real], np.float64)
        self.chances = np.sqrt(counts) / np.sqrt(counts).sum()
        self.n = len(self.real)
        self.classes = 6 * (self.n + len(self.drawn)) + self.n * self.n

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return crops (n, 3, 96, 48), shapes (n,), labels (n,)."""
        images: list[Pixels] = []
        shapes: list[float] = []
        labels: list[int] = []
        while len(images) < self.recipe.batch:
            make = self._kind()
            for _ in range(2):
                image, shape, label = make()
                images.append(image)
                shapes.append(shape)
                labels.append(label)
        pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()
        return pixels, torch.tensor(shapes, dtype=torch.float32), torch.tensor(labels)

    def _kind(self) -> Callable[[], tuple[Pixels, float, int]]:
        """Choose a product; the function that comes back draws a crop of it at each call."""
        if self.drawn and self.rng.random() < self.recipe.rendered:
            number = int(self.rng.integers(len(self.drawn)))
            return lambda: self._crop(self.drawn[number], 0, 6 * (self.n + number))
        number = int(self.rng.choice(self.n, p=self.chances))
        if self.rng.random() < self.recipe.joined:
            other = int(self.rng.choice(self.n, p=self.chances))
            return lambda: self._joined(number, other)
        order = int(self.rng.integers(1, 6)) if self.rng.random() < self.recipe.permuted else 0
        return lambda: self._crop(self.real[number], order, 6 * number + order)

    def _crop(self, group: Sequence[Crop], order: int, label: int) -> tuple[Pixels, float, int]:
        image, shape = self._raw(group)
        image = np.ascontiguousarray(image[..., list(PERMUTATIONS[order])])
        return self._spoilt(image), shape, label

    def _joined(self, upper: int, lower: int) -> tuple[Pixels, float, int]:
        image, shape = self._raw(self.real[upper])
        below, _ = self._raw(self.real[lower])
        image[CROP[1] // 2 :] = below[CROP[1] // 2 :]
        return self._spoilt(image), shape, 6 * (self.n + len(self.drawn)) + upper * self.n + lower

    def _raw(self, group: Sequence[Crop]) -> tuple[Pixels, float]:
        crop = group[int(self.rng.integers(len(group)))]
        size = np.tile(crop.box[2:] - crop.box[:2], 2)
        box = crop.box + (self.rng.uniform(-1, 1, 4) * self.recipe.jitter * size).astype(np.float32)
        image, shape = cut_alone(crop.image, box) if self.rng.random() < self.recipe.alone else cut(crop.image, box)
        if self.rng.random() < 0.5:
            image = image[:, ::-1].copy()
        return image, shape + float(self.rng.normal(0, 0.12))

    def _spoilt(self, image: Pixels) -> Pixels:
        return shaded(degraded(recoloured(image, self.rng), self.rng), self.rng)


def _by_label(crops: Sequence[Crop]) -> list[list[Crop]]:
    groups: dict[int, list[Crop]] = {}
    for crop in crops:
        groups.setdefault(crop.label, []).append(crop)
    return [groups[label] for label in sorted(groups)]


def shaded(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Lay a reflection over the crop, or hide a part of it."""
    out = image
    if rng.random() < 0.2:
        x, width = rng.uniform(0, CROP[0]), rng.uniform(2, 12)
        light = np.exp(-(((np.arange(CROP[0]) - x) / width) ** 2)) * rng.uniform(40, 160)
        out = np.clip(out + light[None, :, None], 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        out = out.copy()
        width, height = int(rng.integers(6, 24)), int(rng.integers(8, 40))
        x, y = int(rng.integers(0, CROP[0] - 4)), int(rng.integers(0, CROP[1] - 4))
        out[y : y + height, x : x + width] = rng.integers(0, 255, 3)
    return out


def class_loss(points: Tensor, centres: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    """Cross entropy of cosines with a margin (Wang 2018, CosFace, eq. 4) over one centre for each class."""
    cosines = points.float() @ functional.normalize(centres, dim=1).T
    margin = functional.one_hot(labels, len(centres)) * recipe.margin
    return functional.cross_entropy(recipe.scale * (cosines - margin), labels, label_smoothing=recipe.smoothing)


def contrast_loss(points: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Supervised contrastive loss (Khosla 2020, eq. 2) within the batch."""
    likeness = points.float() @ points.float().T / temperature
    itself = torch.eye(len(points), dtype=torch.bool, device=points.device)
    same = (labels[:, None] == labels[None]) & ~itself
    log_share = likeness - torch.logsumexp(likeness.masked_fill(itself, -1e9), 1, keepdim=True)
    counts = same.sum(1)
    return -((log_share * same).sum(1)[counts > 0] / counts[counts > 0]).mean()


def embed(net: nn.Module, crops: Sequence[tuple[Pixels, float]]) -> Floats:
    """Run a network on crops of `cut`, shape (n, dimensions)."""
    with torch.no_grad():
        images = torch.from_numpy(np.stack([image for image, _ in crops])).permute(0, 3, 1, 2).float()
        shapes = torch.tensor([shape for _, shape in crops], dtype=torch.float32)
        return np.asarray(net(images, shapes).numpy(), np.float32)
