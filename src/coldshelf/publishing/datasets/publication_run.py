"""PublicationRun: every run of a publication, how far it is and what came of it."""

from coldshelf.access.principal import ADMINS
from coldshelf.publishing.models import RUNS
from coldshelf.records.dataset import Column, Dataset, Join, common_columns
from coldshelf.records.fields import FieldType


def _text(wire: str, meaning: str, column: str = "", of: str = "") -> Column:
    return Column(wire=wire, column=column, of=of, type=FieldType.TEXT, meaning=meaning)


def _number(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.INTEGER, meaning=meaning)


def _time(wire: str, meaning: str) -> Column:
    return Column(wire=wire, type=FieldType.TIMESTAMP, unit="UTC", meaning=meaning)


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
        _number(f"{RUNS}Id", "Id of the run", "id"),
        _number("PublicationId", "Publication"),
        _text("Publication", "Its name", "name", of="publication"),
        _time("DueOn", "Slot of the schedule; empty: asked for by hand"),
        _text("State", "waiting, running, done, failed, cancelled or skipped"),
        _text("Mode", "full, delta or since"),
        _text("RunId", "Id of the files: folder, manifest"),
        _number("Attempts", "How often it was begun"),
        _text("Phase", "What is being done now"),
        _number("TablesDone", "Datasets that are written"),
        _number("TablesTotal", "Datasets of this run"),
        _number("RowsDone", "Rows written so far"),
        _number("BytesDone", "Bytes written so far"),
        _text("Manifest", "Path of the run's manifest below its destination"),
        Column(
            wire="Tables",
            type=FieldType.JSON,
            meaning="What was written: dataset, rows, bytes, path, greatest ModifiedOn",
        ),
        _time("AsOf", "Every change before this moment is in the files"),
        _text("Error", "Why it failed"),
        _text("Cure", "What helps"),
        _time("StartedOn", "When its last attempt began"),
        _time("FinishedOn", "When it ended"),
        _time("LateToldOn", "When it was told as late"),
        _time("ExpiredOn", "When its files were removed"),
        *common_columns(),
    ),
)
