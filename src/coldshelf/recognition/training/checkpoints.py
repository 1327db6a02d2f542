"""Keeps the state of a training in a file, so that an interrupted one ends as it would have without."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from coldshelf.recognition.training.stopping import Stop, Stopped

EVERY: Final = 200
"""Steps between two savings."""


class Order:
    """Numbers from 0 in a random order, each once before one comes again, without end."""

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        self._count, self._rng = count, rng
        self._left: list[int] = []

    def next(self) -> int:
        if not self._left:
            self._left = [int(number) for number in self._rng.permutation(self._count)]
        return self._left.pop(0)

    def state(self) -> list[int]:
        return list(self._left)

    def restore(self, left: Sequence[int]) -> None:
        self._left = list(left)


class Run:
    """The state of one training and the file it is kept in; without a file nothing is kept.

    `name` is for people; `modules` are all that has a `state_dict`. A file of another recipe, or one that is no
    checkpoint of this version, is not gone on with: the training starts anew.
    """

    def __init__(
        self,
        name: str,
        file: Path | None,
        recipe: Mapping[str, object],
        *,
        modules: Mapping[str, Any],  # networks and optimisers, which have no common type
        rng: np.random.Generator,
        orders: Sequence[Order] = (),
    ) -> None:
        self._name = name
        self._file, self._recipe, self._modules, self._rng, self._orders = file, recipe, modules, rng, orders

    def first(self) -> int:
        """Go on from the file, when there is one; return the step to start with."""
        if self._file is None or not self._file.is_file():
            return 0
        content: dict[str, Any] = torch.load(self._file, map_location="cpu", weights_only=True)  # tensors, plain values
        if content.get("recipe") != self._recipe or set(content) != set(self._content(0)):
            return 0
        for name, module in self._modules.items():
            module.load_state_dict(content[name])
        for order, left in zip(self._orders, content["orders"], strict=True):
            order.restore(left)
        self._rng.bit_generator.state = content["rng"]
        return int(content["step"])

    def after(self, done: int, steps: int, stop: Stop) -> None:
        """Save now and then and at the end; raise Stopped, after saving, when somebody wants to stop."""
        ends, wanted = done == steps, stop()
        if done % EVERY == 0 or ends or wanted:
            self._save(done)
        if wanted and not ends:
            raise Stopped(self._name, done, steps)

    def _save(self, done: int) -> None:
        if self._file is not None:
            part = self._file.with_suffix(".part")
            torch.save(self._content(done), part)
            part.replace(self._file)

    def _content(self, done: int) -> dict[str, Any]:
        return {
            "step": done,
            "recipe": dict(self._recipe),
            "rng": self._rng.bit_generator.state,
            "orders": [order.state() for order in self._orders],
            **{name: module.state_dict() for name, module in self._modules.items()},
        }
