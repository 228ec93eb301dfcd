"""What is hidden and what is not: cycles by name, moved assets, disabled causes, plans over what lies below."""

import numpy as np
import pytest

from analytics.alarms.events import Severity, Suppress
from analytics.alarms.records import AlarmRecord
from analytics.alarms.state import Alarm
from analytics.alarms.suppression import Cover, Places, covers, places, wanted
from edge.errors import ConfigError
from ingest.register import Asset, Plan, PointEntry, Register

NOW = 1_764_000_000_000
MINUTE = 60_000
UP = Alarm(condition=True, acked=False, severity=Severity.HIGH, occurrence=1)


def asset(name: str, parent: str | None, start_ms: int | None = None, end_ms: int | None = None) -> Asset:
    return Asset(name, "feeder", name, name, "1", parent, 1, None, None, start_ms, end_ms)


def register(*assets: Asset) -> Register:
    by_id: dict[str, tuple[Asset, ...]] = {}
    for one in assets:
        by_id[one.id] = (*by_id.get(one.id, ()), one)
    points = {
        f"s-{name}/meter.voltage_v": PointEntry(f"s-{name}/meter.voltage_v", name, "", "", 220.0) for name in by_id
    }
    return Register({}, by_id, points, ())


def lost(name: str, alarm: Alarm = UP) -> AlarmRecord:
    return AlarmRecord(f"s-{name}/meter#supply_lost", name, "supply_lost", alarm)


def hidden(where: Places, *records: AlarmRecord, over: tuple[Cover, ...] = ()) -> dict[str, str]:
    """Alarm → what hides it, all with one onset."""
    onsets = {record.id: NOW for record in records}
    acts = wanted(where, records, over, onsets, now_ms=NOW, grace_ms=MINUTE)
    return {record.id: act.event.by for record, act in acts if isinstance(act.event, Suppress)}


def test_a_cycle_is_refused_and_its_assets_named() -> None:
    with pytest.raises(ConfigError, match=r"assets\.csv: f1, f2 lie above one another") as refused:
        places(register(asset("f1", "f2"), asset("f2", "f1"), asset("beside", None)), now_ms=NOW)
    assert "beside" not in str(refused.value)


def test_an_asset_that_has_moved_is_explained_by_where_it_hangs_now() -> None:
    """t hung on f1 until now, and hangs on f2 since."""
    county = register(asset("f1", None), asset("f2", None), asset("t", "f1", None, NOW), asset("t", "f2", NOW, None))
    where = places(county, now_ms=NOW)
    assert hidden(where, lost("f1"), lost("t")) == {}
    assert hidden(where, lost("f2"), lost("t")) == {"s-t/meter#supply_lost": "s-f2/meter#supply_lost"}


def test_an_alarm_that_is_disabled_or_out_of_service_explains_nothing() -> None:
    where = places(register(asset("f1", None), asset("t", "f1")), now_ms=NOW)
    for gone in (Alarm(condition=True, enabled=False), Alarm(condition=True, out_of_service="WO-7")):
        assert hidden(where, lost("f1", gone), lost("t")) == {}


def test_a_class_that_is_not_known_explains_nothing_and_is_explained_by_nothing() -> None:
    where = places(register(asset("f1", None), asset("t", "f1")), now_ms=NOW)
    other = AlarmRecord("s-t/meter#arc", "t", "arc_flash", UP)
    assert hidden(where, lost("f1"), lost("t"), other) == {"s-t/meter#supply_lost": "s-f1/meter#supply_lost"}


def test_a_plan_covers_what_lies_below_its_asset_while_it_is_in_force() -> None:
    where = places(register(asset("f1", None), asset("t", "f1"), asset("u", None)), now_ms=NOW)
    plan = Plan("f1", NOW - MINUTE, NOW + MINUTE, "planned", "N-7", "")
    in_force = tuple(covers([plan], [], now_ms=NOW))
    assert hidden(where, lost("t"), lost("u"), over=in_force) == {"s-t/meter#supply_lost": "plan:N-7"}
    assert covers([plan], [], now_ms=NOW + MINUTE) == []


def test_what_is_never_hidden_is_hidden_by_nothing() -> None:
    where = places(register(asset("f1", None), asset("t", "f1")), now_ms=NOW)
    overflow = AlarmRecord("s-t/well.level_m#overflow", "t", "overflow", UP)
    window = Cover("window:w", "f1", frozenset({"overflow", "supply_lost"}))
    assert hidden(where, lost("f1"), overflow, over=(window,)) == {"s-f1/meter#supply_lost": "window:w"}


def test_a_thousand_alarms_below_one_cause_are_told_apart_at_once() -> None:
    names = [f"t{number}" for number in range(1000)]
    where = places(register(asset("f1", None), *(asset(name, "f1") for name in names)), now_ms=NOW)
    found = hidden(where, lost("f1"), *(lost(name) for name in names))
    assert len(found) == 1000
    assert np.unique(list(found.values())).tolist() == ["s-f1/meter#supply_lost"]
