"""The dashboards as files: the same bytes on every build, and nothing in them that must not be there."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.build import DASHBOARDS, FOLDERS, Built, build_all, write_all
from dashboards.grafana.console_link import CONSOLE_URL
from dashboards.grafana.influxql import DATASOURCE_UID, with_variables
from dashboards.grafana.lint import faults
from dashboards.grafana.targets import Band, setpoint_band, voltage_band
from dashboards.grafana.words import LANGUAGES

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy" / "grafana"
Model = dict[str, Any]


@pytest.fixture(scope="module")
def built() -> list[Built]:
    return build_all()


def by_uid(built: list[Built], uid: str) -> Built:
    return next(one for one in built if one.uid == uid)


def panel_of(model: Model, title: str) -> Model:
    return next(panel for panel in model["panels"] if panel["title"] == title)


def test_the_files_in_deploy_are_the_bytes_of_this_build(built: list[Built], tmp_path: Path) -> None:
    expected = {path.relative_to(tmp_path): path.read_bytes() for path in write_all(tmp_path, built)}
    folder = DEPLOY / "dashboards"
    held = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.json")}
    assert held == expected, "run `steppe dashboards build --out deploy/grafana/dashboards`"


def test_two_builds_are_equal_and_a_second_write_touches_nothing(built: list[Built], tmp_path: Path) -> None:
    assert [one.text for one in build_all()] == [one.text for one in built]
    assert len(list(write_all(tmp_path, built))) == len(DASHBOARDS) * len(LANGUAGES)
    assert list(write_all(tmp_path, built)) == []


def test_every_dashboard_of_the_layouts_is_there(built: list[Built]) -> None:
    stems = {one.uid.rsplit("-", 1)[0] for one in built}
    assert stems == {
        "utl-l1-overview",
        "utl-l2-feeder",
        "utl-l2-water",
        "utl-l2-sewage",
        "utl-l3-fleet",
        "utl-l3-dq",
        "utl-l4-alarmperf",
    }


def test_the_source_tag_changes_with_the_content_alone(built: list[Built]) -> None:
    elsewhere = build_all("https://console.example")
    assert all(one.source != other.source for one, other in zip(built, elsewhere, strict=True))
    assert [one.source for one in build_all(CONSOLE_URL)] == [one.source for one in built]


def test_nothing_is_wrong_with_the_dashboards(built: list[Built]) -> None:
    assert faults(built) == []


def first_panel(model: Model) -> Model:
    panel: Model = model["panels"][0]
    return panel


def repeat_an_id(model: Model) -> None:
    model["panels"][1]["id"] = model["panels"][0]["id"]


def overlap(model: Model) -> None:
    model["panels"][1]["gridPos"] |= {"x": 0, "y": 0}


def leave_the_grid(model: Model) -> None:
    model["panels"][-1]["gridPos"]["x"] = 20


def forget_the_unit(model: Model) -> None:
    del first_panel(model)["fieldConfig"]["defaults"]["unit"]


def forget_the_description(model: Model) -> None:
    first_panel(model)["description"] = ""


def forget_the_words_for_nothing(model: Model) -> None:
    del first_panel(model)["fieldConfig"]["defaults"]["noValue"]


def paint_it_green(model: Model) -> None:
    first_panel(model)["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = "#00ff00"


def name_a_colour(model: Model) -> None:
    first_panel(model)["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = "green"


def ask_an_unknown_variable(model: Model) -> None:
    first_panel(model)["targets"][0]["query"] += " AND $feeder"


def ask_an_unknown_field(model: Model) -> None:
    first_panel(model)["targets"][0]["query"] += ' AND "colour" = 1'


def ask_an_unknown_measurement(model: Model) -> None:
    first_panel(model)["targets"][0]["query"] = 'SELECT last("value") FROM "nothing" WHERE $timeFilter'


def ask_nothing(model: Model) -> None:
    first_panel(model)["targets"] = []


def link_to_nowhere(model: Model) -> None:
    model["links"][0]["url"] = "/d/no-such-dashboard"


def link_out(model: Model) -> None:
    model["links"][0]["url"] = "https://elsewhere.example/"


def refresh_too_fast(model: Model) -> None:
    model["refresh"] = "5s"


def fetch_tiles(model: Model) -> None:
    geomap = next(panel for panel in model["panels"] if panel["type"] == "geomap")
    geomap["options"]["basemap"]["type"] = "carto"


def forget_the_base_layer(model: Model) -> None:
    geomap = next(panel for panel in model["panels"] if panel["type"] == "geomap")
    geomap["options"]["basemap"]["type"] = ""


def forget_the_legend(model: Model) -> None:
    timeline = next(panel for panel in model["panels"] if panel["type"] == "state-timeline")
    del timeline["options"]["legend"]


def forget_the_language(model: Model) -> None:
    first_panel(model)["title"] = "Alarms"


BREAKS: dict[Callable[[Model], None], str] = {
    repeat_an_id: "panel ids repeat",
    overlap: "overlap",
    leave_the_grid: "does not fit into 24 columns",
    forget_the_unit: "no unit",
    forget_the_description: "no description",
    forget_the_words_for_nothing: "no words for no data",
    paint_it_green: "colour #00ff00 is not in the palette",
    name_a_colour: "name it by the palette",
    ask_an_unknown_variable: "$feeder is not declared",
    ask_an_unknown_field: "'colour' is not in the registry",
    ask_an_unknown_measurement: "no registered measurement",
    ask_nothing: "asks nothing",
    link_to_nowhere: "leads nowhere",
    link_out: "to a dashboard of ours, or to the console",
    refresh_too_fast: "refresh 5s is below 10 s",
    fetch_tiles: "fetches tiles from the internet",
    forget_the_base_layer: "base layer is not said",
    forget_the_legend: "no legend",
    forget_the_language: "not in Chinese: 'Alarms'",
}


@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: str(damage.__name__))
def test_each_rule_finds_what_breaks_it(built: list[Built], damage: Callable[[Model], None]) -> None:
    one = by_uid(built, "utl-l1-overview-zh")
    model = copy.deepcopy(one.model)
    damage(model)
    found = faults([replace(one, model=model), *(other for other in built if other is not one)])
    assert any(BREAKS[damage] in fault for fault in found), found


def test_both_languages_ask_the_same_but_for_the_names_columns(built: list[Built]) -> None:
    for one in DASHBOARDS:
        en, zh = (by_uid(built, one.uid(language)).model for language in LANGUAGES)
        for left, right in zip(en["panels"], zh["panels"], strict=True):
            assert left["gridPos"] == right["gridPos"]
            for asked, said in zip(left["targets"], right["targets"], strict=True):
                plain = said["query"].replace("_zh", "")
                assert asked["query"] == plain


def test_targets_and_limits_are_the_registered_ones(built: list[Built]) -> None:
    overview = by_uid(built, "utl-l1-overview-en").model
    water = by_uid(built, "utl-l2-water-en").model
    feeder = by_uid(built, "utl-l2-feeder-en").model

    def limits(model: Model, title: str) -> list[float]:
        steps = panel_of(model, title)["fieldConfig"]["defaults"]["thresholds"]["steps"]
        return [step["value"] for step in steps if step["value"] is not None]

    assert limits(overview, "Supply reliability, quarter, bounds / 99.83 %") == [99.83]
    assert limits(overview, "Voltage compliance / 99.68 %") == [99.68]
    assert limits(water, "Turbidity / 1.0 NTU") == [1.0]
    assert limits(water, "Free chlorine / 0.3 … 2.0 mg/L") == [0.3, 2.0]
    assert limits(water, "pH / 6.5 … 8.5") == [6.5, 8.5]
    assert limits(feeder, "Voltage, 220 V points") == [198.0, 235.4]
    assert (voltage_band("gb12325-10kv"), setpoint_band("network_end", "pressure_mpa")) == (
        Band(9300.0, 10700.0),
        Band(0.1, 0.4),
    )


def test_alarm_rows_lead_to_the_console(built: list[Built]) -> None:
    for language, title in (("en", "Active alarms"), ("zh", "当前报警")):
        model = by_uid(built, f"utl-l1-overview-{language}").model
        overrides = panel_of(model, title)["fieldConfig"]["overrides"]
        links = [p["value"] for o in overrides for p in o["properties"] if p["id"] == "links"]
        assert {link["url"] for [link] in links} == {"${console}/alarms/${__data.fields.id}"}
        [constant] = [one for one in model["templating"]["list"] if one["name"] == "console"]
        assert constant["query"] == CONSOLE_URL


def test_provisioning_names_the_same_data_source_and_folders(built: list[Built]) -> None:
    sources = yaml.safe_load((DEPLOY / "provisioning" / "datasources" / "steppe.yaml").read_text(encoding="utf-8"))
    [source] = sources["datasources"]
    assert (source["uid"], source["type"], source["jsonData"]["version"]) == (DATASOURCE_UID, "influxdb", "InfluxQL")
    providers = yaml.safe_load((DEPLOY / "provisioning" / "dashboards" / "steppe.yaml").read_text(encoding="utf-8"))
    told = {one["folderUid"]: one["folder"] for one in providers["providers"]}
    assert told == {uid: title.said_in(language) for language, (uid, title) in FOLDERS.items()}
    for one in providers["providers"]:
        assert one["folderUid"].rsplit("-", 1)[1] == one["options"]["path"].rsplit("/", 1)[1]


def test_the_json_is_plain_and_classic(built: list[Built]) -> None:
    for one in built:
        assert json.loads(one.text) == one.model
        assert one.model["schemaVersion"] >= 36
        assert "spec" not in one.model, "the classic form, which Grafana 10 to 13 take"


def test_variables_are_filled_in_whole_words_only() -> None:
    assert with_variables("$site $sites ${site} $timeFilter", {"site": "w\\d"}) == "w\\d $sites w\\d $timeFilter"
