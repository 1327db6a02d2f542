"""Reprocessing: what a recogniser says now of pictures that have a result, shown before it replaces anything.

A run chooses pictures and deals them to lanes; each lane is a chain of steps with one picture in work at a time, in
the background, so that new pictures always go first and a killed worker loses nothing. Candidates are kept apart from
results until they are accepted; then they are served like any new result.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from coldshelf.access.principal import Principal
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event, EventType, Step
from coldshelf.kit.ids import ClientId
from coldshelf.kit.objects import ObjectStore
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures.imaging.decode import decode
from coldshelf.pictures.models import Kind, Rendition, Status
from coldshelf.pictures.service import renditions
from coldshelf.recognition import store
from coldshelf.recognition.differences import Change, compare
from coldshelf.recognition.errors import CandidateNotReady, NothingToReprocess, ReprocessingNotFound
from coldshelf.recognition.events import CANDIDATE_ACCEPTED, CANDIDATE_MADE, CANDIDATE_WANTED
from coldshelf.recognition.models import Candidate, CandidateState, Result
from coldshelf.recognition.recogniser import Recogniser
from coldshelf.recognition.recognisers import by_name
from coldshelf.recognition.service.recognise import Job, Recognised, keep_drawn, load_job, look, serve
from coldshelf.records.dataset import Dataset
from coldshelf.records.errors import RecordNotFound
from coldshelf.records.filters import Condition, known_column
from coldshelf.records.selecting import select_ids

OPEN = (CandidateState.WAITING, CandidateState.RECOGNISED, CandidateState.READY, CandidateState.ACCEPTED)
FAILED_REASON = "ProcessingFailed"
NO_RESULT = "There is no picture to look at, or no result to compare with"


@dataclass(frozen=True, slots=True)
class Stage:
    """What the pictures of a lane wait for, and the event that asks for the next one."""

    state: CandidateState
    event: EventType


LOOKING = Stage(CandidateState.WAITING, CANDIDATE_WANTED)
SERVING = Stage(CandidateState.ACCEPTED, CANDIDATE_ACCEPTED)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which pictures: those that meet all conditions, or with `everything` all that are processed.

    `text` says the same for readers.
    """

    conditions: tuple[Condition, ...]
    everything: bool
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Which candidates of a run a decision is about: those of the pictures (None: of all), or only differing ones."""

    picture_ids: Sequence[int] | None = None
    only_differing: bool = False


async def start_reprocessing(
    run: Runtime, connection: Connection, dataset: Dataset, principal: Principal, *, recogniser: str, chosen: Selection
) -> int:
    """Begin a run over processed pictures of the dataset AssetPurity; give its id. Nothing is replaced yet."""
    name = by_name(recogniser or run.settings.recogniser).name
    picture_ids = await _choose(connection, principal, dataset, chosen)
    lanes = min(run.settings.reprocessing_lanes, len(picture_ids))
    run_id = await store.add_reprocessing(connection, name, chosen.text, lanes=lanes, picture_ids=picture_ids)
    for lane in range(lanes):
        await _continue(run, connection, principal.client, (run_id, lane), LOOKING)
    return run_id


async def accept_candidates(
    run: Runtime, connection: Connection, client_id: ClientId, run_id: int, decision: Decision
) -> int:
    """Let the candidates that are ready replace the served results; give how many."""
    changed = await _decide(connection, run_id, (CandidateState.READY,), CandidateState.ACCEPTED, decision)
    for lane in range(await store.lanes_of(connection, run_id) or 0):
        await _continue(run, connection, client_id, (run_id, lane), SERVING)
    return changed


async def discard_candidates(connection: Connection, run_id: int, decision: Decision) -> int:
    """Forget the candidates that are not served yet, and look at no further picture; give how many."""
    return await _decide(connection, run_id, OPEN, CandidateState.DISCARDED, decision)


async def make_candidate(step: Step) -> None:
    """Handle `candidate.wanted`: recognise a picture again and compare it with what is served."""
    run: Runtime = step.run
    candidate = await _load(step, CandidateState.WAITING)
    if candidate is None:
        return
    recogniser = by_name(candidate.recogniser[0])
    job = await load_job(run, step.event.client_id, candidate.picture_id)
    found = await run.off_loop(_look, run.objects, recogniser, job) if job else None
    async with step.effect() as connection:
        base = await store.served_result(connection, candidate.picture_id)
        if found is None or base is None:
            await _end(connection, candidate, CandidateState.FAILED, NO_RESULT)
        elif not await store.keep_candidate(connection, candidate.id, _compared(base, found)):
            return
        else:
            await run.events.publish(connection, _event(run, CANDIDATE_MADE, step.event.client_id, candidate.id))
        await _go_on(step, connection, candidate, LOOKING)


async def serve_candidate(step: Step) -> None:
    """Handle `candidate.accepted`: serve it, unless another result was served since it was compared."""
    run: Runtime = step.run
    candidate = await _load(step, CandidateState.ACCEPTED)
    if candidate is None:
        return
    job = await load_job(run, step.event.client_id, candidate.picture_id)
    found = Recognised(candidate.recogniser, candidate.rows, candidate.shelves)
    annotated = await run.off_loop(_redraw, run.objects, job, found, step) if job else None
    async with step.effect() as connection:
        base = await store.served_result(connection, candidate.picture_id)
        if job is None or annotated is None or base is None:
            await _end(connection, candidate, CandidateState.FAILED, NO_RESULT)
        elif base.id != candidate.base_result_id:
            await _end(connection, candidate, CandidateState.STALE, f"Version {base.number} was served meanwhile")
        elif await _end(connection, candidate, CandidateState.APPLIED):
            await serve(step, connection, job.picture, found, annotated)
        await _go_on(step, connection, candidate, SERVING)


async def give_up_candidate(step: Step, connection: Connection) -> None:
    """End a candidate that no worker could work on, and go on with the next picture of its lane."""
    candidate = await store.load_candidate(connection, step.event.key)
    if candidate is None:
        return
    await _end(connection, candidate, CandidateState.FAILED, FAILED_REASON)
    await _go_on(step, connection, candidate, SERVING if step.event.type == SERVING.event.name else LOOKING)


async def recognised_candidate(connection: Connection, candidate_id: int) -> Candidate | None:
    """Give a candidate whose figures are still to be made."""
    candidate = await store.load_candidate(connection, candidate_id)
    return candidate if candidate and candidate.state is CandidateState.RECOGNISED else None


async def finish_candidate(connection: Connection, candidate: Candidate) -> None:
    """Note that the figures of a candidate are made: it waits for a decision."""
    await store.change_state(connection, candidate.id, (CandidateState.RECOGNISED,), CandidateState.READY)
    await store.touch_reprocessing(connection, candidate.reprocessing_id)


async def summarise(connection: Connection, run_id: int) -> dict[str, object]:
    """Sum up the differences of a run: facings by what became of them, and the most frequent changes of name."""
    if await store.lanes_of(connection, run_id) is None:
        raise ReprocessingNotFound(f"There is no Reprocessing with id {run_id}")
    return {**await store.totals(connection, run_id), "Renames": await store.renames(connection, run_id)}


async def _choose(connection: Connection, principal: Principal, dataset: Dataset, chosen: Selection) -> list[int]:
    if chosen.everything == bool(chosen.conditions):
        raise NothingToReprocess
    processed = Condition(known_column(dataset, "StatusId"), "=", (Status.PROCESSED,))
    found = await select_ids(connection, principal, dataset, (*chosen.conditions, processed))
    if len(chosen.conditions) == 1 and chosen.conditions[0].column.wire == dataset.key:
        _check_named(chosen.conditions[0], found)
    if not found:
        raise NothingToReprocess("No processed picture meets the filter", cure="")
    return found


def _check_named(named: Condition, found: Sequence[int]) -> None:
    if named.operator in {"=", "IN"} and (missing := set(named.values) - set(found)):
        raise RecordNotFound(f"There is no processed AssetPurity with id {min(missing)}")


async def _decide(
    connection: Connection,
    run_id: int,
    before: Sequence[CandidateState],
    after: CandidateState,
    decision: Decision,
) -> int:
    if await store.lanes_of(connection, run_id) is None:
        raise ReprocessingNotFound(f"There is no Reprocessing with id {run_id}")
    changed = await store.decide(
        connection,
        run_id,
        before,
        after,
        picture_ids=decision.picture_ids,
        only_differing=decision.only_differing,
    )
    missing = set(decision.picture_ids or ()) - set(changed)
    if missing and not decision.only_differing:
        raise CandidateNotReady(f"AssetPurity {min(missing)} has no candidate in Reprocessing {run_id} to decide on")
    await store.touch_reprocessing(connection, run_id)
    return len(changed)


def _compared(base: Result, found: Recognised) -> store.Compared:
    comparison = compare(base.rows, found.rows)
    added, gone, renamed, moved = (comparison.count(change) for change in Change)
    return store.Compared(
        base=base,
        new_model=" ".join(found.recogniser),
        counts=(added, gone, renamed, moved, comparison.same),
        differences=orjson.dumps([item.as_json() for item in comparison.differences]).decode(),
        shelves=found.shelves,
        rows=found.rows,
    )


def _look(objects: ObjectStore, recogniser: Recogniser, job: Job) -> Recognised:
    return look(objects, recogniser, job, decode(objects.get(job.image_key)))


def _redraw(objects: ObjectStore, job: Job, found: Recognised, step: Step) -> Rendition:
    key = renditions.rendition_key(job.client_id, job.picture, Kind.ANNOTATED, step.event.id)
    return keep_drawn(objects, decode(objects.get(job.image_key)), found, key)


async def _load(step: Step, state: CandidateState) -> Candidate | None:
    async with step.bus.database.scope(step.event.client_id, readonly=True) as connection:
        candidate = await store.load_candidate(connection, step.event.key)
    return candidate if candidate and candidate.state is state else None


async def _end(connection: Connection, candidate: Candidate, state: CandidateState, reason: str = "") -> bool:
    """Bring an open candidate to its end; False when it has one."""
    return await store.change_state(connection, candidate.id, OPEN, state, reason=reason)


async def _go_on(step: Step, connection: Connection, candidate: Candidate, stage: Stage) -> None:
    await store.touch_reprocessing(connection, candidate.reprocessing_id)
    place = (candidate.reprocessing_id, candidate.lane)
    await _continue(step.run, connection, step.event.client_id, place, stage)


async def _continue(
    run: Runtime, connection: Connection, client_id: ClientId, place: tuple[int, int], stage: Stage
) -> None:
    """Ask for the next picture of a lane; `place` is the run and the lane."""
    following = await store.next_in_lane(connection, *place, stage.state)
    if following is not None:
        await run.events.publish(connection, _event(run, stage.event, client_id, following))


def _event(run: Runtime, kind: EventType, client_id: ClientId, candidate_id: int) -> Event:
    return Event.of(kind, client_id, "ReprocessingPicture", candidate_id, run.clock.now())
