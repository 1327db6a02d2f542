"""How often long work notes how far it is."""

from coldshelf.kit.pace import Pace


def test_progress_is_noted_at_first_with_a_new_phase_and_every_half_second() -> None:
    moments = iter([1000.0, 1000.25, 1000.5, 1000.75, 1001.0, 1001.25])
    pace = Pace(lambda: next(moments))

    due = [pace.is_due(phase) for phase in ("checking", "checking", "writing", "writing", "writing", "writing")]

    assert due == [True, False, True, False, True, False]
