"""L3: can the data be believed?"""

from dashboards.grafana.boards import Dashboard
from dashboards.grafana.influxql import Ask
from dashboards.grafana.panel import BAD, NOW, P2, PANEL, Column, Panel, above, below, line_at
from dashboards.grafana.targets import GOOD_TARGET_PCT
from dashboards.grafana.words import Words

GOOD_SHARE = (
    'SELECT 100 * sum("g") / sum("n") FROM (SELECT last("points_good") AS "g", "points" AS "n" FROM "site_state" '
    'WHERE $timeFilter GROUP BY "site") WHERE $timeFilter'
)
WORST = 'SELECT last("age_min") AS "age_min", "@why" AS "why" FROM "point_state" WHERE $timeFilter GROUP BY "point"'


def _sum(title: Words, about: Words, x: int, field: str, colour: str = BAD) -> Panel:
    asked = (
        f'SELECT sum("n") FROM (SELECT last("{field}") AS "n" FROM "site_state" WHERE $timeFilter '
        'GROUP BY "site") WHERE $timeFilter'
    )
    steps = above(1, colour)
    return Panel("stat", title, about, (x, 0, 3, 3), (Ask(asked),), "none", decimals=0, steps=steps, window=NOW)


QUALITY = Dashboard(
    "utl-l3-dq",
    Words("L3 Data quality", "L3 数据质量"),
    Words("Which numbers can be believed, and why others cannot.", "哪些数据可信，哪些不可信及原因。"),
    (
        Panel(
            "stat",
            Words(f"Good points / {GOOD_TARGET_PCT:g} %", f"良好测点 / {GOOD_TARGET_PCT:g} %"),
            Words("Points whose newest value is good and not too old.", "最新值良好且未过旧的测点比例。"),
            (0, 0, 6, 3),
            (Ask(GOOD_SHARE),),
            "percent",
            decimals=1,
            steps=below(GOOD_TARGET_PCT),
            window=NOW,
        ),
        _sum(
            Words("Too old", "过旧"),
            Words("Older than 4 times what the point promises, or never heard.", "超过应报间隔 4 倍，或从未上报。"),
            6,
            "points_old",
        ),
        _sum(
            Words("Bad", "无效"),
            Words("The instrument gave no value.", "仪表无数值。"),
            9,
            "points_bad",
        ),
        _sum(
            Words("Uncertain", "存疑"),
            Words("Out of range, or the gateway's clock was not set.", "超量程，或网关时钟未校准。"),
            12,
            "points_uncertain",
            P2,
        ),
        _sum(
            Words("Batches missing", "缺失批次"),
            Words("Sealed, not here, and not reported as dropped.", "已封装但未到达、也未报告丢弃。"),
            15,
            "missing_batches",
        ),
        _sum(
            Words("Readings dropped", "丢弃读数"),
            Words("By full spools, by the gateways' own report.", "网关缓存已满而丢弃（网关自报）。"),
            18,
            "dropped_readings",
        ),
        _sum(
            Words("Sent again", "重复批次"),
            Words(
                "Batches that came more than once: harmless, but a sign of a poor link.",
                "重复到达的批次：无害，但说明通信不良。",
            ),
            21,
            "duplicates",
            P2,
        ),
        Panel(
            "status-history",
            Words("Completeness by site and hour, 7 days", "完整率（站点 × 小时，7 天）"),
            Words("Received of expected. A hole is an hour that nobody told of.", "已收占应收的比例；空白为无人上报。"),
            (0, 3, 24, 10),
            (
                Ask(
                    'SELECT mean("complete_pct") FROM "site_hour" WHERE $timeFilter '
                    'GROUP BY time(1h), "site" fill(null)',
                    alias="$tag_site",
                ),
            ),
            "percent",
            decimals=0,
            steps=((None, BAD), (50.0, P2), (GOOD_TARGET_PCT, PANEL)),
            window="7d",
        ),
        Panel(
            "table",
            Words("Points that are not good", "不良测点"),
            Words(
                "Within the last 15 min, with the reason and the age of the last value.",
                "最近 15 分钟内，附原因与数据时效。",
            ),
            (0, 13, 14, 10),
            (Ask(WORST, is_table=True),),
            "none",
            columns={
                "Time": Column(Words("Told", "时间"), width=170),
                "point": Column(Words("Point", "测点")),
                "why": Column(Words("Why", "原因")),
                "age_min": Column(
                    Words("Age", "时效"), unit="m", decimals=0, steps=((None, PANEL), (60.0, P2), (1440.0, BAD))
                ),
            },
            window=NOW,
        ),
        Panel(
            "timeseries",
            Words("Good points by utility", "各专业良好测点比例"),
            Words("Mean over the sites; dashed: target.", "各站平均；虚线：目标。"),
            (14, 13, 10, 10),
            (
                Ask(
                    'SELECT mean("good_pct") FROM "site_state" WHERE $timeFilter '
                    'GROUP BY time($__interval), "utility" fill(null)',
                    alias="$tag_utility",
                ),
            ),
            "percent",
            decimals=1,
            steps=line_at(GOOD_TARGET_PCT),
            low=0,
            high=100,
        ),
    ),
)
