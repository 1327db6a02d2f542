"""What can go wrong in an export."""

from coldshelf.kit.errors import (
    ColdshelfError,
    Conflict,
    InputInvalid,
    NotAllowed,
    NotFound,
    SettingsInvalid,
    Unavailable,
)


class DatasetNotPublished(InputInvalid):
    """This dataset is not published in bulk"""

    code = "dataset_not_published"


class ClientNotPublished(InputInvalid):
    """This client has no code to publish under"""

    code = "client_not_published"
    cure = "Export for a client that was added with a code."


class DestinationUnknown(SettingsInvalid):
    """No destination takes this address"""

    code = "destination_unknown"


class DestinationFailed(Unavailable):
    """The destination did not take what was written"""

    code = "destination_failed"
    cure = "Look at its space and rights, then run the export again; the next delta repeats everything."


class AlreadyPublished(Conflict):
    """Something is published under this name already, and nothing published is ever overwritten"""

    code = "already_published"
    cure = "Run the export again; every run has folders of its own."


class NameTaken(AlreadyPublished):
    """An exchanged file has the name of one that is there already"""

    code = "name_taken"
    cure = "Let FileName hold {yyyyMMddHHmmss}, or have the receiver take the files of the last batch first."


class SnapshotFailed(Unavailable):
    """The database did not give a snapshot of one client"""

    code = "snapshot_failed"


class ValueNotExportable(ColdshelfError):
    """A value has no form that every reader of column files takes"""

    code = "value_not_exportable"
    cure = "Correct the value, then run the export again; nothing of this run was published."


class SchemaBroken(ColdshelfError):
    """The database gives other types than the dataset declares"""

    code = "schema_broken"
    cure = "Migrate the database to this release, or report it: the declaration and its table differ."


class PartDiffers(ColdshelfError):
    """A file does not read back as it was written"""

    code = "part_differs"
    retry = True
    cure = "Run the export again; nothing of this run was published. If it comes back, check the destination's disk."


class ManifestBroken(ColdshelfError):
    """A manifest is missing or cannot be read"""

    code = "manifest_broken"
    cure = "Do not read this run: take the one before or after it, and publish again."


class NotComparable(InputInvalid):
    """The files of this run cannot be compared with the database"""

    code = "not_comparable"


class TooManyRows(InputInvalid):
    """An exchanged dataset does not fit one file"""

    code = "too_many_rows"
    cure = "Choose CSV or JSON in place of Excel, or publish without FileName."


class ReaderShutOut(NotAllowed):
    """The user within whose limits a publication is written is not there or may not sign in"""

    code = "reader_shut_out"
    cure = "Give the publication another user, or let that one in again."


class NotErasable(InputInvalid):
    """This has no records that are erased one by one"""

    code = "not_erasable"


class PublicationNotFound(NotFound):
    """There is no such publication"""

    code = "publication_not_found"


class RunNotFound(NotFound):
    """There is no such run"""

    code = "export_not_found"


class RunEnded(Conflict):
    """The run has ended"""

    code = "export_ended"


class ExportStopped(ColdshelfError):
    """The export was stopped before its end"""

    code = "export_stopped"
    retry = True


class TablesRefused(InputInvalid):
    """Open tables cannot be kept of this publication"""

    code = "tables_refused"


class TableBehind(Conflict):
    """An open table lacks what changed before this run"""

    code = "table_behind"
    cure = (
        "Run the publication once as full (`coldshelf publish NAME --mode full`); its files of this run are finished."
    )


class TableTaken(Conflict):
    """An open table is kept by a publication with other rows or columns"""

    code = "table_taken"
    cure = "Give one of the publications another destination; the files of this run are finished."


class TableFailed(Unavailable):
    """An open table was not brought up to date"""

    code = "table_failed"
    cure = "Look at the destination's space and rights; the files of this run are finished, the next run repairs."
