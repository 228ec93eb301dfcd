"""L1: the county on one screen; is anything wrong that nobody has taken, and can it be believed?"""

from dashboards.grafana.boards import Dashboard
from dashboards.grafana.influxql import Ask
from dashboards.grafana.panel import BAD, NORMAL, NOW, NUMBERS, P1, P2, P3, PANEL, Column, Panel, below
from dashboards.grafana.parts import GOOD, LINK, PRIORITY, VERDICT, alarm_table, standing
from dashboards.grafana.targets import SUPPLY_TARGET_PCT, VOLTAGE_TARGET_PCT
from dashboards.grafana.words import Words

QUARTER = '"span" = \'quarter\' AND "level" = \'banner\' AND $timeFilter GROUP BY "@name"'
STALE_SITES = (
    'SELECT sum("n") FROM (SELECT last("old") AS "n" FROM "site_state" WHERE $timeFilter GROUP BY "site") '
    "WHERE $timeFilter"
)
POSITIONS = (
    'SELECT last("alarm") AS "alarm", "lat", "lon", "@name" AS "name", "batch_age_s" FROM "site_state" '
    'WHERE $timeFilter GROUP BY "site"'
)


def _now(title: Words, about: Words, x: int, influxql: str, unit: str, alias: str) -> Panel:
    ask = Ask(influxql, alias=alias)
    return Panel("stat", title, about, (x, 3, 6, 4), (ask,), unit, decimals=1, sparkline=True)


