"""Devices that take or send pictures."""

from coldshelf.access.principal import INSTALLERS
from coldshelf.masterdata.naming import named_by
from coldshelf.records.dataset import Join
from coldshelf.records.entity import Entity, Field, Reference
from coldshelf.records.fields import FieldType

SMART_DEVICE = Entity(
    name="SmartDevice",
    table="smart_device",
    meaning="Camera, hub or phone; its IMEI finds the asset of an upload",
    fields=(
        Field(wire="SerialNumber", required=True, unique=True, max_length=250, meaning="Unique serial number"),
        Field(
            wire="IMEI", column="imei", unique=True, max_length=50, meaning="International mobile equipment identity"
        ),
        Field(wire="MacAddress", max_length=50, meaning="MAC address"),
        Field(wire="AppVersion", max_length=50, meaning="Version of its software"),
        Field(wire="IsActive", type=FieldType.BOOLEAN, meaning="An inactive device finds no asset"),
    ),
    references=(
        Reference(
            wire="SmartDeviceTypeId",
            to="SmartDeviceType",
            by=named_by("SmartDeviceType", "SmartDeviceType", "SmartDeviceTypeName"),
            shows={"SmartDeviceType": "name"},
            meaning="Type of device",
        ),
        Reference(
            wire="AssetId",
            to="Asset",
            by={"AssetSerialNumber": "SerialNumber"},
            shows={"AssetSerialNumber": "serial_number"},
            meaning="Asset in which it sits",
        ),
    ),
    keys={"SmartDeviceSerialNumber": "SerialNumber", "SerialNumber": "SerialNumber", "IMEI": "IMEI"},
    location="location_id",
    location_of=Join(name="asset", relation="asset", on="asset_id"),
    writers=INSTALLERS,
)
