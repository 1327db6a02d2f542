"""Stops a training between two steps."""

from collections.abc import Callable

Stop = Callable[[], bool]
"""Asked after each step whether to save and stop."""


class Stopped(Exception):  # no error: somebody wanted it, and the state is kept
    """The training was stopped and can go on."""

    def __init__(self, stage: str, done: int, total: int) -> None:
        super().__init__(f"{stage}: stopped after {done} of {total}")


def never() -> bool:
    return False
