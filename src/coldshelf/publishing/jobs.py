"""The handlers that run publications and go on with erasures."""

from collections.abc import Callable
from datetime import timedelta

from coldshelf.kit.events import Handler, Step
from coldshelf.publishing import erasing
from coldshelf.publishing.events import DUE, ERASURE_DUE
from coldshelf.publishing.running import give_up, perform
from coldshelf.records.registry import Registry

LONGEST_RUN = timedelta(hours=12)


def export_handler(registry: Callable[[], Registry]) -> Handler:
    """Give the reaction to a publication that is due."""

    async def handle(step: Step) -> None:
        await perform(step, registry())

    return Handler("publishing.export", DUE.name, handle, give_up, longest=LONGEST_RUN)


def erasure_handler(registry: Callable[[], Registry]) -> Handler:
    """Give the reaction to erasures that are due."""

    async def handle(step: Step) -> None:
        await erasing.perform(step, registry())

    return Handler("publishing.erase", ERASURE_DUE.name, handle, erasing.give_up, longest=LONGEST_RUN)
