"""One training from folders to a model that is taken only if it is better."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import torch

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.networks.models import DETECTOR, EMBEDDING, Model, fingerprint, read_model
from coldshelf.recognition.training.calibrate import fix_model
from coldshelf.recognition.training.card import Facts, card
from coldshelf.recognition.training.comparison import RULE, Grounds, Verdict, judge, measure_model
from coldshelf.recognition.training.detector import train_detector
from coldshelf.recognition.training.embedding import Recipe, crops_of, train_embedding
from coldshelf.recognition.training.export import export_detector, export_embedding
from coldshelf.recognition.training.material import (
    Material,
    catalogue_of,
    check_enough,
    choose_kept_apart,
    fingerprint_of,
    read_material,
    scarce,
)
from coldshelf.recognition.training.nets import Embedding, Joined
from coldshelf.recognition.training.options import Follow, Options
from coldshelf.recognition.training.recipes import Output, RunRecipe, recipe_of
from coldshelf.recognition.training.samples import (
    Sample,
    readable,
    rendered_samples,
    skus_of,
    split,
    without,
)
from coldshelf.recognition.training.stopping import Stop, Stopped, never

Json = dict[str, Any]  # a JSON document


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training ended: the folder of the new model, and whether it was taken."""

    folder: Path
    taken: bool
    verdict: Verdict
    comparison: Json
    """As in comparison.json: the reports of both models, the rule and the decision."""
    scarce: tuple[str, ...]
    """SKUs that one box alone shows."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The material, divided; products left out are painted over in `trained` and ignored in both."""

    material: Material
    whole: Sequence[Sample]
    """Pictures trained on as they are."""
    trained: Sequence[Sample]
    kept: Sequence[Sample]
    recipe: RunRecipe


@dataclass(frozen=True, slots=True)
class _Teller:
    """Hands progress on, and stops between two steps when somebody wants it."""

    follow: Follow
    stop: Stop

    def about(self, stage: str, total: int) -> Callable[[int], None]:
        def tell(done: int) -> None:
            self.follow(stage, done, total, None)
            if self.stop():
                raise Stopped(stage, done, total)

        return tell

    def training(self, stage: str) -> Callable[[int, int, float], None]:
        return lambda step, steps, loss: self.follow(stage, step, steps, loss)


def train(folders: Sequence[Path], out: Path, options: Options, follow: Follow, stop: Stop = never) -> Outcome:
    """Train, compare with the model in use and take the new model if it is better.

    What was done is kept in `out`, so that the same call goes on after an interruption. Raise NotFound or InputInvalid
    when folders, options or `out` cannot be used, and Stopped when `stop` said so.
    """
    output = Output(out)
    output.check()
    in_use = read_model(options.against)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    parts = _divide(read_material(folders, options.corrections), options)
    output.settle(parts.recipe)
    teller = _Teller(follow, stop)
    _train_networks(parts, output, options, teller)
    model = _finish(output.candidate, parts, options)
    grounds = Grounds(
        pictures=parts.material.of(parts.recipe.kept_apart),
        catalogue=catalogue_of(parts.material, parts.whole, options.seed),
        brands=parts.material.brands,
        labels=parts.material.labels,
    )
    new = measure_model(output.candidate, grounds, teller.about("Measuring the new model", len(grounds.pictures)))
    old = measure_model(in_use.folder, grounds, teller.about("Measuring the model in use", len(grounds.pictures)))
    return _decide(output, parts, model, options, new=new, old=old)


def _divide(material: Material, options: Options) -> _Parts:
    kept_apart = choose_kept_apart(material, options.split, options.seed)
    whole, kept = split(material.samples, kept_apart)
    strange = sorted(set(options.leave_out) - set(skus_of(material.samples)))
    if strange:
        raise InputInvalid(f"{strange[0]!r} is no SKU of the pictures, so it cannot be left out", cure="Check the SKU.")
    trained = without(whole, options.leave_out, options.seed)
    kept = without(kept, options.leave_out, options.seed)
    check_enough(trained, kept)
    return _Parts(material, whole, trained, kept, recipe_of(options, fingerprint_of(material.samples), kept_apart))


