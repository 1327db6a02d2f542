"""The recipe of a whole run, and the folder it is kept in: a run that goes on has to be the same one."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.training import detector, embedding
from coldshelf.recognition.training.material import SPLIT_FILE, write_split
from coldshelf.recognition.training.options import Network, Options

Json = dict[str, Any]  # a JSON document
EmbeddingRecipe = embedding.Recipe
DETECTOR_SHARE: Final = 0.25
EMBEDDING_SHARE: Final = 0.2
"""Shares of drawn coolers in what is trained on; the shipped model has these."""
SECOND_STEPS: Final = 1600


@dataclass(frozen=True, slots=True)
class RunRecipe:
    """All that decides what a run ends with; None for a network that is not trained."""

    data: str
    """Fingerprint of pictures and truth."""
    kept_apart: Sequence[str]
    leave_out: Sequence[str]
    rendered: int
    seed: int
    detector: detector.Recipe | None
    embedding: EmbeddingRecipe | None
    second: EmbeddingRecipe | None
    """A second embedding, trained on real pictures alone and joined with the first: drawn coolers help products that no
    training saw and cost a little on the known ones; both together keep most of either."""

    def as_json(self) -> Json:
        return dict(json.loads(json.dumps(asdict(self))))


def recipe_of(options: Options, data: str, kept_apart: Sequence[str]) -> RunRecipe:
    """Put the recipe together from what was asked for."""
    find, name = detector.Recipe(seed=options.seed), embedding.Recipe(seed=options.seed)
    if options.rendered:
        share = options.rendered_share
        find = replace(find, rendered=DETECTOR_SHARE if share is None else share)
        name = replace(name, rendered=EMBEDDING_SHARE if share is None else share)
    return RunRecipe(
        data=data,
        kept_apart=sorted(kept_apart),
        leave_out=sorted(options.leave_out),
        rendered=options.rendered,
        seed=options.seed,
        detector=None
        if options.only is Network.EMBEDDING
        else replace(find, steps=options.detector_steps or find.steps),
        embedding=None
        if options.only is Network.DETECTOR
        else replace(name, steps=options.embedding_steps or name.steps),
        second=None
        if options.only is Network.DETECTOR or not name.rendered
        else replace(name, rendered=0.0, steps=options.embedding_steps or SECOND_STEPS),
    )


@dataclass(frozen=True, slots=True)
class Output:
    """The folder of a run."""

    folder: Path

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def candidate(self) -> Path:
        """The new model while it is made, and afterwards when it was not taken."""
        return self.folder / "candidate"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def comparison(self) -> Path:
        return self.folder / "comparison.json"

    @property
    def _recipe(self) -> Path:
        return self.checkpoints / "recipe.json"

    def check(self) -> None:
        """Raise InputInvalid where no run can be written: early, before anything is computed."""
        if self.model.exists():
            raise InputInvalid(f"{self.model} is there already", cure="Name another --out, or move the model away.")
        try:
            strange = self.folder.exists() and not self._recipe.exists() and any(self.folder.iterdir())
        except OSError as fault:
            raise InputInvalid(f"{self.folder} cannot be read: {fault.strerror}", cure="Name a folder.") from fault
        if strange:
            raise InputInvalid(
                f"{self.folder} is not empty and holds no training", cure="Name a new or empty folder by --out."
            )

    def settle(self, recipe: RunRecipe) -> None:
        """Begin a run or go on with it; raise InputInvalid when the folder holds another one or cannot be written."""
        wanted = recipe.as_json()
        if self._recipe.exists():
            self._check_same(json.loads(self._recipe.read_bytes()), wanted)
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            write_split(self.folder / SPLIT_FILE, recipe.kept_apart)
            self._recipe.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
        except OSError as fault:
            raise InputInvalid(
                f"{self.folder} cannot be written: {fault.strerror}", cure="Name a folder that you may write by --out."
            ) from fault

    def _check_same(self, before: Json, wanted: Json) -> None:
        changed = differences(before, wanted)
        if changed:
            raise InputInvalid(
                f"{self.folder} holds a training with another recipe: {'; '.join(changed)}",
                cure=f"Say the same options and data as before to go on, name another --out, or delete {self.folder}.",
            )

    def clear_candidate(self) -> None:
        """Make an empty folder for the new model."""
        shutil.rmtree(self.candidate, ignore_errors=True)
        self.candidate.mkdir()


def differences(before: Json, after: Json, place: str = "") -> list[str]:
    """Say what two documents have different, as `detector.steps was 800, is 900`."""
    found = []
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{place}{key}.")
        elif old != new:
            found.append(f"{place}{key} was {_short(old)}, is {_short(new)}")
    return found


def _short(value: object) -> str:
    if isinstance(value, dict):
        return "there"
    text = "not there" if value is None else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
