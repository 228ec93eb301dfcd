"""L3: gateways and their links; what waits, what is missing, what was lost."""

from dashboards.grafana.boards import Dashboard
from dashboards.grafana.influxql import Ask
from dashboards.grafana.panel import BAD, NORMAL, NOW, P2, PANEL, Column, Panel, above
from dashboards.grafana.parts import LINK
from dashboards.grafana.words import Words

GATEWAYS = (
    'SELECT last("link") AS "link", "@name" AS "name", "batch_age_s", "waiting_batches", "oldest_waiting_h", '
    '"missing_batches", "dropped_readings", "clock_steps", "version" FROM "site_state" WHERE $timeFilter '
    'GROUP BY "site"'
)
POSITIONS = (
    'SELECT last("link") AS "alarm", "lat", "lon", "@name" AS "name" FROM "site_state" WHERE $timeFilter '
    'GROUP BY "site"'
)


def _newest_sum(field: str, how: str = "sum") -> Ask:
    """The newest word of every site, taken together."""
    return Ask(
        f'SELECT {how}("n") FROM (SELECT last("{field}") AS "n" FROM "site_state" WHERE $timeFilter '
        'GROUP BY "site") WHERE $timeFilter'
    )


def _count(title: Words, about: Words, x: int, ask: Ask, steps: tuple[tuple[float | None, str], ...]) -> Panel:
    return Panel("stat", title, about, (x, 0, 4, 3), (ask,), "none", decimals=0, steps=steps, window=NOW)


FLEET = Dashboard(
    "utl-l3-fleet",
    Words("L3 Gateways", "L3 网关"),
    Words("Links, backlogs and losses of every gateway.", "各网关的通信、积压与丢失。"),
    (
        Panel(
            "stat",
            Words("Gateways: online, all", "网关：在线、全部"),
            Words("By their own birth and death messages.", "按网关上线与遗嘱消息。"),
            (0, 0, 4, 3),
            (_newest_sum("online"), _newest_sum("online", "count")),
            "none",
            decimals=0,
            window=NOW,
        ),
        _count(
            Words("Batches waiting", "待发批次"),
            Words("In the gateways' spools.", "各网关缓存中待发的批次。"),
            4,
            _newest_sum("waiting_batches"),
            above(100),
        ),
        Panel(
            "stat",
            Words("Oldest waiting", "最早待发"),
            Words("Age of the oldest reading that a gateway still holds.", "网关中最早待发数据的时间。"),
            (8, 0, 4, 3),
            (_newest_sum("oldest_waiting_h", "max"),),
            "h",
            decimals=1,
            steps=above(1.0),
            window=NOW,
        ),
        _count(
            Words("Clocks set", "时钟校正次数"),
            Words("How often a gateway's clock stepped.", "网关时钟跳变次数。"),
            12,
            _newest_sum("clock_steps"),
            above(1),
        ),
        _count(
            Words("Batches missing", "缺失批次"),
            Words("Sealed, not here, and not reported as dropped.", "已封装但未到达、也未报告丢弃的批次。"),
            16,
            _newest_sum("missing_batches"),
            above(1, BAD),
        ),
        _count(
            Words("Readings dropped", "丢弃读数"),
            Words("Let go by full spools, by the gateways' own report.", "网关缓存已满而丢弃的读数（网关自报）。"),
            20,
            _newest_sum("dropped_readings"),
            above(1, BAD),
        ),
        Panel(
            "table",
            Words("Gateways", "网关列表"),
            Words("As they are now.", "当前状态。"),
            (0, 3, 16, 12),
            (Ask(GATEWAYS, is_table=True),),
            "none",
            columns={
                "Time": Column(Words("Told", "时间"), width=170),
                "site": Column(Words("Site", "站点")),
                "name": Column(Words("Name", "名称")),
                "link": Column(Words("Link", "通信"), marks=LINK),
                "batch_age_s": Column(
                    Words("Last batch", "最近数据"), unit="s", decimals=0, steps=((None, PANEL), (300.0, P2))
                ),
                "waiting_batches": Column(Words("Waiting", "待发"), unit="none", decimals=0),
                "oldest_waiting_h": Column(Words("Oldest", "最早"), unit="h", decimals=1),
                "missing_batches": Column(
                    Words("Missing", "缺失"), unit="none", decimals=0, steps=((None, PANEL), (1.0, BAD))
                ),
                "dropped_readings": Column(
                    Words("Dropped", "丢弃"), unit="none", decimals=0, steps=((None, PANEL), (1.0, BAD))
                ),
                "clock_steps": Column(Words("Clock set", "校时"), unit="none", decimals=0),
                "version": Column(Words("Version", "版本")),
            },
            window=NOW,
        ),
        Panel(
            "geomap",
            Words("Links", "通信状态"),
            Words("Positions from the register; blank ground: no map tiles are fetched.", "位置取自台账；底图为空。"),
            (16, 3, 8, 12),
            (Ask(POSITIONS, is_table=True),),
            "none",
            marks=LINK,
            steps=((None, BAD), (0.0, P2), (1.0, PANEL)),
            window=NOW,
        ),
        Panel(
            "state-timeline",
            Words("Links, 7 days", "通信状态（7 天）"),
            Words("One row per gateway; a hole is time that nobody told of.", "每站一行；空白为无人上报的时间。"),
            (0, 15, 24, 8),
            (
                Ask(
                    'SELECT min("link") FROM "site_state" WHERE $timeFilter '
                    'GROUP BY time($__interval), "site" fill(null)',
                    alias="$tag_site",
                ),
            ),
            "none",
            marks=LINK,
            steps=NORMAL,
            window="7d",
        ),
        Panel(
            "timeseries",
            Words("Readings per hour: received, expected", "每小时读数：已收、应收"),
            Words("Of all sites; expected by the points that they announced.", "全部站点；应收按站点公布的测点计算。"),
            (0, 23, 12, 8),
            (
                Ask(
                    'SELECT sum("received") AS "received" FROM "site_hour" WHERE $timeFilter '
                    "GROUP BY time(1h) fill(none)",
                    alias="$col",
                ),
                Ask(
                    'SELECT sum("expected") AS "expected" FROM "site_hour" WHERE $timeFilter '
                    "GROUP BY time(1h) fill(none)",
                    alias="$col",
                ),
            ),
            "short",
            window="7d",
        ),
        Panel(
            "timeseries",
            Words("Rows without a value per hour", "每小时无值行数"),
            Words("Instruments that did not answer, by site.", "仪表无应答的行数，按站点。"),
            (12, 23, 12, 8),
            (
                Ask(
                    'SELECT sum("bad") FROM "site_hour" WHERE $timeFilter GROUP BY time(1h), "site" fill(none)',
                    alias="$tag_site",
                ),
            ),
            "short",
            window="7d",
        ),
    ),
)
