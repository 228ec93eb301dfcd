"""L2/L3: feeders and the meters below them."""

from dashboards.grafana.boards import Dashboard
from dashboards.grafana.influxql import Ask
from dashboards.grafana.panel import NORMAL, NOW, Column, Panel, limit_lines, outside
from dashboards.grafana.parts import (
    ALARM_COLUMNS,
    AT_SITE,
    GOOD,
    MAINS,
    alarms_here,
    data_age,
    mean_by_point,
    reading,
    state_by_point,
    trend,
)
from dashboards.grafana.targets import Band, voltage_band
from dashboards.grafana.words import Words

LOW, HIGH = voltage_band("gb12325-220"), voltage_band("gb12325-10kv")
FREQUENCY = Band(49.5, 50.5)
"""GB/T 15945: a small system may stray so far. [Hz]"""
IS_LOW, IS_HIGH = '"value" < 1000', '"value" >= 1000'
LOSSES = (
    'SELECT "id", "state", "@name" AS "name", "lasted_min", "ack_min", "alarm" FROM "alarm_occurrence" '
    f"WHERE \"kind\" = 'supply_lost' AND {AT_SITE} AND $timeFilter ORDER BY time DESC LIMIT 200"
)


FEEDER = Dashboard(
    "utl-l2-feeder",
    Words("L2/L3 Feeders", "L2/L3 线路"),
    Words("Voltage, current, power and supply of the chosen sites.", "所选站点的电压、电流、功率与供电状态。"),
    (
        Panel(
            "stat",
            Words("Meters without supply", "停电电表"),
            Words(
                "The lowest state of supply that meters and gateways of the site tell.", "站内电表与网关的供电状态。"
            ),
            (0, 0, 3, 3),
            (Ask(f'SELECT min("value") FROM "mains_on" WHERE {AT_SITE} AND {GOOD} AND $timeFilter'),),
            "none",
            marks=MAINS,
            window="3m",
        ),
        Panel(
            "stat",
            Words("220 V points: lowest, highest", "220 V 测点：最低、最高"),
            Words("Newest readings; 198 … 235.4 V are allowed (GB/T 12325).", "最新读数；限值 198–235.4 V。"),
            (3, 0, 5, 3),
            (
                Ask(
                    'SELECT min("v"), max("v") FROM (SELECT last("value") AS "v" FROM "voltage_v" '
                    f'WHERE {AT_SITE} AND {IS_LOW} AND {GOOD} AND $timeFilter GROUP BY "point") WHERE $timeFilter',
                    alias="$col",
                ),
            ),
            "volt",
            decimals=1,
            steps=outside(LOW),
            window=NOW,
        ),
        Panel(
            "stat",
            Words("Highest current", "最大电流"),
            Words("Newest readings of all phases.", "各相最新读数的最大值。"),
            (8, 0, 4, 3),
            (
                Ask(
                    'SELECT max("a") FROM (SELECT last("value") AS "a" FROM "current_a" '
                    f'WHERE {AT_SITE} AND {GOOD} AND $timeFilter GROUP BY "point") WHERE $timeFilter'
                ),
            ),
            "amp",
            decimals=1,
            window=NOW,
        ),
        Panel(
            "stat",
            Words("Power", "有功功率"),
            Words("Sum of the newest readings of the chosen sites' meters.", "所选站点电表最新读数之和。"),
            (12, 0, 5, 3),
            (
                Ask(
                    'SELECT sum("kw") FROM (SELECT last("value") AS "kw" FROM "active_power_kw" '
                    f'WHERE {AT_SITE} AND {GOOD} AND $timeFilter GROUP BY "point") WHERE $timeFilter'
                ),
            ),
            "kwatt",
            decimals=1,
            window=NOW,
        ),
        Panel(
            "stat",
            Words("Frequency", "频率"),
            Words("Mean of the newest readings.", "最新读数的平均值。"),
            (17, 0, 3, 3),
            (
                Ask(
                    'SELECT mean("hz") FROM (SELECT last("value") AS "hz" FROM "frequency_hz" '
                    f'WHERE {AT_SITE} AND "value" > 1 AND {GOOD} AND $timeFilter GROUP BY "point") WHERE $timeFilter'
                ),
            ),
            "hertz",
            decimals=2,
            steps=outside(FREQUENCY),
            window=NOW,
        ),
        data_age((20, 0, 4, 3)),
        Panel(
            "timeseries",
            Words("Voltage, 220 V points", "电压（220 V 测点）"),
            Words("Dashed: limits of GB/T 12325 for 220 V.", "虚线：GB/T 12325 220 V 限值。"),
            (0, 3, 12, 8),
            (mean_by_point("voltage_v", f"{AT_SITE} AND {IS_LOW}"),),
            "volt",
            decimals=1,
            steps=limit_lines(LOW),
        ),
        Panel(
            "timeseries",
            Words("Voltage, 10 kV points of all sites", "电压（全部 10 kV 测点）"),
            Words("Dashed: limits of GB/T 12325 for 10 kV.", "虚线：GB/T 12325 10 kV 限值。"),
            (12, 3, 12, 8),
            (mean_by_point("voltage_v", IS_HIGH),),
            "volt",
            decimals=0,
            steps=limit_lines(HIGH),
        ),
        trend(
            "current_a",
            Words("Current", "电流"),
            Words("Each phase of each meter.", "各电表各相。"),
            (0, 11, 12, 8),
            "amp",
            decimals=1,
        ),
        trend(
            "active_power_kw",
            Words("Power", "有功功率"),
            Words("Each meter.", "各电表。"),
            (12, 11, 12, 8),
            "kwatt",
            decimals=1,
        ),
        Panel(
            "state-timeline",
            Words("Supply of each meter", "各电表供电状态"),
            Words("What each meter and gateway says of its own supply; holes are silence.", "空白为无人上报的时间。"),
            (0, 19, 24, 5),
            (state_by_point("mains_on"),),
            "none",
            marks=MAINS,
            steps=NORMAL,
        ),
        alarms_here(Words("sites", "站点"), (0, 24, 12, 7)),
        Panel(
            "table",
            Words("Losses of supply", "停电记录"),
            Words(
                "As the alarms saw them; the judged interruptions with their evidence stand on the console.",
                "按报警记录；经研判的停电及其证据见控制台。",
            ),
            (12, 24, 12, 7),
            (Ask(LOSSES, is_table=True),),
            "none",
            columns=ALARM_COLUMNS | {"ack_min": Column(Words("Taken after", "确认用时"), unit="m", decimals=0)},
        ),
        reading(
            "voltage_v",
            Words("Newest voltage of every point", "各测点最新电压"),
            Words("Readings older than 15 min are not shown.", "不显示 15 分钟以前的读数。"),
            (0, 31, 24, 6),
            "volt",
            decimals=0,
        ),
    ),
    sites_of="power",
)
