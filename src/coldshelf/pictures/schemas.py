"""Shapes on the wire of `/api/v1`: what is sent and answered about pictures."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from coldshelf.kit.web.params import LARGEST_INTEGER

NO_ZERO_BYTES = r"^[^\x00]*$"
"""PostgreSQL has no text with a zero byte."""
MOST_DECIDED = 1000
"""Pictures that one request may decide on."""


class ReviewWish(BaseModel):
    """A reviewer's decision."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "reject", "reopen"] = Field(description="reopen: take a decision back")
    reason: str = Field(default="", pattern=NO_ZERO_BYTES, description="Why; required to reject")
    serial_number: str = Field(
        default="", max_length=250, pattern=NO_ZERO_BYTES, description="Correction: the cooler that it shows"
    )
    asset_id: int | None = Field(default=None, ge=1, le=LARGEST_INTEGER, description="Correction: the same by its id")
    store_number: str = Field(default="", max_length=250, pattern=NO_ZERO_BYTES, description="Correction: the outlet")
    scene_type: str = Field(default="", max_length=250, pattern=NO_ZERO_BYTES, description="Correction: what it shows")


class ReviewOfMany(ReviewWish):
    """A decision on several pictures, named in one of three ways."""

    guids: Annotated[list[UUID], Field(max_length=MOST_DECIDED)] = Field(default=[], description="Named pictures")
    filters: dict[str, Any] = Field(  # JSON of the filter grammar
        default={}, description="The filters of lists; of these, what waits"
    )
    all_pending: bool = Field(default=False, description="Every picture that waits")


class ReviewedImage(BaseModel):
    """A picture after the decision."""

    guid: UUID
    id: int = Field(description="AssetPurityId")
    status_id: int
    status: str = Field(description="ImageStatus")
    outcome: str = Field(description="SubmissionOutcome")
    rejection_reason: str | None
    asset_id: int | None
    serial_number: str | None
    scene_type: str
    repeated: bool = Field(description="The same reviewer had decided the same before")


class ReviewRefused(BaseModel):
    """Why nothing was done with one of several pictures."""

    guid: UUID | None = None
    id: int | None = None
    code: str
    detail: str


class ReviewResults(BaseModel):
    """One result for each picture, in the order in which they were named."""

    decided: int
    refused: int
    results: list[ReviewedImage | ReviewRefused]
