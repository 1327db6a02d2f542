"""The recognisers that are shipped, and those that other packages bring.

Comes from: pictures and catalogues that the recognition jobs hand over.
Goes to: the recognition jobs, `coldshelf recognise` and `coldshelf evaluate`, which choose one by name.
"""

from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path

from coldshelf.kit.errors import NotFound
from coldshelf.recognition.recogniser import Recogniser
from coldshelf.recognition.recognisers.colour import ColourRecogniser
from coldshelf.recognition.recognisers.neural import NeuralRecogniser

ENTRY_POINT_GROUP = "coldshelf.recognisers"
"""Third parties name a class of theirs here; it is made without arguments."""

OWN_MODELS = "neural:"
"""Before a folder that `coldshelf train` made."""

RECOGNISERS: tuple[Recogniser, ...] = (NeuralRecogniser(), ColourRecogniser())


@lru_cache(maxsize=8)
def by_name(name: str) -> Recogniser:
    """Return a shipped recogniser, one of another package, or `neural:FOLDER` for own models.

    The error names the known ones. A recogniser is made once for each name, since it keeps what it made of references.
    """
    if name.startswith(OWN_MODELS):
        return NeuralRecogniser(Path(name.removeprefix(OWN_MODELS)))
    shipped = {recogniser.name: recogniser for recogniser in RECOGNISERS}
    if name in shipped:
        return shipped[name]
    brought = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    if name in brought:
        recogniser: Recogniser = brought[name].load()()
        return recogniser
    known = ", ".join([*sorted(shipped | brought), f"{OWN_MODELS}FOLDER"])
    raise NotFound(f"No recogniser is called {name!r}", cure=f"Use one of: {known}.")
