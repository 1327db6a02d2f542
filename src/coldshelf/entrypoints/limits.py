"""`/api/v1/limits`: what a caller may send and ask for, from the settings of this installation."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from coldshelf.access.web import SignedIn
from coldshelf.kit import idempotency
from coldshelf.kit.settings import Settings
from coldshelf.kit.web.params import LARGEST_FORM
from coldshelf.kit.web.request import run_of
from coldshelf.pictures.imaging.formats import PictureFormat
from coldshelf.records.filters import MOST_CONDITIONS, MOST_VALUES
from coldshelf.records.listing import DEFAULT_LIMIT
from coldshelf.records.resources.names import PREFIX
from coldshelf.records.resources.reading import MOST_RECORDS

router = APIRouter(tags=["Limits"])


class BodyLimits(BaseModel):
    bytes: int = Field(description="Largest request body")
    recordBytes: int = Field(description="Largest body of one record, as JSON or as a form")  # noqa: N815  # wire name


class UploadLimits(BaseModel):
    files: int = Field(description="Most files in one upload")
    megapixels: float = Field(description="Largest picture")
    formats: list[str] = Field(description="Formats of pictures, known by their content")
    queueAgeSeconds: int = Field(description="Uploads get 429 while a step waits longer")  # noqa: N815  # wire name


class PageLimits(BaseModel):
    default: int = Field(description="Records of a page where no limit is sent")
    resources: int = Field(description="Most records of a page under /api/v1")
    handlers: int = Field(description="Most records of a page of the contract's handlers")


class FilterLimits(BaseModel):
    conditions: int = Field(description="Most conditions in one filter")
    values: int = Field(description="Most values of one condition")


class ExportLimits(BaseModel):
    records: int = Field(description="Most records of one export")


class RateLimits(BaseModel):
    requests: int = Field(description="Requests in one window, of one credential; approximate")
    windowSeconds: int = Field(description="Length of the window")  # noqa: N815  # wire name


class IdempotencyLimits(BaseModel):
    keyCharacters: int = Field(description="Longest Idempotency-Key")  # noqa: N815  # wire name
    keptSeconds: int = Field(description="How long an answer is kept")  # noqa: N815  # wire name
    waitSeconds: int = Field(description="How long a repeated request waits for the first")  # noqa: N815  # wire name


class Limits(BaseModel):
    """Every limit of this installation."""

    body: BodyLimits
    upload: UploadLimits
    page: PageLimits
    filters: FilterLimits
    export: ExportLimits
    rate: RateLimits
    idempotency: IdempotencyLimits


@router.get(f"{PREFIX}/limits", summary="Every limit of this installation", operation_id="get_limits")
async def limits(request: Request, _principal: SignedIn) -> Limits:
    return limits_of(run_of(request).settings)


def limits_of(settings: Settings) -> Limits:
    """Word the settings as limits."""
    return Limits(
        body=BodyLimits(bytes=settings.max_body_bytes, recordBytes=LARGEST_FORM),
        upload=UploadLimits(
            files=settings.max_files,
            megapixels=settings.max_megapixels,
            formats=[kind.value for kind in PictureFormat],
            queueAgeSeconds=int(settings.max_queue_age.total_seconds()),
        ),
        page=PageLimits(default=DEFAULT_LIMIT, resources=MOST_RECORDS, handlers=settings.max_page),
        filters=FilterLimits(conditions=MOST_CONDITIONS, values=MOST_VALUES),
        export=ExportLimits(records=settings.max_export),
        rate=RateLimits(requests=settings.requests_per_minute, windowSeconds=60),
        idempotency=IdempotencyLimits(
            keyCharacters=idempotency.LONGEST_KEY,
            keptSeconds=int(idempotency.KEPT.total_seconds()),
            waitSeconds=int(settings.idempotency_wait.total_seconds()),
        ),
    )
