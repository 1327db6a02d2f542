"""Promises of the capture time: the camera is believed where it can be, the receipt stands in where it cannot."""

from datetime import UTC, datetime, timedelta

import pytest

from coldshelf.pictures.imaging.capture_time import CaptureTimeSource, ExifTime, capture_time

RECEIVED = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
SAIGON, BERLIN = "Asia/Ho_Chi_Minh", "Europe/Berlin"


def taken(text, offset=None, *, zone=SAIGON, received=RECEIVED, **options):
    return capture_time(ExifTime(text, offset), zone=zone, received=received, **options)


def test_offset_of_the_camera_wins_over_the_zone_of_the_outlet():
    time = taken("2026:11:21 09:00:00", "+02:00", zone=SAIGON)

    assert time.event_time_utc == datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
    assert time.event_time.isoformat() == "2026-11-21T14:00:00+07:00"
    assert time.source is CaptureTimeSource.EXIF_OFFSET
    assert not time.is_future


def test_zone_of_the_outlet_is_taken_where_the_camera_names_no_offset():
    time = taken("2026:11:21 14:00:00")

    assert time.event_time_utc == datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
    assert time.event_time_utc.tzinfo is UTC
    assert time.event_time.isoformat() == "2026-11-21T14:00:00+07:00"
    assert time.source is CaptureTimeSource.EXIF_ZONE


@pytest.mark.parametrize("offset", ["", "07:00", "+7", "+99:00", "+14:01", "+07:60", "abc", "+07:00:00"])
def test_offset_that_is_none_is_ignored(offset):
    assert taken("2026:11:21 14:00:00", offset) == taken("2026:11:21 14:00:00")


@pytest.mark.parametrize(
    ("offset", "utc"), [("-03:30", "10:30"), ("+00:00", "07:00"), ("+05:45", "01:15"), ("\x00-03:30\x00", "10:30")]
)
def test_offset_is_read_with_its_sign_and_minutes(offset, utc):
    assert f"{taken('2026:11:20 07:00:00', offset).event_time_utc:%H:%M}" == utc


@pytest.mark.parametrize("text", ["2026-11-21 14:00:00", "2026-11-21T14:00:00", " 2026:11:21 14:00:00\x00"])
def test_other_ways_to_write_a_time_are_read(text):
    assert taken(text).event_time_utc == datetime(2026, 11, 21, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "    :  :     :  :  ",
        "0000:00:00 00:00:00",
        "1970:01:01 00:00:00",
        "1999:12:31 23:59:59",
        "2026:02:30 10:00:00",
        "2026:13:01 10:00:00",
        "2026:11:21 24:00:00",
        "2026:11:21 10:00:60",
        "2026:11:21",
        "2026:11:21 10:00",
        "21.11.2026 10:00:00",
        "٢٠٢٦:11:21 10:00:00",
        "9999:12:31 23:59:59",
        "x" * 100_000,
    ],
)
def test_time_that_cannot_be_believed_gives_way_to_the_receipt(text):
    time = taken(text, "-12:00")

    assert time.event_time_utc == RECEIVED
    assert time.event_time.isoformat() == "2026-11-21T15:30:00+07:00"
    assert time.source is CaptureTimeSource.RECEIVED
    assert not time.is_future


def test_first_and_last_believable_seconds_are_believed():
    assert taken("2000:01:01 00:00:00", "+00:00").event_time_utc == datetime(2000, 1, 1, tzinfo=UTC)
    assert taken("9998:12:31 23:59:59", "-12:00").event_time_utc == datetime(9999, 1, 1, 11, 59, 59, tzinfo=UTC)


def test_picture_without_a_time_is_dated_by_its_receipt():
    time = capture_time(None, zone=BERLIN, received=RECEIVED.astimezone())

    assert time.event_time_utc == RECEIVED
    assert time.event_time.isoformat() == "2026-11-21T09:30:00+01:00"
    assert time.source is CaptureTimeSource.RECEIVED


@pytest.mark.parametrize(
    ("text", "is_future"),
    [("2026:11:21 08:40:00", False), ("2026:11:21 08:40:01", True), ("2099:09:29 10:10:10", True)],
)
def test_time_beyond_the_tolerance_is_flagged_and_kept(text, is_future):
    time = taken(text, "+00:00")

    assert time.is_future is is_future
    assert time.source is CaptureTimeSource.EXIF_OFFSET
    assert time.event_time_utc.year == int(text[:4])


def test_tolerance_can_be_set():
    assert taken("2026:11:21 08:30:02", "+00:00", tolerance=timedelta(seconds=1)).is_future
    assert not taken("2026:11:21 08:30:01", "+00:00", tolerance=timedelta(seconds=1)).is_future


def test_hour_that_exists_twice_is_the_first_of_the_two():
    assert taken("2026:10:25 02:30:00", zone=BERLIN).event_time_utc == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_hour_that_never_was_is_one_later():
    time = taken("2026:03:29 02:30:00", zone=BERLIN)

    assert time.event_time_utc == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert time.event_time.isoformat() == "2026-03-29T03:30:00+02:00"
