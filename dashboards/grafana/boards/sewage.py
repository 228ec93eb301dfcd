"""L2/L3: sewage lift stations and their outlets."""

from dashboards.grafana.boards import Dashboard
from dashboards.grafana.influxql import Ask
from dashboards.grafana.panel import NORMAL, NOW, P2, PANEL, Panel, above
from dashboards.grafana.parts import (
    AT_SITE,
    GOOD,
    RUNNING,
    alarms_here,
    data_age,
    pump_work,
    reading,
    starts_by_point,
    state_by_point,
    trend,
)
from dashboards.grafana.words import Words

PUMPS = "/^pump[0-9]_on$/"
STARTS_PER_H = 10.0
"""What a submersible motor of this size bears."""
LEVEL_RATE = (
    f'SELECT derivative(mean("value"), 1h) FROM "level_m" WHERE {AT_SITE} AND {GOOD} AND $timeFilter '
    'GROUP BY time(10m), "point" fill(none)'
)
RUNNING_NOW = f'SELECT last("value") FROM {PUMPS} WHERE {AT_SITE} AND {GOOD} AND $timeFilter GROUP BY "point"'

SEWAGE = Dashboard(
    "utl-l2-sewage",
    Words("L2/L3 Sewage stations", "L2/L3 污水提升站"),
    Words("Wet well, pumps and outlet of the chosen stations.", "所选提升站的集水井、水泵与出水。"),
    (
        reading(
            "level_m",
            Words("Wet well", "集水井液位"),
            Words("Newest level.", "最新液位。"),
            (0, 0, 5, 3),
            "lengthm",
            decimals=2,
        ),
        Panel(
            "stat",
            Words("Level: change per hour", "液位变化（每小时）"),
            Words("Of 10-min means; a steady rise is abnormal.", "10 分钟均值的变化；持续上升为异常。"),
            (5, 0, 5, 3),
            (Ask(LEVEL_RATE, alias="$tag_site"),),
            "suffix: m/h",
            decimals=2,
            steps=above(1.0),
            window="1h",
        ),
        Panel(
            "stat",
            Words("Pumps", "水泵"),
            Words("Newest state of each pump.", "各泵最新状态。"),
            (10, 0, 4, 3),
            (Ask(RUNNING_NOW, alias="$tag_point"),),
            "none",
            marks=RUNNING,
            window=NOW,
        ),
        Panel(
            "stat",
            Words("Starts, last 24 h / 10 per hour", "启动次数（24 小时）/ 每小时 10 次"),
            Words("Each pump; 240 a day are the most its motor bears.", "各泵；一天不应超过 240 次。"),
            (14, 0, 5, 3),
            (Ask(starts_by_point(PUMPS), alias="$tag_point"),),
            "none",
            decimals=0,
            steps=((None, PANEL), (24 * STARTS_PER_H, P2)),
            window="24h",
        ),
        data_age((19, 0, 5, 3)),
        trend(
            "level_m",
            Words("Wet well", "集水井液位"),
            Words(
                "Level over time; set-points stand in the station's own controller.", "液位；启停设定值在站内控制器。"
            ),
            (0, 3, 14, 9),
            "lengthm",
            decimals=2,
        ),
        trend(
            "flow_m3_h",
            Words("Flow", "流量"),
            Words("As the station measures it.", "站内流量计。"),
            (14, 3, 10, 9),
            "m3/h",
            decimals=1,
        ),
        Panel(
            "state-timeline",
            Words("Pumps", "水泵运行"),
            Words("Holes are silence.", "空白为无人上报的时间。"),
            (0, 12, 24, 5),
            (state_by_point("pump1_on"), state_by_point("pump2_on")),
            "none",
            marks=RUNNING,
            steps=NORMAL,
        ),
        trend(
            "ammonia_mg_l",
            Words("Ammonia nitrogen", "氨氮"),
            Words(
                "At the outlet; the limit in force depends on the works and the day: see the console.",
                "出水；限值见控制台。",
            ),
            (0, 17, 12, 8),
            "suffix: mg/L",
            decimals=2,
        ),
        trend(
            "cod_mg_l",
            Words("COD", "化学需氧量"),
            Words(
                "At the outlet; the limit in force depends on the works and the day: see the console.",
                "出水；限值见控制台。",
            ),
            (12, 17, 12, 8),
            "suffix: mg/L",
            decimals=1,
        ),
        alarms_here(Words("stations", "提升站"), (0, 25, 12, 7)),
        pump_work((12, 25, 12, 7), PUMPS),
    ),
    sites_of="sewage",
)
