"""From a panel to the foundation SDK's builders: the look of every kind of panel, decided once."""

from typing import Any

from grafana_foundation_sdk.builders import common as c
from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.builders import geomap, stat, statetimeline, statushistory, table, timeseries
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm

from dashboards.grafana.console_link import ALARM_URL
from dashboards.grafana.influxql import InfluxQuery, datasource
from dashboards.grafana.panel import BAD, SERIES, Column, Panel
from dashboards.grafana.words import NO_DATA, Language, Words

NO_TILES = "/public/steppe-no-tiles/{z}/{x}/{y}.png"
"""A path of Grafana itself where nothing lies: the map stays blank, and no request leaves the machine."""
ALARM_LINK = Words("Open on the console", "在控制台打开")
LOOSE_GAP_MS = 5 * 60_000
"""A line is not drawn over a longer silence."""

BUILDERS: dict[str, Any] = {
    "stat": stat.Panel,
    "timeseries": timeseries.Panel,
    "table": table.Panel,
    "geomap": geomap.Panel,
    "state-timeline": statetimeline.Panel,
    "status-history": statushistory.Panel,
}


def rendered(panel: Panel, number: int, language: Language) -> Any:
    """Return the SDK's builder of a panel; `number` is its id, which the SDK gives none."""
    x, y, width, height = panel.at
    built = (
        BUILDERS[panel.kind]()
        .id(number)
        .title(panel.title.said_in(language))
        .description(panel.about.said_in(language))
        .datasource(datasource())
        .grid_pos(dm.GridPos(x=x, y=y, w=width, h=height))
        .unit(panel.unit)
        .no_value(NO_DATA.said_in(language))
        .color_scheme(_colour(panel))
    )
    for place, ask in enumerate(panel.asks):
        built.with_target(InfluxQuery(ask, chr(ord("A") + place), language))
    _dress_values(built, panel, language)
    _STYLES[panel.kind](built, panel)
    for name, column in panel.columns.items():
        built.override_by_name(name, _properties(column, language))
    return built


def _dress_values(built: Any, panel: Panel, language: Language) -> None:
    if panel.decimals is not None:
        built.decimals(panel.decimals)
    if panel.low is not None:
        built.min(panel.low)
    if panel.high is not None:
        built.max(panel.high)
    if panel.steps:
        built.thresholds(_thresholds(panel.steps))
    if panel.marks:
        built.mappings(_mappings(panel.marks, language))
    if panel.window:
        built.time_from(panel.window).hide_time_override(False)


def _colour(panel: Panel) -> d.FieldColor:
    """Judged values take the colour of their step; others are grey shades, told apart by name."""
    colour = d.FieldColor()
    if panel.kind == "timeseries":
        return colour.mode(dm.FieldColorModeId.SHADES).fixed_color(SERIES)
    return colour.mode(dm.FieldColorModeId.THRESHOLDS)


def _thresholds(steps: tuple[tuple[float | None, str], ...]) -> d.ThresholdsConfig:
    return (
        d.ThresholdsConfig()
        .mode(dm.ThresholdsMode.ABSOLUTE)
        .steps([dm.Threshold(value=value, color=colour) for value, colour in steps])
    )


def _mappings(marks: Any, language: Language) -> list[dm.ValueMapping]:
    """A list, by the SDK's types: those of values first, then what stands for nothing."""
    options = {
        value: dm.ValueMappingResult(text=mark.words.said_in(language), color=mark.colour, index=place)
        for place, (value, mark) in enumerate(marks.items())
    }
    nothing = dm.ValueMappingResult(text=NO_DATA.said_in(language), color=BAD, index=len(options))
    special = dm.DashboardSpecialValueMapOptions(match=dm.SpecialValueMatch.NULL, result=nothing)
    return [dm.ValueMap(options=options), dm.SpecialValueMap(options=special)]


