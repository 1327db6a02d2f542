"""AssetPurity: one row an image or session (contract 4.2). Later rooms add their columns by column groups."""

from coldshelf.records.dataset import Column, Dataset, PlainSwitch, common_columns
from coldshelf.records.fields import FieldType


def _text(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.TEXT, meaning=meaning)


def _number(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.INTEGER, meaning=meaning)


def _time(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.TIMESTAMP, unit="UTC", meaning=meaning)


ASSET_PURITY = Dataset(
    name="AssetPurity",
    relation="picture",
    key="AssetPurityId",
    resource="images",
    meaning="Image record with its recognition result and KPIs",
    location="location_id",
    default_direction="desc",
    plain_filters=("AssetPurityId", "AssetId", "LocationId", "StatusId", "PlanogramId"),
    plain_aliases=(("outletcode", "LocationCode"), ("assetserialnumber", "SerialNumber")),
    plain_switches=(
        PlainSwitch(
            name="isLatest",
            field="AssetId",
            yes=("NEWEST", None),
            no=("NOT NEWEST", None),
            meaning="The image of each asset that was received last, or all others",
        ),
        PlainSwitch(
            name="IsVerified",
            field="VerifiedOn",
            yes=("IS NOT NULL", None),
            no=("IS NULL", None),
            meaning="Whether a reviewer decided or recognition has ended",
        ),
    ),
    plain_refused=(
        ("smartdeviceid", "Send AssetId, or AssetSerialNumber, of the cooler in which the device is."),
        ("salesrepid", "Send LocationId, with the outlets that SalesRep.ashx lists for the sales rep."),
    ),
    columns=(
        _number("AssetPurityId", "Id of the image record", "id"),
        Column(wire="UniqueGuid", column="guid", type=FieldType.GUID, meaning="Id of the image for the preview"),
        _number("AssetId", "Asset analysed"),
        _text("SerialNumber", "Serial number of the asset at that time"),
        _number("LocationId", "Outlet"),
        _number("AssetPurityLocationId", "Outlet at the time of the image", "location_id"),
        _text("LocationCode", "Code of the outlet at that time"),
        _text("Location", "Name of the outlet at that time", "location_name"),
        _text("City", "City of the outlet"),
        _text("State", "State of the outlet"),
        _text("Country", "Country of the outlet"),
        _time("PurityDateTime", "Capture", "captured_on"),
        Column(
            wire="EventTime",
            column="captured_local",
            type=FieldType.LOCAL_TIME,
            unit="local time of the outlet",
            meaning="Capture",
        ),
        _time("EventTimeUtc", "Capture", "captured_on"),
        _text("CaptureTimeSource", "exif_offset, exif_zone or received"),
        _time("ReceivedOn", "Receipt"),
        _time("DoorOpen", "Door open time"),
        _time("DoorClose", "Door close time"),
        _text("SceneType", "Scene"),
        _number("ImageReceivedFrom", "Source system"),
        _number("BeforeAfterImage", "0 not specified, 1 before, 2 after an event", "before_after"),
        _number("StatusId", "-1 rejected, 0 unprovisioned, 2 provisioned, 12 queued, 13 processed"),
        _text("ImageStatus", "Status in words"),
        _text("SubmissionOutcome", "AutoProvisioned, Pending, Rejected, or Provisioned by a reviewer"),
        _text("RejectionReason", "Why it was rejected or waits"),
        _text("Notes", "What was overruled or ignored at the upload"),
        _number("Priority", "Processing priority"),
        _text("ImageName", "File name of the processed image"),
        _number("ImageCount", "Files in this record", "file_count"),
        _number("PlanogramId", "Planogram at that time"),
        _text("PlanogramValue", "Name of the planogram at that time", "planogram_name"),
        _number("Columns", "Products on a shelf by the asset type"),
        _number("Shelves", "Shelves by the asset type"),
        _number("ItemsPerColumn", "Products one behind the other by the asset type"),
        _number("DoorCount", "Doors of the asset"),
        _number("LightIntensity", "Light level"),
        _text("LightStatus", "Light condition"),
        Column(wire="IsLightOn", type=FieldType.BOOLEAN, meaning="Light on"),
        Column(wire="Temperature", type=FieldType.FLOAT, unit="°C", meaning="Temperature inside"),
        Column(wire="IsPrimePosition", type=FieldType.BOOLEAN, meaning="Premium position in the store"),
        _time("VerifiedOn", "Decision of a reviewer; then the end of processing"),
        Column(wire="Username", column="reviewer", type=FieldType.TEXT, personal=True, meaning="Reviewer who decided"),
        _text("PeopleDetector", "What looked for people before anything was served"),
        _number("PeopleFound", "Faces that were blurred"),
        *common_columns(),
    ),
)
