"""L2/L3: water works and the ends of their networks."""

from dashboards.grafana.boards import Dashboard
from dashboards.grafana.influxql import Ask
from dashboards.grafana.panel import NORMAL, NOW, Column, Panel, limit_lines, outside
from dashboards.grafana.parts import (
    AT_SITE,
    GOOD,
    RUNNING,
    alarm_table,
    data_age,
    mean_by_point,
    reading,
    state_by_point,
    trend,
)
from dashboards.grafana.targets import setpoint_band
from dashboards.grafana.words import Words

WORKS, END = "works_outlet", "network_end"
TURBIDITY = setpoint_band(WORKS, "turbidity_ntu")
CHLORINE, CHLORINE_END = setpoint_band(WORKS, "free_chlorine_mg_l"), setpoint_band(END, "free_chlorine_mg_l")
PH = setpoint_band(WORKS, "ph")
PRESSURE = setpoint_band(END, "pressure_mpa")
AT_END = f'{AT_SITE} AND "point" =~ /network_end\\./'
AT_WORKS = f'{AT_SITE} AND "point" =~ /works\\./'
RUN_HOURS = (
    f'SELECT integral("value", 1h) AS "hours" FROM "pump_on" WHERE {AT_SITE} AND {GOOD} AND $timeFilter '
    'GROUP BY "point"'
)
STARTS = (
    'SELECT count("step") AS "starts" FROM (SELECT difference("value") AS "step" FROM "pump_on" '
    f'WHERE {AT_SITE} AND {GOOD} AND $timeFilter GROUP BY "point") WHERE "step" > 0 AND $timeFilter GROUP BY "point"'
)


def _newest(quantity: str, where: str) -> Ask:
    return Ask(
        f'SELECT last("value") FROM "{quantity}" WHERE {where} AND {GOOD} AND $timeFilter GROUP BY "point"',
        alias="$tag_site",
    )


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
        Panel(
            "stat",
            Words("Turbidity / 1.0 NTU", "浊度 / 1.0 NTU"),
            Words("Newest value at the works; limit of GB 5749-2022.", "水厂最新值；GB 5749-2022 限值。"),
            (4, 0, 4, 3),
            (_newest("turbidity_ntu", AT_WORKS),),
            "suffix: NTU",
            decimals=2,
            steps=outside(TURBIDITY),
            window=NOW,
        ),
        Panel(
            "stat",
            Words("Free chlorine / 0.3 … 2.0 mg/L", "游离氯 / 0.3–2.0 mg/L"),
            Words("Newest value at the works; limits of GB 5749-2022.", "水厂最新值；GB 5749-2022 限值。"),
            (8, 0, 4, 3),
            (_newest("free_chlorine_mg_l", AT_WORKS),),
            "suffix: mg/L",
            decimals=2,
            steps=outside(CHLORINE),
            window=NOW,
        ),
        Panel(
            "stat",
            Words("pH / 6.5 … 8.5", "酸碱度 pH / 6.5–8.5"),
            Words("Newest value at the works; limits of GB 5749-2022.", "水厂最新值；GB 5749-2022 限值。"),
            (12, 0, 4, 3),
            (_newest("ph", AT_WORKS),),
            "pH",
            decimals=2,
            steps=outside(PH),
            window=NOW,
        ),
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
        alarm_table(
            Words("Alarms of the chosen works", "所选水厂的报警"),
            Words("Those that began in the time shown; a click opens one on the console.", "点击可在控制台打开。"),
            (0, 30, 12, 7),
            f"{AT_SITE} AND $timeFilter",
        ),
        Panel(
            "table",
            Words("Pumps: hours and starts", "水泵：运行小时与启动次数"),
            Words("In the time shown, from the readings of the pump's state.", "所示时段内，按水泵状态读数计算。"),
            (12, 30, 12, 7),
            (Ask(RUN_HOURS, is_table=True), Ask(STARTS, is_table=True)),
            "none",
            columns={
                "point": Column(Words("Pump", "水泵")),
                "hours": Column(Words("Hours", "小时"), unit="h", decimals=1),
                "starts": Column(Words("Starts", "启动次数"), unit="none", decimals=0),
            },
        ),
    ),
    sites_of="water",
)
