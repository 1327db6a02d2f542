"""Writes MODEL_CARD.md of a trained model: where it comes from, how good it is, where it ends. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coldshelf.recognition.training.comparison import FIGURES, RULE, Verdict, figure

Json = dict[str, Any]  # a JSON document


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card says."""

    version: str
    folders: Sequence[str]
    labels: str
    trained: int
    kept: int
    boxes: int
    skus: int
    recipe: Json
    versions: Json
    """Versions of the libraries, by name."""
    new: Json
    in_use: Json
    verdict: Verdict


_CARD = """# Model card: {version}

Trained by `coldshelf train` on own pictures. A detector of facings that knows no product, and an embedding that names
what resembles a reference picture.

## Data

- Folders: {folders}
- Labels: {labels}
- Pictures trained on: {trained}; kept apart for thresholds, weights and the comparison: {kept}
- True boxes: {boxes}, of {skus} SKUs; left out of training: {leave_out}
- Coolers drawn by Coldshelf's renderer: {rendered}
- Credit and licence of the pictures: to be filled in by whoever hands the model on.

## Recipe

Seed {seed}; {versions}.

| network | steps | batch | rate | drawn share |
| --- | --- | --- | --- | --- |
{networks}

`checkpoints/recipe.json` beside the model has every number, `split.json` the pictures kept apart.

## Figures

On the pictures kept apart. Thresholds and weights were fixed on the same pictures, so they flatter a little; measure on
others with `coldshelf evaluate FOLDER --recogniser neural:MODEL`.

| figure | this model | {in_use} |
| --- | --- | --- |
{figures}

{rule} {why}

## Limits

- Figures hold for coolers, cameras and products like those of the folders, and for no others.
- Intervals are wide: {kept} pictures were compared.
- Labels that lack boxes make precision look worse than it is.
- Products without a reference picture can be found, not named.
"""


def card(facts: Facts) -> str:
    """Return the text of the card."""
    return _CARD.format(
        version=facts.version,
        folders=", ".join(f"`{folder}`" for folder in facts.folders),
        labels=facts.labels,
        trained=facts.trained,
        kept=facts.kept,
        boxes=facts.boxes,
        skus=facts.skus,
        leave_out=", ".join(facts.recipe["leave_out"]) or "none",
        rendered=facts.recipe["rendered"],
        seed=facts.recipe["seed"],
        versions=", ".join(f"{name} {version}" for name, version in facts.versions.items()),
        networks="\n".join(
            _network(facts, name) for name in ("detector", "embedding", "second") if name in facts.recipe
        ),
        in_use=f"in use ({facts.in_use['recogniser']})",
        figures="\n".join(
            f"| {part}.{name} | {_words(facts.new, part, name)} | {_words(facts.in_use, part, name)} |"
            for part, name in FIGURES
        ),
        rule=RULE,
        why=facts.verdict.why,
    )


def _network(facts: Facts, name: str) -> str:
    recipe = facts.recipe[name]
    if recipe is None:
        return f"| {name} | taken from the model in use | | | |"
    return f"| {name} | {recipe['steps']} | {recipe['batch']} | {recipe['rate']} | {recipe['rendered']} |"


def _words(found: Json, part: str, name: str) -> str:
    value = figure(found, part, name)
    return "-" if value is None else str(value)
