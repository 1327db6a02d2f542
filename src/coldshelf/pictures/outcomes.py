"""Pending, auto-provisioned or rejected: the decision table of contract 2.4, evaluated in order. Pure."""

from dataclasses import dataclass

from coldshelf.pictures.models import Outcome, Status, Verdict
from coldshelf.pictures.scenes import Scene

ZERO_BYTES = "ZeroBytes"
NO_PLANOGRAM = "NoPlanogram"
UNKNOWN_SCENE = "UnknownScene"
SEVERAL_ASSETS = "SeveralAssets"
FUTURE_TIME = "CaptureTimeInFuture"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when an upload is accepted; `scene` is None when it is not declared."""

    scene: Scene | None
    is_empty: bool
    has_asset: bool
    has_planogram: bool
    demands_planogram: bool
    reviews_by_hand: bool
    is_in_future: bool


def decide(facts: Facts) -> Verdict:
    """Give the outcome of an accepted upload."""
    if facts.is_empty:
        return rejected(ZERO_BYTES)
    if facts.scene is None:
        return pending(UNKNOWN_SCENE)
    if facts.scene.needs_asset and not facts.has_asset:
        return pending(SEVERAL_ASSETS)
    if not facts.scene.is_analysed:
        return PROVISIONED
    if facts.demands_planogram and not facts.has_planogram:
        return pending(NO_PLANOGRAM) if facts.reviews_by_hand else rejected(NO_PLANOGRAM)
    return pending(FUTURE_TIME) if facts.is_in_future else PROVISIONED


def decide_quality(verdict: str, reason: str | None) -> Verdict | None:
    """Give the outcome that a look at the pixels enforces; None leaves the first one."""
    if verdict == "unusable":
        return rejected(reason or "Unusable")
    if verdict == "doubtful":
        return pending(reason or "DoubtfulQuality")
    return None


def rejected(reason: str) -> Verdict:
    return Verdict(Outcome.REJECTED, Status.REJECTED, reason)


def pending(reason: str) -> Verdict:
    return Verdict(Outcome.PENDING, Status.UNPROVISIONED, reason)


PROVISIONED = Verdict(Outcome.AUTO_PROVISIONED, Status.PROVISIONED)
