"""Model folders: the networks of one training, with the thresholds and weights that were fixed for them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.context import Weights

SHIPPED: Final = Path(__file__).parent / "weights"
"""The models that come with Coldshelf; `MODEL_CARD.md` beside them says how they were made."""
DETECTOR: Final = "detector.onnx"
EMBEDDING: Final = "embedding.onnx"
SETTINGS: Final = "model.json"


@dataclass(frozen=True, slots=True)
class Model:
    """What a model folder holds besides its networks."""

    folder: Path
    version: str
    sure: float
    """Score of the detector from which a box is a facing."""
    weights: Weights

    def write(self) -> None:
        """Write `model.json` beside the networks."""
        content = {"version": self.version, "sure": self.sure, "weights": asdict(self.weights)}
        (self.folder / SETTINGS).write_text(json.dumps(content, indent=1) + "\n")


def read_model(folder: Path) -> Model:
    """Read a model folder; what is missing or wrong in it is an error that says so."""
    file = folder / SETTINGS
    try:
        content: dict[str, Any] = json.loads(file.read_text())  # checked by the classes it fills
        weights = Weights(**{name: float(value) for name, value in content["weights"].items()})
        return Model(folder, str(content["version"]), float(content["sure"]), weights)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputInvalid(
            f"{folder} is not a model folder: {error}",
            cure="Name a folder that `coldshelf train` made; it has model.json and two networks.",
        ) from error


def fingerprint(folder: Path) -> str:
    """Return eight letters that change when a network of the folder changes."""
    digest = hashlib.sha256()
    for name in (DETECTOR, EMBEDDING):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:8]
