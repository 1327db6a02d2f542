"""The recognisers that are shipped, and those that other packages bring.

Comes from: pictures and catalogues that the recognition jobs hand over.
Goes to: the recognition jobs, `coldshelf recognise` and `coldshelf evaluate`, which choose one by name.
"""

from importlib.metadata import entry_points

from coldshelf.kit.errors import NotFound
from coldshelf.recognition.recogniser import Recogniser
from coldshelf.recognition.recognisers.colour import ColourRecogniser

ENTRY_POINT_GROUP = "coldshelf.recognisers"
"""Third parties name a class of theirs here; it is made without arguments."""

RECOGNISERS: tuple[Recogniser, ...] = (ColourRecogniser(),)


def by_name(name: str) -> Recogniser:
    """Return a shipped recogniser, or else one of another package; the error names the known ones."""
    shipped = {recogniser.name: recogniser for recogniser in RECOGNISERS}
    if name in shipped:
        return shipped[name]
    brought = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    if name in brought:
        recogniser: Recogniser = brought[name].load()()
        return recogniser
    known = ", ".join(sorted(shipped | brought))
    raise NotFound(f"No recogniser is called {name!r}", cure=f"Use one of: {known}.")
