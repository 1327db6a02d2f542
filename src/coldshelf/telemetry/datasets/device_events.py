"""One dataset a kind of event of smart devices (contract 10). Promised; their rows come with the intake of devices."""

from coldshelf.records.columns import local_and_utc, number, place, text, utc, whole, yes_no
from coldshelf.records.dataset import Column, Dataset, common_columns

DEVICE = (
    whole("SmartDeviceId", "Device"),
    whole("SmartDeviceTypeId", "Type of device"),
    text("SmartDeviceType", "Name of that type at that time"),
    text("DeviceSerial", "Serial number of the device"),
    text("MacAddress", "MAC address of the device"),
    whole("GatewayId", "Device that passed it on, if any"),
    text("GatewaySerialNumber", "Serial number of that device"),
    text("GatewayMac", "MAC address of that device"),
    whole("AssetId", "Asset in which the device sat"),
    text("AssetSerialNumber", "Serial number of the asset at that time"),
    whole("AssetTypeId", "Model of the asset"),
    text("AssetType", "Name of the model at that time"),
    whole("LocationId", "Outlet at that time"),
    text("LocationCode", "Code of the outlet at that time"),
    text("Location", "Name of the outlet at that time"),
    text("City", "City of the outlet"),
    text("State", "State of the outlet"),
    text("Country", "Country of the outlet"),
    whole("TimeZoneId", "Time zone of the outlet"),
)


def _event(name: str, meaning: str, *columns: Column) -> Dataset:
    return Dataset(
        name=name,
        relation="",
        key="EventId",
        keys=("EventId", "SmartDeviceId"),
        meaning=meaning,
        location="location_id",
        append_only=True,
        columns=(
            whole("EventId", "Id of the event", "id"),
            *DEVICE,
            *local_and_utc("EventTime", "When it happened"),
            *columns,
            *common_columns(),
        ),
    )


DOOR_EVENT = _event(
    "DoorEvent",
    "Opening of a door",
    *local_and_utc("DoorOpen", "When the door was opened"),
    *local_and_utc("DoorClose", "When it was closed"),
    whole("DoorOpenDuration", "How long it was open", unit="s"),
    text("VisionErrorCodesInfo", "What the camera reported"),
    whole("AlertProcessorId", "Run that looked for alerts"),
)
PING_EVENT = _event(
    "PingEvent",
    "Contact of a device",
    *place(),
    number("Accuracy", "Accuracy of the place", "m"),
    whole("RSSI", "Strength of the signal, Bluetooth or cellular", unit="dBm"),
    text("AdvertisementInfo", "What the device announces: door, events available"),
    text("AppVersion", "Version of its software"),
    utc("FirstSeen", "First contact since it was last seen"),
)
MOVEMENT_EVENT = _event(
    "MovementEvent",
    "Movement of an asset",
    whole("MovementTypeId", "78 GPS displacement, 82 device, 117 hub, 170 device and 171 hub accumulated"),
    text("MovementType", "Type in words"),
    text("Movement", "What was measured, as the device says it"),
    whole("MovementDuration", "How long it vibrated", unit="s"),
    *local_and_utc("StartTime", "When it began"),
    *place(),
    number("Distance", "Distance from the known place", "m"),
    yes_no("IsDoorOpen", "The door was open"),
    text("PowerStatus", "Power at that time"),
    whole("AlertProcessorId", "Run that looked for alerts"),
)
HEALTH_EVENT = _event(
    "HealthEvent",
    "Readings of a cooler and its surroundings",
    whole("EventTypeId", "0 healthy, 10 environment"),
    number("Temperature", "Temperature inside, offset of the model included", "°C"),
    number("MinCabinetTemperature", "Lowest temperature of the cabinet", "°C"),
    number("MaxCabinetTemperature", "Highest temperature of the cabinet", "°C"),
    number("AmbientTemperature", "Temperature outside", "°C"),
    number("EvaporatorTemperature", "Temperature of the evaporator", "°C"),
    number("CondensorTemperature", "Temperature of the condenser", "°C"),
    whole("LightIntensity", "Light level; -1 = not measured"),
    text("LightStatus", "Light condition in words"),
    whole("BatteryLevel", "Battery", unit="mV"),
    text("BatteryStatus", "Battery in words"),
    whole("HealthInterval", "Time between readings", unit="min"),
    number("CoolerVoltage", "Voltage of the cooler", "V"),
    number("MinVoltage", "Lowest voltage", "V"),
    number("MaxVoltage", "Highest voltage", "V"),
    number("AvgPowerConsumption", "Mean power", "W"),
    number("TotalCompressorONTime", "Share of the time that the compressor ran", "percent"),
    text("AppName", "Software of the device"),
    text("AppVersion", "Version of its software"),
    text("SDKVersion", "Version of its development kit"),
)
POWER_EVENT = _event(
    "PowerEvent",
    "Power of a device came or went",
    yes_no("PowerOnOff", "Power is on"),
    text("RecordType", "Kind of record, as the device says it"),
    yes_no("IsPowerOnWithNoRtc", "It came on without knowing the time"),
)
BATTERY_EVENT = _event(
    "BatteryEvent",
    "Periodic reading of a battery",
    whole("BatteryLevel", "Battery; lowest while pictures are taken", unit="mV"),
)
DEVICE_EVENTS = (DOOR_EVENT, PING_EVENT, MOVEMENT_EVENT, HEALTH_EVENT, POWER_EVENT, BATTERY_EVENT)
