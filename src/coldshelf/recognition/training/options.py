"""What a person may choose about a training."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from coldshelf.recognition.networks.models import SHIPPED


class Network(StrEnum):
    """One of the two networks of a model."""

    DETECTOR = "detector"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class Options:
    """What is trained, and how. None stands for what the recipe of the network says."""

    against: Path = SHIPPED
    """Folder of the model in use."""
    only: Network | None = None
    """Train this network; the other one is taken from the model in use."""
    detector_steps: int | None = None
    embedding_steps: int | None = None
    seed: int = 0
    rendered: int = 400
    """How many coolers are drawn; 0 trains on real pictures alone."""
    rendered_share: float | None = None
    """Share of what is trained on that comes from drawn coolers; None is 0.25 for the detector, 0.2 for the other."""
    leave_out: tuple[str, ...] = ()
    split: Path | None = None
    corrections: Path | None = None
    take_anyway: bool = False
    threads: int = 1


Follow = Callable[[str, int, int, float | None], None]
"""Told what is being done, how much of it is done, how much there is, and the loss where there is one."""