OVERVIEW = Dashboard(
    "utl-l1-overview",
    Words("L1 Overview", "L1 总览"),
    Words("The county on one screen: wall and phone.", "全旗一屏：大屏与手机。"),
    (
        standing(
            Words("1 critical, unacknowledged", "1 紧急未确认"),
            Words("Critical alarms that nobody has taken.", "尚无人接单的紧急报警。"),
            (0, 0, 3, 3),
            "unacked",
            "\"severity\" = 'critical'",
            P1,
        ),
        standing(
            Words("2 high, unacknowledged", "2 重要未确认"),
            Words("High alarms that nobody has taken.", "尚无人接单的重要报警。"),
            (3, 0, 3, 3),
            "unacked",
            "\"severity\" = 'high'",
            P2,
        ),
        Panel(
            "stat",
            Words("Sites with old data", "数据过旧的站点"),
            Words("Sites whose last batch is older than 5 min.", "最近一批数据早于 5 分钟的站点数。"),
            (6, 0, 3, 3),
            (Ask(STALE_SITES),),
            "none",
            decimals=0,
            steps=((None, PANEL), (1.0, BAD)),
            window=NOW,
        ),
        Panel(
            "stat",
            Words("Oldest unacknowledged", "最早未确认"),
            Words("How long the oldest alarm has waited for somebody.", "最早一条未确认报警已等待的时间。"),
            (9, 0, 3, 3),
            (Ask('SELECT max("oldest_unacked_min") FROM "alarm_now" WHERE $timeFilter'),),
            "m",
            decimals=0,
            steps=((None, PANEL), (15.0, P2), (60.0, P1)),
            window="2m",
        ),
        Panel(
            "stat",
            Words(
                f"Supply reliability, quarter, bounds / {SUPPLY_TARGET_PCT} %",
                f"供电可靠率（本季，上下限）/ {SUPPLY_TARGET_PCT} %",
            ),
            Words(
                "RS-1 of the quarter so far: not below the first, not above the second number. What nobody saw is "
                "neither supplied nor out.",
                "本季至今 RS-1 的下限与上限。无人观测的时间既不算有电也不算停电。",
            ),
            (12, 0, 4, 3),
            (
                Ask(f'SELECT last("low_pct") FROM "kpi_supply" WHERE {QUARTER}', alias="≥ $tag_@name"),
                Ask(f'SELECT last("high_pct") FROM "kpi_supply" WHERE {QUARTER}', alias="≤ $tag_@name"),
            ),
            "percent",
            decimals=3,
            steps=below(SUPPLY_TARGET_PCT),
            window=NUMBERS,
        ),
        Panel(
            "stat",
            Words("Reliability target", "可靠率目标"),
            Words(
                "Met: even the lower bound reaches the target. Not met: even the upper bound misses it. "
                "Otherwise it is not known.",
                "达标：下限也达到目标；未达标：上限也达不到；否则无法判定。",
            ),
            (16, 0, 4, 3),
            (Ask(f'SELECT last("verdict") FROM "kpi_supply" WHERE {QUARTER}', alias="$tag_@name"),),
            "none",
            marks=VERDICT,
            window=NUMBERS,
        ),
        Panel(
            "stat",
            Words(f"Voltage compliance / {VOLTAGE_TARGET_PCT} %", f"电压合格率 / {VOLTAGE_TARGET_PCT} %"),
            Words("Monitored minutes within limits, quarter so far.", "本季至今监测分钟中合格的比例。"),
            (20, 0, 4, 3),
            (Ask(f'SELECT last("pass_pct") FROM "kpi_voltage" WHERE {QUARTER}', alias="$tag_@name"),),
            "percent",
            decimals=2,
            steps=below(VOLTAGE_TARGET_PCT),
            window=NUMBERS,
        ),
        _now(
            Words("Power: load", "电力：负荷"),
            Words("Sum of the mean power of all meters below 10 kV heads.", "各台区平均有功功率之和。"),
            0,
            'SELECT sum("kw") FROM (SELECT mean("value") AS "kw" FROM "active_power_kw" '
            f'WHERE "point" =~ /\\/t[0-9]+\\./ AND {GOOD} AND $timeFilter '
            'GROUP BY time($__interval), "point" fill(none)) WHERE $timeFilter GROUP BY time($__interval) fill(none)',
            "kwatt",
            "",
        ),
        _now(
            Words("Feeder voltage, 220 V points: lowest and highest", "台区电压：最低与最高"),
            Words("Readings between 22 V and 1000 V; 198 … 235.4 V are allowed.", "22–1000 V 读数；限值 198–235.4 V。"),
            6,
            'SELECT min("value") AS "min", max("value") AS "max" FROM "voltage_v" '
            f'WHERE "value" > 22 AND "value" < 1000 AND {GOOD} AND $timeFilter GROUP BY time($__interval) fill(none)',
            "volt",
            "$col",
        ),
        _now(
            Words("Water: supply", "供水：流量"),
            Words("Sum of the works' flow.", "各水厂出水流量之和。"),
            12,
            'SELECT sum("flow") FROM (SELECT mean("value") AS "flow" FROM "flow_m3_h" '
            f'WHERE "point" =~ /works\\./ AND {GOOD} AND $timeFilter '
            'GROUP BY time($__interval), "point" fill(none)) WHERE $timeFilter GROUP BY time($__interval) fill(none)',
            "m3/h",
            "",
        ),
        _now(
            Words("Sewage: highest wet well", "污水：最高集水井液位"),
            Words("Highest level of all lift stations.", "各提升站集水井的最高液位。"),
            18,
            'SELECT max("value") FROM "level_m" '
            f'WHERE "point" =~ /lift\\./ AND {GOOD} AND $timeFilter GROUP BY time($__interval) fill(none)',
            "lengthm",
            "",
        ),
        Panel(
            "geomap",
            Words("Sites and their gravest alarm", "站点及其最高报警等级"),
            Words(
                "Positions from the register (lat, lon of assets.csv); blank ground: no map tiles are fetched.",
                "位置取自台账 assets.csv 的经纬度；底图为空，不请求外网地图。",
            ),
            (0, 7, 10, 12),
            (Ask(POSITIONS, is_table=True),),
            "none",
            marks=PRIORITY,
            steps=((None, PANEL), (1.0, P3), (3.0, P2), (4.0, P1)),
            columns={"batch_age_s": Column(Words("Data age", "数据时效"), unit="s", decimals=0)},
            window=NOW,
        ),
        alarm_table(
            Words("Active alarms", "当前报警"),
            Words("All that stand and are not hidden; a click on one opens it on the console.", "点击可在控制台打开。"),
            (10, 7, 14, 12),
            '"open" = 1 AND "hidden" = 0',
        ),
        Panel(
            "state-timeline",
            Words("Sites, last 24 h", "站点状态（24 小时）"),
            Words("One row per gateway; a hole is time that nobody told of.", "每站一行；空白为无人上报的时间。"),
            (0, 19, 24, 7),
            (
                Ask(
                    'SELECT last("link") FROM "site_state" WHERE $timeFilter '
                    'GROUP BY time($__interval), "site" fill(null)',
                    alias="$tag_site",
                ),
            ),
            "none",
            marks=LINK,
            steps=NORMAL,
            window="24h",
        ),
    ),
)
