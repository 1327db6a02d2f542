"""`POST /api/v1/exports`, `…/cancel`, `…/freshness`, `POST /api/v1/erasures`; lists come from the datasets."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from coldshelf.access.principal import ADMINS, Principal
from coldshelf.access.web import SignedIn
from coldshelf.kit.clock import wire_time
from coldshelf.kit.db import Connection
from coldshelf.kit.web.openapi import problems
from coldshelf.kit.web.params import LARGEST_INTEGER
from coldshelf.kit.web.request import run_of
from coldshelf.publishing import models
from coldshelf.publishing.datasets.publication_run import PUBLICATION_RUN
from coldshelf.publishing.erasing import Wish, erase_in, outlook, remove_pictures
from coldshelf.publishing.freshness import Freshness, freshness
from coldshelf.publishing.scheduling import cancel_run, start_run
from coldshelf.records.handlers import answer_once, answered
from coldshelf.records.limits import require_read
from coldshelf.records.registry import Registry

PATH = "/api/v1/exports"
ERASURES_PATH = "/api/v1/erasures"
router = APIRouter(prefix=PATH, tags=["PublicationRun"])
RunId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER, description="PublicationRunId")]
Write = Callable[[Connection], Awaitable[Mapping[str, Any]]]
"""What is done in the transaction of the request; gives the row of the run."""
NO_ZERO_BYTES = r"^[^\x00]*$"


class ExportWish(BaseModel):
    """A run that is asked for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"Publication": "Nightly"}]})

    Publication: str = Field(max_length=150, pattern=NO_ZERO_BYTES, description="Name of the publication")
    Mode: models.Mode | None = Field(default=None, description="Another mode than that of the publication")


class ExportStarted(BaseModel):
    """The run: follow it under the address in `Location`."""

    PublicationRunId: int
    PublicationId: int
    State: str
    Mode: str
    CreatedOn: str = Field(description="UTC")


@router.post(
    "",
    status_code=202,
    response_model=ExportStarted,
    operation_id="export_start",
    summary="Run a publication now",
    description="It waits while another run of the publication is under way; the address in `Location` follows it.",
    responses=problems(400, 401, 403, 404, 409, 422, 429),
)
async def start(request: Request, principal: SignedIn, wish: ExportWish) -> Response:
    async def write(connection: Connection) -> Mapping[str, Any]:
        return await start_run(run_of(request), connection, principal.client, wish.Publication, wish.Mode)

    return await _once(request, principal, wish, write)


@router.post(
    "/{run_id}/cancel",
    status_code=202,
    response_model=ExportStarted,
    operation_id="export_cancel",
    summary="Cancel a run that waits or is under way",
    description="What it has written so far is removed.",
    responses=problems(401, 403, 404, 409, 422, 429),
)
async def cancel(request: Request, principal: SignedIn, run_id: RunId) -> Response:
    async def write(connection: Connection) -> Mapping[str, Any]:
        return await cancel_run(run_of(request), connection, principal.client, run_id)

    return await _once(request, principal, None, write)


class TableFreshness(BaseModel):
    """How fresh a published table is."""

    PublicationId: int
    Publication: str
    Destination: str
    Table: str
    AsOf: str | None = Field(description="UTC; every change before it is published; null: nothing was yet")
    AgeSeconds: int | None
    IsLate: bool = Field(description="A slot of the schedule is overdue by more than the publication's LateAfter")
    PublicationRunId: int | None = Field(description="The run that its files come from")


class FreshnessPage(BaseModel):
    data: list[TableFreshness]


@router.get(
    "/freshness",
    operation_id="export_freshness",
    summary="How fresh the tables of every publication are",
    responses=problems(401, 403, 429),
)
async def fresh(request: Request, principal: SignedIn) -> FreshnessPage:
    require_read(principal, PUBLICATION_RUN)
    run = run_of(request)
    async with run.database.scope(principal.client, readonly=True) as connection:
        found = await freshness(connection, run.clock.now())
    return FreshnessPage(data=[_shown(one) for one in found])


def _shown(one: Freshness) -> TableFreshness:
    return TableFreshness(
        PublicationId=one.publication_id,
        Publication=one.publication,
        Destination=one.destination,
        Table=one.table,
        AsOf=wire_time(one.as_of) if one.as_of else None,
        AgeSeconds=int(one.age.total_seconds()) if one.age is not None else None,
        IsLate=one.is_late,
        PublicationRunId=one.run,
    )


async def _once(request: Request, principal: Principal, wish: BaseModel | None, write: Write) -> Response:
    principal.require_write("Publication", ADMINS)
    principal.require_every_outlet()

    async def write_and_say(connection: Connection) -> Response:
        return _answer(await write(connection))

    return await answer_once(request, principal, wish, write_and_say)


def _answer(row: Mapping[str, Any]) -> Response:
    created: datetime = row["created_on"]
    said = ExportStarted(
        PublicationRunId=row["id"],
        PublicationId=row["publication_id"],
        State=row["state"],
        Mode=row["mode"],
        CreatedOn=wire_time(created),
    )
    return answered(said, status=202, location=f"{PATH}/{row['id']}")


class ErasureWish(BaseModel):
    """A record that is to be erased for legal reasons."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"Dataset": "Contact", "RecordId": 7}]})

    Dataset: str = Field(max_length=150, pattern=NO_ZERO_BYTES, description="Its entity; AssetPurity for a picture")
    RecordId: int = Field(ge=1, le=LARGEST_INTEGER)
    Reason: str = Field(default="", max_length=1000, pattern=NO_ZERO_BYTES, description="Why, without saying who")
    Check: bool = Field(default=False, description="Only list what would be reached; nothing is changed")


class ErasureReached(BaseModel):
    """Something that holds the record, or may, and what becomes of it."""

    Destination: str
    Path: str
    What: str = Field(description="rewritten, removed, cleaned, made a tombstone or out of reach")
    Why: str
    RunId: str
    AsOf: str | None = Field(description="UTC")


class ErasureAnswer(BaseModel):
    """`ErasureId` is null, and `Reached` filled, where it was only asked for."""

    ErasureId: int | None
    Reached: list[ErasureReached]


def erasures_router(registry: Registry) -> APIRouter:
    """Give the door of erasures."""
    erasures = APIRouter(prefix=ERASURES_PATH, tags=["Erasure"])

    @erasures.post(
        "",
        status_code=202,
        response_model=ErasureAnswer,
        operation_id="erasure_start",
        summary="Erase a record for legal reasons",
        description=(
            "The record is a tombstone at once; files and open tables that still hold it are reached after 35 days."
            " The address in `Location` tells what came of it."
        ),
        responses={
            200: {"model": ErasureAnswer, "description": "Checked"},
            **problems(400, 401, 403, 404, 409, 422, 429),
        },
    )
    async def start_erasure(request: Request, principal: SignedIn, wish: ErasureWish) -> Response:
        run, wanted = run_of(request), Wish(wish.Dataset, wish.RecordId, wish.Reason)
        if wish.Check:
            found = [one.as_json() for one in await outlook(run, registry, principal, wanted)]
            return answered(ErasureAnswer.model_validate({"ErasureId": None, "Reached": found}))

        async def write(connection: Connection) -> Response:
            erasure_id = await erase_in(run, connection, registry, principal, wanted)
            said = ErasureAnswer(ErasureId=erasure_id, Reached=[])
            return answered(said, status=202, location=f"{ERASURES_PATH}/{erasure_id}")

        answer = await answer_once(request, principal, wish, write)
        await remove_pictures(run, principal.client, wanted)
        return answer

    return erasures
