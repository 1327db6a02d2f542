"""PublicationRun: every run of a publication, how far it is and what came of it."""

from coldshelf.access.principal import ADMINS
from coldshelf.publishing.models import RUNS
from coldshelf.records.columns import text, utc, whole
from coldshelf.records.dataset import Column, Dataset, Join, common_columns
from coldshelf.records.fields import FieldType

PUBLICATION_RUN = Dataset(
    name=RUNS,
    relation="publication_run",
    key=f"{RUNS}Id",
    meaning="Run of a publication: when it was due, how far it is, what it wrote",
    client_wide="Only client admins see runs, and they see every outlet.",
    every_outlet=True,
    default_direction="desc",
    plain_filters=(f"{RUNS}Id", "PublicationId"),
    readers=ADMINS,
    resource="exports",
    joins=(Join(name="publication", relation="publication", on="publication_id"),),
    columns=(
        whole(f"{RUNS}Id", "Id of the run", "id"),
        whole("PublicationId", "Publication"),
        text("Publication", "Its name", "name", of="publication"),
        utc("DueOn", "Slot of the schedule; empty: asked for by hand"),
        text("State", "waiting, running, done, failed, cancelled or skipped"),
        text("Mode", "full, delta or since"),
        text("RunId", "Id of the files: folder, manifest"),
        whole("Attempts", "How often it was begun"),
        text("Phase", "What is being done now"),
        whole("TablesDone", "Datasets that are written"),
        whole("TablesTotal", "Datasets of this run"),
        whole("RowsDone", "Rows written so far"),
        whole("BytesDone", "Bytes written so far"),
        text("Manifest", "Path of the run's manifest below its destination"),
        Column(
            wire="Tables",
            type=FieldType.JSON,
            meaning="What was written: dataset, rows, bytes, path, greatest ModifiedOn, rows copied",
        ),
        utc("AsOf", "Every change before this moment is in the files"),
        text("Error", "Why it failed"),
        text("Cure", "What helps"),
        utc("StartedOn", "When its last attempt began"),
        utc("FinishedOn", "When it ended"),
        utc("LateToldOn", "When it was told as late"),
        utc("ExpiredOn", "When its files were removed"),
        *common_columns(),
    ),
)
