"""`steppe power med`: the threshold of a file of daily SAIDI, and the days above it."""

from datetime import date, timedelta

import numpy as np
import pytest

from edge.errors import BadInput


def days(first: str, values) -> list[str]:
    start = date.fromisoformat(first)
    return [f"{start + timedelta(days=n)},{value}" for n, value in enumerate(values)]


E6 = ("day,saidi_min", *days("2025-01-01", [0.5, 1, 2, 4, 8, 0, 0]))


def test_e6_threshold(table, power_json):
    answer = power_json("med", "--daily", table("d.csv", *E6), "--least-days", 2)
    assert list(answer) == ["alpha", "beta", "t_med", "days_used", "zero_days", "major_days", "rejected"]
    assert answer["alpha"] == pytest.approx(0.693147, abs=5e-7)
    assert answer["beta"] == pytest.approx(1.095962, abs=5e-7)
    assert answer["t_med"] == pytest.approx(30.971022, abs=5e-7)
    assert (answer["days_used"], answer["zero_days"], answer["major_days"]) == (5, 2, [])


def test_fewer_than_36_days_state_no_threshold(table, power_json, run_power):
    path = table("d.csv", *E6)
    answer = power_json("med", "--daily", path)
    assert (answer["t_med"], answer["major_days"]) == (None, [])
    assert answer["alpha"] == pytest.approx(0.693147, abs=5e-7)
    assert "36 are needed" in run_power("med", "--daily", path).stderr


@pytest.fixture
def three_years(table):
    """Quiet years of 1 and 2 minutes, and two storms: 2023 and 2025."""
    values = np.tile([1.0, 2.0], 548)
    values[[100, 800]] = 500.0
    return table("d.csv", "day,saidi_min", *days("2023-01-01", values[:1096]))


def test_days_above_the_threshold_are_named(three_years, power_json, run_power):
    answer = power_json("med", "--daily", three_years)
    assert (answer["days_used"], answer["zero_days"]) == (1096, 0)
    assert answer["major_days"] == ["2023-04-11", "2025-03-11"]
    assert "2025-03-11" in run_power("med", "--daily", three_years).stdout


def test_only_the_latest_years_set_the_threshold(three_years, power_json):
    answer = power_json("med", "--daily", three_years, "--years", 1)
    assert (answer["days_used"], answer["major_days"]) == (365, ["2025-03-11"])


def test_a_year_is_judged_by_the_years_before_it(three_years, power_json):
    answer = power_json("med", "--daily", three_years, "--judge", 2025)
    assert (answer["days_used"], answer["major_days"]) == (365 + 366, ["2025-03-11"])


def test_rows_that_cannot_be_used_are_named(table, power_json):
    rows = ["2025-01-01,1", "2025-01-01,2", "2025-02-30,1", "2025-01-03,-1", "2025-01-04,", "2025-01-05,x"]
    answer = power_json("med", "--daily", table("d.csv", "day,saidi_min", *rows))
    assert sorted(entry["row"] for entry in answer["rejected"]) == [3, 4, 5, 6, 7]
    assert answer["days_used"] == 1


def test_a_file_without_days_is_one_clear_line(table, run_power):
    with pytest.raises(BadInput, match="no day in it can be used"):
        run_power("med", "--daily", table("d.csv", "day,saidi_min"))
