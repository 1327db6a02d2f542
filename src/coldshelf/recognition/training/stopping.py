"""Stops a training between two steps."""

from collections.abc import Callable

Stop = Callable[[], bool]
"""Asked after each step whether to save and stop."""


class Stopped(Exception):  # no error: somebody wanted it, and the state is kept
    """The training was stopped and can go on."""

    def __init__(self, done: int, steps: int) -> None:
        super().__init__(f"stopped after step {done} of {steps}")
        self.done, self.steps = done, steps


def never() -> bool:
    return False
