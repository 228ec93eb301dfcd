"""L2/L3: water works and the ends of their networks."""

from dashboards.grafana.boards import Dashboard
from dashboards.grafana.influxql import Ask
from dashboards.grafana.panel import NORMAL, NOW, Panel, limit_lines, outside
from dashboards.grafana.parts import (
    AT_SITE,
    GOOD,
    RUNNING,
    alarms_here,
    data_age,
    mean_by_point,
    pump_work,
    reading,
    state_by_point,
    trend,
)
from dashboards.grafana.targets import Band, setpoint_band
from dashboards.grafana.words import Words

WORKS, END = "works_outlet", "network_end"
TURBIDITY = setpoint_band(WORKS, "turbidity_ntu")
CHLORINE, CHLORINE_END = setpoint_band(WORKS, "free_chlorine_mg_l"), setpoint_band(END, "free_chlorine_mg_l")
PH = setpoint_band(WORKS, "ph")
PRESSURE = setpoint_band(END, "pressure_mpa")
AT_END = f'{AT_SITE} AND "point" =~ /network_end\\./'
AT_WORKS = f'{AT_SITE} AND "point" =~ /works\\./'


def _newest(quantity: str, where: str) -> Ask:
    return Ask(
        f'SELECT last("value") FROM "{quantity}" WHERE {where} AND {GOOD} AND $timeFilter GROUP BY "point"',
        alias="$tag_site",
    )


def _at_works(quantity: str, title: Words, left: int, unit: str, band: Band) -> Panel:
    """The newest value at each chosen works, coloured outside its limits."""
    about = Words("Newest value at the works; limits of GB 5749-2022.", "水厂最新值；GB 5749-2022 限值。")
    asks = (_newest(quantity, AT_WORKS),)
    return Panel("stat", title, about, (left, 0, 4, 3), asks, unit, decimals=2, steps=outside(band), window=NOW)


WATER = Dashboard(
    "utl-l2-water",
    Words("L2/L3 Water works", "L2/L3 水厂"),
    Words("Quality, level, flow and pressure of the chosen works.", "所选水厂的水质、液位、流量与压力。"),
    (
        reading(
            "flow_m3_h",
            Words("Supply", "出水流量"),
            Words("Newest flow.", "最新流量。"),
            (0, 0, 4, 3),
            "m3/h",
            decimals=1,
        ),
        _at_works("turbidity_ntu", Words("Turbidity / 1.0 NTU", "浊度 / 1.0 NTU"), 4, "suffix: NTU", TURBIDITY),
        _at_works(
            "free_chlorine_mg_l",
            Words("Free chlorine / 0.3 … 2.0 mg/L", "游离氯 / 0.3–2.0 mg/L"),
            8,
            "suffix: mg/L",
            CHLORINE,
        ),
        _at_works("ph", Words("pH / 6.5 … 8.5", "酸碱度 pH / 6.5–8.5"), 12, "pH", PH),
        Panel(
            "stat",
            Words("Pressure at the network's end", "管网末梢压力"),
            Words("Newest value; set-points of the profile network_end.", "最新值；末梢设定值。"),
            (16, 0, 4, 3),
            (_newest("pressure_mpa", AT_END),),
            "suffix: MPa",
            decimals=3,
            steps=outside(PRESSURE),
            window=NOW,
        ),
        data_age((20, 0, 4, 3)),
        trend(
            "turbidity_ntu",
            Words("Turbidity", "浊度"),
            Words("Dashed: limit of GB 5749-2022.", "虚线：GB 5749-2022 限值。"),
            (0, 3, 12, 8),
            "suffix: NTU",
            decimals=2,
            steps=limit_lines(TURBIDITY),
        ),
        trend(
            "free_chlorine_mg_l",
            Words("Free chlorine", "游离氯"),
            Words("Dashed: limits of GB 5749-2022 at the works and at the network's end.", "虚线：出厂与末梢的限值。"),
            (12, 3, 12, 8),
            "suffix: mg/L",
            decimals=2,
            steps=limit_lines(CHLORINE, CHLORINE_END),
        ),
        trend(
            "ph",
            Words("pH", "酸碱度 pH"),
            Words("Dashed: limits of GB 5749-2022.", "虚线：GB 5749-2022 限值。"),
            (0, 11, 12, 8),
            "pH",
            decimals=2,
            steps=limit_lines(PH),
        ),
        Panel(
            "timeseries",
            Words("Pressure", "压力"),
            Words("Works and network's end; dashed: set-points of the end.", "出厂与末梢；虚线：末梢设定值。"),
            (12, 11, 12, 8),
            (mean_by_point("pressure_mpa"),),
            "suffix: MPa",
            decimals=3,
            steps=limit_lines(PRESSURE),
        ),
        trend(
            "level_m",
            Words("Clear well", "清水池液位"),
            Words("Level.", "液位。"),
            (0, 19, 12, 6),
            "lengthm",
            decimals=2,
        ),
        trend("flow_m3_h", Words("Flow", "流量"), Words("Works.", "出厂。"), (12, 19, 12, 6), "m3/h", decimals=1),
        Panel(
            "state-timeline",
            Words("Pumps and dosing", "水泵与加药"),
            Words("Holes are silence.", "空白为无人上报的时间。"),
            (0, 25, 24, 5),
            (state_by_point("pump_on"), state_by_point("dose_on")),
            "none",
            marks=RUNNING,
            steps=NORMAL,
        ),
        alarms_here(Words("works", "水厂"), (0, 30, 12, 7)),
        pump_work((12, 30, 12, 7), '"pump_on"'),
    ),
    sites_of="water",
)
