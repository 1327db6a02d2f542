"""AssetPurityReview: every decision of a reviewer, one row each, never changed (our addition)."""

from coldshelf.records.columns import text, whole
from coldshelf.records.dataset import Column, Dataset, common_columns
from coldshelf.records.fields import FieldType

ASSET_PURITY_REVIEW = Dataset(
    name="AssetPurityReview",
    relation="picture_review",
    key="AssetPurityReviewId",
    meaning="Decision of a reviewer on a picture: who (CreatedByUser), when (CreatedOn), from what to what, and why",
    location="location_id",
    default_direction="desc",
    plain_filters=("AssetPurityReviewId", "AssetPurityId", "LocationId"),
    columns=(
        whole("AssetPurityReviewId", "Id of the decision", "id"),
        whole("AssetPurityId", "Image record", "picture_id"),
        Column(wire="UniqueGuid", column="guid", type=FieldType.GUID, meaning="Id of the image for the preview"),
        whole("LocationId", "Outlet after the decision"),
        text("Decision", "Approved, Rejected or Reopened"),
        text("Reason", "What the reviewer said"),
        whole("FromStatusId", "Status before"),
        whole("ToStatusId", "Status after"),
        text("FromReason", "Why it waited, or was rejected, before"),
        text("ToReason", "Why it is rejected or waits after"),
        text("FromSerialNumber", "Asset before"),
        text("ToSerialNumber", "Asset after"),
        text("FromSceneType", "Scene before"),
        text("ToSceneType", "Scene after"),
        *common_columns(),
    ),
)
