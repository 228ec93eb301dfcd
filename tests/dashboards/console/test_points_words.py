"""How a point is named, and its trend as a table."""

import pytest

from dashboards.console.views.points_alarms import subjects_of
from dashboards.console.views.points_names import name_of
from dashboards.console.views.points_table import GRAVITY, TableRow, table_rows
from dashboards.console.views.points_trend import Stretch, Trend


@pytest.mark.parametrize(
    ("point", "device", "part", "en", "zh", "unit"),
    [
        ("a/t01.l1.voltage_v", "t01", "L1", "Voltage", "电压", "V"),
        ("a/works.free_chlorine_mg_l", "works", "", "Free chlorine", "余氯", "mg/L"),
        ("a/gateway.mains_on", "gateway", "", "Mains present", "有市电", ""),
        ("a/x.import.l2.odd_thing", "x", "IMPORT L2", "odd thing", "odd thing", ""),
    ],
)
def test_a_point_is_called_by_its_quantity_part_and_unit(
    point: str, device: str, part: str, en: str, zh: str, unit: str
) -> None:
    name = name_of(point)
    assert (name.device, name.part, name.quantity.en, name.quantity.zh, name.unit) == (device, part, en, zh, unit)


def test_when_the_last_power_failure_began_is_a_time() -> None:
    assert name_of("a/t01.last_power_fail_start_s").is_instant
    assert not name_of("a/t01.l1.voltage_v").is_instant


def test_what_runs_or_stands_still_is_a_state() -> None:
    assert name_of("a/works.pump_on").is_state
    assert not name_of("a/t01.l1.voltage_v").is_state


def test_alarms_of_the_point_its_meter_and_its_site_touch_it() -> None:
    assert subjects_of("a/t01.l1.voltage_v") == ("a/t01.l1.voltage_v", "a/t01.l1", "a/t01", "a")


def test_a_table_has_a_row_for_every_step_up_to_now_with_the_worst_of_its_states() -> None:
    """Four steps of ten: a value beside silence, silence, a value, and one that has not come."""
    strip = (Stretch(0, 5, "good", 0.0), Stretch(5, 20, "none", 1.0), Stretch(20, 30, "good", 0.0))
    trend = Trend(
        start_ms=0,
        end_ms=40,
        step_ms=10,
        t_ms=(5, 5, 25),
        low=(1.0, None, 2.0),
        high=(3.0, None, 2.0),
        mean=(2.0, None, 2.0),
        strip=(*strip, Stretch(30, 40, "future", 0.0)),
        valued=3,
        bad=0,
        expected=None,
        good_share=None,
    )
    assert table_rows(trend) == (
        TableRow(0, 1.0, 2.0, 3.0, "none"),
        TableRow(10, None, None, None, "none"),
        TableRow(20, 2.0, 2.0, 2.0, "good"),
    )
    assert GRAVITY.index("bad") > GRAVITY.index("good")
