"""What several dashboards share: words for states, the table of alarms, the questions of one kind."""

from dashboards.grafana.influxql import Ask
from dashboards.grafana.panel import BAD, NOW, P1, P2, P3, PANEL, SERIES, Column, Mark, Panel
from dashboards.grafana.words import Words

AT_SITE = '"site" =~ /^$site$/'
GOOD = '"quality" < 8'

PRIORITY = {
    "4": Mark(Words("1 critical", "1 紧急"), P1),
    "3": Mark(Words("2 high", "2 重要"), P2),
    "2": Mark(Words("3 medium", "3 一般"), P3),
    "1": Mark(Words("3 low", "3 提示"), P3),
    "0": Mark(Words("none", "无"), PANEL),
}
STATE = {
    "B": Mark(Words("not acknowledged", "未确认"), P2),
    "C": Mark(Words("acknowledged", "已确认"), PANEL),
    "D": Mark(Words("gone, not acknowledged", "已恢复未确认"), P3),
    "E": Mark(Words("shelved", "已搁置"), PANEL),
    "F": Mark(Words("suppressed", "已抑制"), PANEL),
    "G": Mark(Words("out of service", "停用"), PANEL),
    "LB": Mark(Words("latched, not acknowledged", "锁存未确认"), P2),
    "LC": Mark(Words("latched", "锁存"), PANEL),
    "-": Mark(Words("disabled", "已禁用"), PANEL),
    "A": Mark(Words("over", "已结束"), PANEL),
}
RUNNING = {"1": Mark(Words("running", "运行"), SERIES), "0": Mark(Words("stopped", "停止"), PANEL)}
MAINS = {"1": Mark(Words("supplied", "有电"), PANEL), "0": Mark(Words("no supply", "停电"), P2)}
LINK = {
    "1": Mark(Words("online", "在线"), PANEL),
    "0": Mark(Words("offline", "离线"), P2),
    "-1": Mark(Words("? not told", "? 未上报"), BAD),
}
VERDICT = {
    "1": Mark(Words("met", "达标"), PANEL),
    "0": Mark(Words("? not known", "? 无法判定"), BAD),
    "-1": Mark(Words("not met", "未达标"), P1),
}

TIME = Column(Words("Since", "开始时间"), width=170)
SITE = Column(Words("Site", "站点"), width=150)
MINUTES = Column(Words("Minutes", "分钟"), unit="m", decimals=0, width=90)
ALARM_COLUMNS = {
    "Time": TIME,
    "id": Column(Words("No.", "编号"), unit="none", decimals=0, is_link=True, width=70),
    "severity": Column(Words("Priority", "等级"), marks=PRIORITY, width=110),
    "state": Column(Words("State", "状态"), marks=STATE, width=150),
    "title": Column(Words("What", "内容"), is_link=True),
    "name": Column(Words("Where", "位置")),
    "alarm": Column(Words("Alarm", "报警标识")),
    "value": Column(Words("Value", "数值"), decimals=2, width=80),
    "lasted_min": MINUTES,
    "site": SITE,
}


def alarm_table(title: Words, about: Words, at: tuple[int, int, int, int], where: str, *, newest: int = 200) -> Panel:
    """Occurrences as rows, the newest first, each with a link to the console."""
    asked = (
        'SELECT "id", "severity", "state", "@title" AS "title", "@name" AS "name", "value", "lasted_min", "alarm" '
        f'FROM "alarm_occurrence" WHERE {where} ORDER BY time DESC LIMIT {newest}'
    )
    return Panel("table", title, about, at, (Ask(asked, is_table=True),), "none", columns=ALARM_COLUMNS)


def alarms_here(who: Words, at: tuple[int, int, int, int]) -> Panel:
    """The alarms of the chosen sites, `who` of them, that began in the time shown."""
    about = Words("Those that began in the time shown; a click opens one on the console.", "点击可在控制台打开。")
    title = Words(f"Alarms of the chosen {who.en}", f"所选{who.zh}的报警")
    return alarm_table(title, about, at, f"{AT_SITE} AND $timeFilter")


