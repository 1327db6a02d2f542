"""HTML that is made of templates and values: what is not HTML already is escaped, so that no page can forget it."""

from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is HTML: the templates of a page, and what `fill` made of them."""

    __slots__ = ()


EMPTY = Html("")


def fill(template: str, **values: object) -> Html:
    """Put values into the places `{name}` of a template; all but Html is escaped, also for attributes."""
    return Html(template.format(**{name: _safe(value) for name, value in values.items()}))


def join(parts: Iterable[object]) -> Html:
    """Put parts one behind the other; all but Html is escaped."""
    return Html("".join(map(_safe, parts)))


def _safe(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value), quote=True)
