"""Maintenance windows: open when the wall clock says so, once or again and again."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from analytics.alarms.windows import Window, open_at

ZONE = "Asia/Shanghai"
TUESDAYS = Window("filters", "qingshui", datetime.fromisoformat("2026-01-06T22:00"), 4.0, "FREQ=WEEKLY;BYDAY=TU")
ONCE = Window("poles", "f1", datetime.fromisoformat("2026-04-12T08:00"), 6.5)


@pytest.mark.parametrize(
    ("window", "when", "is_open"),
    [
        (ONCE, "2026-04-12T07:59", False),
        (ONCE, "2026-04-12T08:00", True),
        (ONCE, "2026-04-12T14:29", True),
        (ONCE, "2026-04-12T14:30", False),
        (ONCE, "2026-04-13T08:00", False),
        (TUESDAYS, "2026-01-05T23:00", False),
        (TUESDAYS, "2026-06-02T22:00", True),
        (TUESDAYS, "2026-06-03T01:59", True),
        (TUESDAYS, "2026-06-03T02:00", False),
        (TUESDAYS, "2026-06-03T22:30", False),
    ],
)
def test_a_window_is_open_from_its_hour_for_its_length(window: Window, when: str, is_open: bool) -> None:
    at_ms = int(datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)
    found = open_at(window, at_ms, ZONE)
    assert (found is not None) == is_open
    assert found is None or found.start_ms <= at_ms < found.end_ms


def test_over_a_change_of_summer_time_the_wall_clock_decides() -> None:
    daily = Window("w", "a", datetime.fromisoformat("2026-03-01T04:00"), 1.0, "FREQ=DAILY")
    for day in ("2026-03-28", "2026-03-29", "2026-03-30"):
        at_ms = int(datetime.fromisoformat(f"{day}T04:30").replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)
        assert open_at(daily, at_ms, "Europe/Berlin") is not None


@pytest.mark.parametrize(
    ("repeats", "effect", "message"),
    [
        ("FREQ=OFTEN", "suppress", "no rule of RFC 5545"),
        ("every tuesday", "suppress", "no rule of RFC 5545"),
        ("FREQ=MINUTELY", "suppress", "repeats needs FREQ="),
        ("", "out_of_service", "needs work_order"),
    ],
)
def test_what_is_no_window_is_refused(repeats: str, effect: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Window("w", "a", ONCE.start, 1.0, repeats, effect)  # type: ignore[arg-type]