def pump_work(at: tuple[int, int, int, int], states: str) -> Panel:
    """Hours and starts of each pump whose state is in the measurements `states`."""
    about = Words("In the time shown, from the readings of the pumps' states.", "所示时段内，按水泵状态读数计算。")
    columns = {
        "point": Column(Words("Pump", "水泵")),
        "hours": Column(Words("Hours", "小时"), unit="h", decimals=1),
        "starts": Column(Words("Starts", "启动次数"), unit="none", decimals=0),
    }
    hours = (
        f'SELECT integral("value", 1h) AS "hours" FROM {states} WHERE {AT_SITE} AND {GOOD} AND $timeFilter '
        'GROUP BY "point"'
    )
    asks = (Ask(hours, is_table=True), Ask(starts_by_point(states), is_table=True))
    title = Words("Pumps: hours and starts", "水泵：运行小时与启动次数")
    return Panel("table", title, about, at, asks, "none", columns=columns)


def starts_by_point(states: str) -> str:
    """The query for how often each pump of these measurements was started."""
    steps = f'SELECT difference("value") AS "step" FROM {states} WHERE {AT_SITE} AND {GOOD} AND $timeFilter'
    return (
        f'SELECT count("step") AS "starts" FROM ({steps} GROUP BY "point") '
        'WHERE "step" > 0 AND $timeFilter GROUP BY "point"'
    )


def standing(title: Words, about: Words, at: tuple[int, int, int, int], field: str, where: str, colour: str) -> Panel:
    """A count of `alarm_now`: anything but 0 is abnormal."""
    asked = f'SELECT last("{field}") FROM "alarm_now" WHERE {where} AND $timeFilter'
    steps = ((None, PANEL), (1.0, colour))
    return Panel("stat", title, about, at, (Ask(asked),), "none", decimals=0, steps=steps, window=NOW)


def mean_by_point(quantity: str, where: str = AT_SITE) -> Ask:
    """A quantity over time, one line per point; readings without a value leave a gap."""
    return Ask(
        f'SELECT mean("value") FROM "{quantity}" WHERE {where} AND {GOOD} AND $timeFilter '
        'GROUP BY time($__interval), "point" fill(null)',
        alias="$tag_point",
    )


def last_by_point(quantity: str, where: str = AT_SITE) -> Ask:
    """The newest value of each point."""
    return Ask(
        f'SELECT last("value") FROM "{quantity}" WHERE {where} AND {GOOD} AND $timeFilter GROUP BY "point"',
        alias="$tag_point",
    )


def state_by_point(quantity: str, where: str = AT_SITE) -> Ask:
    """A state over time, one strip per point."""
    return Ask(
        f'SELECT last("value") FROM "{quantity}" WHERE {where} AND {GOOD} AND $timeFilter '
        'GROUP BY time($__interval), "point" fill(null)',
        alias="$tag_point",
    )


def reading(
    quantity: str, title: Words, about: Words, at: tuple[int, int, int, int], unit: str, **look: object
) -> Panel:
    """The newest value of each point of a quantity at the chosen sites."""
    return Panel("stat", title, about, at, (last_by_point(quantity),), unit, window=NOW, **look)  # type: ignore[arg-type]


def trend(quantity: str, title: Words, about: Words, at: tuple[int, int, int, int], unit: str, **look: object) -> Panel:
    """A quantity over time at the chosen sites."""
    return Panel("timeseries", title, about, at, (mean_by_point(quantity),), unit, **look)  # type: ignore[arg-type]


def data_age(at: tuple[int, int, int, int]) -> Panel:
    """How old the newest batch of the chosen sites is."""
    asked = f'SELECT last("batch_age_s") FROM "site_state" WHERE {AT_SITE} AND $timeFilter GROUP BY "site"'
    about = Words(
        "Since the last batch of each chosen site was received. Silence is never a value.",
        "距所选站点最近一批数据的时间。没有数据不等于正常。",
    )
    steps = ((None, PANEL), (300.0, P2), (3600.0, BAD))
    ask = Ask(asked, alias="$tag_site")
    return Panel("stat", Words("Data age", "数据时效"), about, at, (ask,), "s", decimals=0, steps=steps, window=NOW)