def _properties(column: Column, language: Language) -> list[dm.DynamicConfigValue]:
    given: dict[str, object] = {"displayName": column.heading.said_in(language)}
    if column.unit:
        given["unit"] = column.unit
    if column.decimals is not None:
        given["decimals"] = column.decimals
    if column.marks:
        given["mappings"] = _mappings(column.marks, language)
    if column.marks or column.steps:
        given["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
    if column.steps:
        given["thresholds"] = _thresholds(column.steps).build()
    if column.is_hidden:
        given["custom.hideFrom.viz"] = True
    if column.width is not None:
        given["custom.width"] = column.width
    if column.is_link:
        given["links"] = [_alarm_link(language).build()]
    return [dm.DynamicConfigValue(id_val=name, value=value) for name, value in given.items()]


def _alarm_link(language: Language) -> d.DashboardLink:
    return d.DashboardLink(ALARM_LINK.said_in(language)).url(ALARM_URL).target_blank(True).placement("")


def _legend(shown: bool = True) -> c.VizLegendOptions:
    return (
        c.VizLegendOptions()
        .show_legend(shown)
        .display_mode(cm.LegendDisplayMode.LIST)
        .placement(cm.LegendPlacement.BOTTOM)
        .calcs([])
    )


def _tooltip() -> c.VizTooltipOptions:
    return c.VizTooltipOptions().mode(cm.TooltipDisplayMode.MULTI).sort(cm.SortOrder.NONE)


def _stat(built: Any, panel: Panel) -> None:
    judged = bool(panel.steps or panel.marks)
    built.color_mode(cm.BigValueColorMode.BACKGROUND_SOLID if judged else cm.BigValueColorMode.NONE)
    built.graph_mode(cm.BigValueGraphMode.AREA if panel.sparkline else cm.BigValueGraphMode.NONE)
    built.reduce_options(c.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))


def _timeseries(built: Any, panel: Panel) -> None:
    built.legend(_legend()).tooltip(_tooltip())
    built.draw_style(cm.GraphDrawStyle.BARS if panel.is_bars else cm.GraphDrawStyle.LINE)
    built.line_width(1).fill_opacity(60 if panel.is_bars else 0)
    built.show_points(cm.VisibilityMode.NEVER).span_nulls(LOOSE_GAP_MS).insert_nulls(LOOSE_GAP_MS)
    if panel.steps:
        built.thresholds_style(c.GraphThresholdsStyleConfig().mode(cm.GraphThresholdsStyleMode.DASHED))


def _table(built: Any, panel: Panel) -> None:
    built.show_header(True).cell_height(cm.TableCellHeight.SM)
    if len(panel.asks) > 1:
        built.with_transformation(dm.DataTransformerConfig(id_val="merge", options={}))


def _strips(built: Any, _: Panel) -> None:
    built.legend(_legend()).tooltip(_tooltip()).show_value(cm.VisibilityMode.NEVER).row_height(0.8)


def _geomap(built: Any, _: Panel) -> None:
    """Where the page's data say `lat` and `lon`; a blank ground, for tiles would come from the internet."""
    ground = c.MapLayerOptions().type("xyz").name("ground").config({"url": NO_TILES, "attribution": ""}).opacity(0)
    where = c.FrameGeometrySource().mode(cm.FrameGeometrySourceMode.COORDS).latitude("lat").longitude("lon")
    look = {
        "showLegend": True,
        "style": {
            "color": {"field": "alarm", "fixed": SERIES},
            "size": {"fixed": 9},
            "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
            "text": {"field": "name", "mode": "field"},
            "textConfig": {"fontSize": 12, "offsetY": 14, "textAlign": "center", "textBaseline": "top"},
        },
    }
    layer = c.MapLayerOptions().type("markers").name("sites").config(look).location(where).opacity(1)
    built.basemap(ground).layers([layer])
    built.view(geomap.MapViewConfig().id("fit").all_layers(True).padding(10).max_zoom(14))
    built.controls(geomap.ControlsOptions().show_zoom(True).show_attribution(False).mouse_wheel_zoom(True))


_STYLES = {
    "stat": _stat,
    "timeseries": _timeseries,
    "table": _table,
    "geomap": _geomap,
    "state-timeline": _strips,
    "status-history": _strips,
}
