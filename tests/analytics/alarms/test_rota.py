"""Duties: whose week it is, who stands in, and the hours that nobody covers."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.rota import WEEK_MS, Override, Rota, Step, gaps, on_duty

ZONE = "Asia/Shanghai"
CREW = Rota(
    name="crew",
    first_handover=datetime(2026, 1, 5, 8),  # noqa: DTZ001 - local time of the rota
    order=["wang", "li", "zhao"],
    overrides=[
        Override(datetime(2026, 1, 13, 8), datetime(2026, 1, 14, 8), "zhao"),  # noqa: DTZ001
        Override(datetime(2026, 1, 20, 20), datetime(2026, 1, 21, 6)),  # noqa: DTZ001
    ],
)


def at(text: str) -> int:
    """An instant of Beijing time, which is 8 h ahead of UTC. [ms]"""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) - 8 * 3_600_000


@pytest.mark.parametrize(
    ("when", "who"),
    [
        ("2026-01-05T07:59", None),
        ("2026-01-05T08:00", "wang"),
        ("2026-01-12T07:59", "wang"),
        ("2026-01-12T08:00", "li"),
        ("2026-01-13T08:00", "zhao"),
        ("2026-01-14T08:00", "li"),
        ("2026-01-19T08:00", "zhao"),
        ("2026-01-20T23:00", None),
        ("2026-01-26T08:00", "wang"),
    ],
)
def test_the_duty_goes_round_by_weeks_and_overrides_go_first(when: str, who: str | None) -> None:
    assert on_duty(CREW, at(when), ZONE) == who


def test_hours_that_nobody_covers_are_found() -> None:
    (gap,) = gaps(CREW, at("2026-01-05T08:00"), at("2026-02-02T08:00"), ZONE, ["wang", "li", "zhao"])
    assert (gap.start_ms, gap.end_ms) == (at("2026-01-20T20:00"), at("2026-01-21T06:00"))


def test_a_person_who_has_left_leaves_gaps() -> None:
    found = gaps(CREW, at("2026-01-05T08:00"), at("2026-01-26T08:00"), ZONE, ["wang", "zhao"])
    assert [(gap.start_ms, gap.end_ms) for gap in found] == [
        (at("2026-01-12T08:00"), at("2026-01-13T08:00")),
        (at("2026-01-14T08:00"), at("2026-01-19T08:00")),
        (at("2026-01-20T20:00"), at("2026-01-21T06:00")),
    ]


@given(st.integers(0, 200), st.integers(1, 60))
def test_somebody_has_the_duty_outside_the_gaps_and_nobody_inside(start_h: int, length_h: int) -> None:
    start_ms = at("2026-01-01T00:00") + start_h * 3_600_000 * 3
    end_ms = start_ms + length_h * 3_600_000 * 5
    holes = gaps(CREW, start_ms, end_ms, ZONE, CREW.order)
    for instant in range(start_ms, end_ms, 3_600_000):
        covered = on_duty(CREW, instant, ZONE) is not None
        assert covered != any(hole.start_ms <= instant < hole.end_ms for hole in holes)


@given(st.integers(0, 50))
def test_after_as_many_weeks_as_people_the_duty_is_back(week: int) -> None:
    plain = msgspec.structs.replace(CREW, overrides=[])
    when = at("2026-01-05T08:00") + week * WEEK_MS
    assert on_duty(plain, when, ZONE) == on_duty(plain, when + 3 * WEEK_MS, ZONE) == CREW.order[week % 3]


def test_a_step_names_a_duty_or_a_person() -> None:
    with pytest.raises(ValueError, match="one of the two"):
        Step(after_min=5)
    with pytest.raises(ValueError, match="one of the two"):
        Step(after_min=5, rota="crew", person="wang")


def test_an_override_ends_after_it_starts() -> None:
    with pytest.raises(ValueError, match="ends after"):
        Override(datetime(2026, 1, 2), datetime(2026, 1, 1))  # noqa: DTZ001
