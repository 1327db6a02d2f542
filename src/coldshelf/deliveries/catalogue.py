"""What the words of a subscription mean among the names of events."""

from collections.abc import Collection, Mapping

from coldshelf.deliveries.errors import EventNotFound, EventsUnknown
from coldshelf.kit.events import EventType

EVERYTHING = "*"
TEST = "subscription.test"
"""The event that every subscription means."""


def check_words(words: str, names: Collection[str]) -> None:
    """Raise EventsUnknown for a word of a comma list that means no event: a name, `image.*`, or `*`."""
    known = [name for name in names if name != TEST]
    unknown = [word for word in split(words) if not any(means(word, name) for name in known)]
    if unknown:
        raise EventsUnknown(f"Events: {', '.join(unknown)[:200]} means no event; there are * and {', '.join(known)}")


def split(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]


def means(word: str, name: str) -> bool:
    """Say whether a word of a subscription means the event."""
    return word in {EVERYTHING, name} or name == TEST or (word.endswith(".*") and name.startswith(word[:-1]))


def kind_of(kinds: Mapping[str, EventType], name: str) -> EventType:
    """Find a public event; raise EventNotFound."""
    if name not in kinds:
        raise EventNotFound(f"There is no event {name[:100]!r}")
    return kinds[name]
