"""Reprocessing and ReprocessingPicture: runs that look at pictures again, and what would change in each of them."""

from coldshelf.access.principal import ADMINS
from coldshelf.records.columns import json, text, whole
from coldshelf.records.dataset import Dataset, Join, common_columns

REASON = "A run looks at pictures of every outlet."
PROGRESS = "reprocessing_progress"


REPROCESSING = Dataset(
    name="Reprocessing",
    relation="reprocessing",
    key="ReprocessingId",
    meaning="Run that looks at processed pictures again and replaces nothing before it is told to",
    client_wide=REASON,
    every_outlet=True,
    default_direction="desc",
    plain_filters=("ReprocessingId",),
    readers=ADMINS,
    joins=(Join(name=PROGRESS, relation=PROGRESS, on="id", key="reprocessing_id"),),
    columns=(
        whole("ReprocessingId", "Id of the run", "id"),
        text("Recogniser", "Recogniser that looks again"),
        text("Selection", "Which pictures were chosen"),
        whole("Lanes", "Pictures worked on at the same time"),
        whole("Pictures", "Pictures chosen", of=PROGRESS),
        whole("Waiting", "Not compared yet", of=PROGRESS),
        whole("Ready", "Compared; wait for a decision", of=PROGRESS),
        whole("Differing", "Of those that are ready: facings differ", of=PROGRESS),
        whole("Accepted", "To be served", of=PROGRESS),
        whole("Applied", "Served in place of the results before", of=PROGRESS),
        whole("Discarded", "Forgotten", of=PROGRESS),
        whole("Stale", "Not served: another result was, meanwhile", of=PROGRESS),
        whole("Failed", "Could not be looked at", of=PROGRESS),
        *common_columns(),
    ),
)

REPROCESSING_PICTURE = Dataset(
    name="ReprocessingPicture",
    relation="reprocessing_picture",
    key="ReprocessingPictureId",
    meaning="Picture of a reprocessing run, and what would change in it",
    location="location_id",
    location_of=Join(name="picture", relation="picture", on="picture_id"),
    plain_filters=("ReprocessingPictureId", "ReprocessingId", "AssetPurityId"),
    readers=ADMINS,
    columns=(
        whole("ReprocessingPictureId", "Id of the row", "id"),
        whole("ReprocessingId", "Run"),
        whole("AssetPurityId", "Image record", "picture_id"),
        text("State", "waiting, recognised, ready, accepted, applied, discarded, stale or failed"),
        text("Reason", "Why it is stale or failed"),
        whole("BaseResultVersion", "Version of the served result that it was compared with", "base_number"),
        text("BaseModelVersion", "Recogniser of that result and its version", "base_model"),
        text("NewModelVersion", "Recogniser that looked again and its version", "new_model"),
        whole("Added", "Facings and gaps that were not there before"),
        whole("Gone", "Facings and gaps that are not there any more"),
        whole("Renamed", "Facings with another product"),
        whole("Moved", "Facings with the same product and another shelf or position"),
        whole("Same", "Facings and gaps that did not change"),
        json("Differences", "What became of each facing that differs: change, before, after"),
        *common_columns(),
    ),
)
