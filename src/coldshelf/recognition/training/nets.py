"""The networks, in torch: small, plain, residual."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE: Final = 4
_WIDTHS: Final = (32, 64, 128, 192)
_DEPTHS: Final = (1, 2, 2, 2)
_NECK: Final = 64


def _block(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two 3 x 3 convolutions around a short cut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            _block(width, width), nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.inner(x))


class Detector(nn.Module):
    """Centres of facings and the distances from there to the sides of their boxes.

    Takes RGB of 0 to 255, shape (n, 3, height, width), sides multiples of 32. Gives logits of centres (n, 1, h, w) and
    distances to left, top, right and bottom in pixels (n, 4, h, w), both at a quarter of the size.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _block(3, 24, stride=2)
        stages, inputs = [], 24
        for width, depth in zip(_WIDTHS, _DEPTHS, strict=True):
            stages.append(nn.Sequential(_block(inputs, width, stride=2), *[Residual(width) for _ in range(depth)]))
            inputs = width
        self.stages = nn.ModuleList(stages)
        self.sides = nn.ModuleList([nn.Conv2d(width, _NECK, 1) for width in _WIDTHS])
        self.smooth = nn.Sequential(_block(_NECK, _NECK), _block(_NECK, _NECK))
        self.centre = nn.Conv2d(_NECK, 1, 1)
        self.distance = nn.Conv2d(_NECK, 4, 1)
        nn.init.constant_(self.centre.bias if self.centre.bias is not None else torch.zeros(1), -4.0)
        nn.init.constant_(self.distance.bias if self.distance.bias is not None else torch.zeros(1), 1.5)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(image / 64 - 2)
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        y = self.sides[-1](levels[-1])
        for side, level in zip(list(self.sides)[-2::-1], levels[-2::-1], strict=True):
            y = functional.interpolate(y, scale_factor=2.0, mode="nearest") + side(level)
        y = self.smooth(y)
        return self.centre(y), functional.softplus(self.distance(y)) * (2 * STRIDE)


class Embedding(nn.Module):
    """The look of a crop as a point on a sphere: products that look alike lie close.

    Takes RGB of 0 to 255, shape (n, 3, 96, 48), and log(height / width) of the box, shape (n,). Gives unit vectors,
    shape (n, dimensions).
    """

    def __init__(self, dimensions: int = 128) -> None:
        super().__init__()
        layers: list[nn.Module] = [_block(3, 32, stride=2), Residual(32)]
        inputs = 32
        for width, stride in ((64, 2), (128, 2), (192, 1)):
            layers += [_block(inputs, width, stride=stride), Residual(width)]
            inputs = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(4 * inputs + 3, dimensions)

    def forward(self, crop: Tensor, shape: Tensor) -> Tensor:
        x = self.body(crop / 64 - 2)
        bands = torch.cat([x[:, :, at : at + 4].mean((2, 3)) for at in (0, 4, 8)], 1)
        peak = x.amax((2, 3))
        form = torch.stack([shape, shape**2, torch.ones_like(shape)], 1)
        return functional.normalize(self.head(torch.cat([bands, peak, form], 1).float()), dim=1)


class Joined(nn.Module):
    """Several embeddings as one: the cosine of two of its points is the mean of theirs.

    Takes and gives what they do; the dimensions add up.
    """

    def __init__(self, members: Sequence[Embedding]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, crop: Tensor, shape: Tensor) -> Tensor:
        return torch.cat([member(crop, shape) for member in self.members], 1) / len(self.members) ** 0.5
