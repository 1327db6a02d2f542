"""AssetPurityReview: every decision of a reviewer, one row each, never changed (our addition)."""

from coldshelf.records.dataset import Column, Dataset, common_columns
from coldshelf.records.fields import FieldType


def _text(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.TEXT, meaning=meaning)


def _number(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.INTEGER, meaning=meaning)


ASSET_PURITY_REVIEW = Dataset(
    name="AssetPurityReview",
    relation="picture_review",
    key="AssetPurityReviewId",
    meaning="Decision of a reviewer on a picture: who (CreatedByUser), when (CreatedOn), from what to what, and why",
    location="location_id",
    default_direction="desc",
    plain_filters=("AssetPurityReviewId", "AssetPurityId", "LocationId"),
    columns=(
        _number("AssetPurityReviewId", "Id of the decision", "id"),
        _number("AssetPurityId", "Image record", "picture_id"),
        Column(wire="UniqueGuid", column="guid", type=FieldType.GUID, meaning="Id of the image for the preview"),
        _number("LocationId", "Outlet after the decision"),
        _text("Decision", "Approved, Rejected or Reopened"),
        _text("Reason", "What the reviewer said"),
        _number("FromStatusId", "Status before"),
        _number("ToStatusId", "Status after"),
        _text("FromReason", "Why it waited, or was rejected, before"),
        _text("ToReason", "Why it is rejected or waits after"),
        _text("FromSerialNumber", "Asset before"),
        _text("ToSerialNumber", "Asset after"),
        _text("FromSceneType", "Scene before"),
        _text("ToSceneType", "Scene after"),
        *common_columns(),
    ),
)
