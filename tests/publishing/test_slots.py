"""When publications are due."""

from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from coldshelf.publishing.models import CatchUp
from coldshelf.publishing.slots import check_schedule, due_slots, find_zone, slots, wanted
from coldshelf.records.errors import FieldInvalid

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        pytest.param("0 2 * * *", "2026-01-10T12:00", ["2026-01-11T01:00", "2026-01-12T01:00"], id="winter"),
        pytest.param("0 2 * * *", "2026-07-10T12:00", ["2026-07-11T00:00", "2026-07-12T00:00"], id="summer"),
        pytest.param("30 2 * * *", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"], id="skipped-hour"),
        pytest.param("30 2 * * *", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"], id="repeated-hour"),
        pytest.param("0 * * * *", "2026-10-25T00:30", ["2026-10-25T01:00", "2026-10-25T02:00"], id="hourly"),
        pytest.param("0 6 * * 1-5", "2026-11-27T12:00", ["2026-11-30T05:00", "2026-12-01T05:00"], id="workdays"),
    ],
)
def test_slots_keep_the_time_of_day_of_their_zone(schedule: str, after: str, expected: list[str]) -> None:
    assert list(islice(slots(schedule, BERLIN, after=at(after)), 2)) == [at(slot) for slot in expected]


@pytest.mark.parametrize("year", range(2024, 2034))
def test_a_daily_slot_comes_once_a_day_all_year(year: int) -> None:
    due = list(
        islice(slots("30 2 * * *", BERLIN, after=datetime(year, 1, 1, tzinfo=BERLIN)), 366 if year % 4 == 0 else 365)
    )

    days = [slot.astimezone(BERLIN).date() for slot in due]
    assert len(set(days)) == len(days)
    assert days[-1] == datetime(year, 12, 31, tzinfo=BERLIN).date()


def test_the_slot_of_this_very_moment_is_due_and_the_one_before_is_not_again() -> None:
    due = due_slots("0 2 * * *", find_zone("UTC"), after=at("2026-01-01T02:00"), until=at("2026-01-03T02:00"))

    assert due == [at("2026-01-02T02:00"), at("2026-01-03T02:00")]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(CatchUp.ALL, {0, 1, 2}), (CatchUp.LATEST, {2}), (CatchUp.NONE, {2})],
)
def test_missed_slots_are_made_up_by_rule(rule: CatchUp, expected: set[int]) -> None:
    due = [at("2026-01-01T02:00"), at("2026-01-02T02:00"), at("2026-01-03T02:00")]

    assert wanted(due, rule, now_from=at("2026-01-03T01:55")) == {due[place] for place in expected}


def test_without_catching_up_what_was_missed_stays_missed() -> None:
    assert wanted([at("2026-01-01T02:00")], CatchUp.NONE, now_from=at("2026-01-01T09:00")) == set()


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("0 2 * *", "has not five fields"),
        ("0 2 * * * *", "has not five fields"),
        ("61 2 * * *", "it takes minute"),
        ("0 2 31 2 *", "Bad day-of-month"),
        ("nightly please do it now", "it takes minute"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_with_its_cure(schedule: str, words: str) -> None:
    with pytest.raises(FieldInvalid, match=words):
        check_schedule(schedule)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(FieldInvalid, match="TimeZone takes a zone such as"):
        find_zone(name)