def _train_networks(parts: _Parts, output: Output, options: Options, teller: _Teller) -> None:
    """Train what the recipe names and write the networks into the folder of the candidate."""
    recipe = parts.recipe
    told = teller.about("Drawing coolers", recipe.rendered)
    drawn = rendered_samples(recipe.seed, recipe.rendered, told=told) if recipe.rendered else []
    output.clear_candidate()
    device = choose_device()
    if recipe.detector is None:
        shutil.copyfile(options.against / DETECTOR, output.candidate / DETECTOR)
    else:
        detector = train_detector(
            [sample.picture for sample in parts.trained],
            recipe.detector,
            rendered=[sample.picture for sample in drawn],
            checkpoint=output.checkpoints / "detector.ckpt",
            report=teller.training("Training the detector"),
            device=device,
            stop=teller.stop,
        )
        export_detector(detector, output.candidate / DETECTOR)
    if recipe.embedding is None:
        shutil.copyfile(options.against / EMBEDDING, output.candidate / EMBEDDING)
    else:
        members = {"embedding": recipe.embedding, "second embedding": recipe.second}
        trained = [
            _train_member(
                parts, member, drawn, checkpoint=output.checkpoints / f"{name}.ckpt", device=device, teller=teller
            )
            for name, member in members.items()
            if member is not None
        ]
        export_embedding(Joined(trained), output.candidate / EMBEDDING)


def _train_member(
    parts: _Parts,
    recipe: Recipe,
    drawn: Sequence[Sample],
    *,
    checkpoint: Path,
    device: str,
    teller: _Teller,
) -> Embedding:
    return train_embedding(
        crops_of(parts.trained, skus_of(readable(parts.trained))),
        recipe,
        rendered=crops_of(drawn, skus_of(drawn)) if recipe.rendered else [],
        checkpoint=checkpoint,
        report=teller.training(f"Training the {checkpoint.stem}"),
        device=device,
        stop=teller.stop,
    )


def choose_device() -> str:
    """Return the device to train on: the GPU that torch sees, else the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _finish(candidate: Path, parts: _Parts, options: Options) -> Model:
    """Fix thresholds and weights; the version names the networks, so that results say which ones made them."""
    return fix_model(
        candidate,
        kept=readable(parts.kept),
        references=readable(parts.trained),
        version=f"own-{fingerprint(candidate)}",
        seed=options.seed,
    )


def _decide(output: Output, parts: _Parts, model: Model, options: Options, *, new: Json, old: Json) -> Outcome:
    """Write what was found; the last thing is that the model gets its name."""
    verdict = judge(new, old)
    taken = verdict.better or options.take_anyway
    facts = _facts(parts, model, verdict, new=new, old=old)
    (output.candidate / "MODEL_CARD.md").write_text(card(facts), encoding="utf-8")
    comparison = {
        "better": verdict.better,
        "taken": taken,
        "why": verdict.why,
        "rule": RULE,
        "kept_apart": len(parts.kept),
        "new": new,
        "in_use": old,
    }
    output.comparison.write_text(json.dumps(comparison, indent=1) + "\n", encoding="utf-8")
    if taken:
        output.candidate.rename(output.model)
    folder = output.model if taken else output.candidate
    return Outcome(folder, taken, verdict, comparison, tuple(scarce(parts.trained)))


def _facts(parts: _Parts, model: Model, verdict: Verdict, *, new: Json, old: Json) -> Facts:
    samples = readable([*parts.trained, *parts.kept])
    return Facts(
        version=model.version,
        folders=[folder.resolve().name for folder in parts.material.folders],
        labels=parts.material.labels,
        trained=len(parts.trained),
        kept=len(parts.kept),
        boxes=sum(len(sample.labels) for sample in samples),
        skus=len(skus_of(samples)),
        recipe=parts.recipe.as_json(),
        versions={name: version(name) for name in ("coldshelf", "torch", "onnx", "numpy")},
        new=new,
        in_use=old,
        verdict=verdict,
    )
