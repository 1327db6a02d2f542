"""How often long work notes how far it is: often enough for who watches, seldom enough for the database."""

import time
from collections.abc import Callable

TOLD_AFTER = 0.5
"""Seconds between two notes of progress."""


class Pace:
    """Says when progress is to be noted: at first, when the phase changes, and then every half second at most."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._phase: str | None = None
        self._told = 0.0

    def is_due(self, phase: str = "") -> bool:
        """Say whether to note progress now; whoever is told so notes it."""
        now = self._seconds()
        if phase == self._phase and now - self._told < TOLD_AFTER:
            return False
        self._phase, self._told = phase, now
        return True
