"""L4: how good the alarms themselves are (IEC 62682, EEMUA 191)."""

from dashboards.grafana.boards import Dashboard
from dashboards.grafana.influxql import Ask
from dashboards.grafana.panel import P1, P2, P3, PANEL, Column, Mark, Panel, above, line_at
from dashboards.grafana.parts import PRIORITY, alarm_table
from dashboards.grafana.targets import ALARMS_PER_10_MIN, ALARMS_PER_DAY, FLOOD_PCT, STALE_ALARMS
from dashboards.grafana.words import Words

WORST_ACTORS = (
    'SELECT top("n", "alarm", 10) AS "n" FROM (SELECT count("id") AS "n" FROM "alarm_occurrence" '
    'WHERE $timeFilter GROUP BY "alarm") WHERE $timeFilter'
)
WEEK = ", ".join(f'last("h{hour:02d}") AS "h{hour:02d}"' for hour in range(24))
BUSY = ((None, PANEL), (1.0, P3), (24.0, P2), (48.0, P1))
"""Alarms in the same hour of 4 weeks: 6 and 12 in one hour are what IEC 62682 calls likely and at most."""
WEEKDAYS = {
    "1": Mark(Words("Monday", "星期一"), PANEL),
    "2": Mark(Words("Tuesday", "星期二"), PANEL),
    "3": Mark(Words("Wednesday", "星期三"), PANEL),
    "4": Mark(Words("Thursday", "星期四"), PANEL),
    "5": Mark(Words("Friday", "星期五"), PANEL),
    "6": Mark(Words("Saturday", "星期六"), PANEL),
    "7": Mark(Words("Sunday", "星期日"), PANEL),
}


def _day(
    title: Words, about: Words, x: int, width: int, field: str, unit: str, steps: tuple[tuple[float | None, str], ...]
) -> Panel:
    asked = Ask(f'SELECT last("{field}") FROM "alarm_day" WHERE $timeFilter')
    return Panel("stat", title, about, (x, 0, width, 3), (asked,), unit, decimals=0, steps=steps, window="2d")


GRADES = {"critical": 4, "high": 3, "medium": 2, "low": 1}
SPLIT = (
    'SELECT sum("critical") AS "critical", sum("high") AS "high", sum("medium") AS "medium", sum("low") AS "low" '
    'FROM "alarm_day" WHERE $timeFilter'
)


ALARMS = Dashboard(
    "utl-l4-alarmperf",
    Words("L4 Alarm performance", "L4 报警绩效"),
    Words("IEC 62682 and EEMUA 191, for one operator position.", "IEC 62682 与 EEMUA 191，按一个值班席位。"),
    (
        _day(
            Words(f"Alarms today / {ALARMS_PER_DAY}", f"今日报警数 / {ALARMS_PER_DAY}"),
            Words("With a cause of their own, since local midnight.", "本地零点以来的独立报警。"),
            0,
            5,
            "annunciated",
            "none",
            above(ALARMS_PER_DAY),
        ),
        _day(
            Words(f"Peak in 10 min / {ALARMS_PER_10_MIN}", f"10 分钟峰值 / {ALARMS_PER_10_MIN}"),
            Words("The busiest 10 min of today.", "今日最繁忙的 10 分钟。"),
            5,
            5,
            "max_per_10_min",
            "none",
            above(ALARMS_PER_10_MIN + 1),
        ),
        _day(
            Words(f"Time in flood / {FLOOD_PCT:g} %", f"报警泛滥时间 / {FLOOD_PCT:g} %"),
            Words("From 10 alarms in 10 min until fewer than 5.", "自 10 分钟内 10 条起，至少于 5 条止。"),
            10,
            4,
            "flood_pct",
            "percent",
            above(FLOOD_PCT),
        ),
        _day(
            Words(f"Standing over 24 h / {STALE_ALARMS}", f"持续超过 24 小时 / {STALE_ALARMS}"),
            Words("Alarms that stood for more than 24 h within today.", "今日内持续超过 24 小时的报警。"),
            14,
            5,
            "stale",
            "none",
            above(STALE_ALARMS),
        ),
        Panel(
            "stat",
            Words("Median time to acknowledge", "确认用时中位数"),
            Words("Of the occurrences in the time shown that somebody took.", "所示时段内已确认报警。"),
            (19, 0, 5, 3),
            (Ask('SELECT median("ack_min") FROM "alarm_occurrence" WHERE $timeFilter'),),
            "m",
            decimals=0,
            steps=above(30),
        ),
        Panel(
            "timeseries",
            Words("Alarms in 10 min", "每 10 分钟报警数"),
            Words("Dashed: 10, where a flood begins.", "虚线：10 条，泛滥起点。"),
            (0, 3, 16, 9),
            (
                Ask(
                    'SELECT count("id") FROM "alarm_occurrence" WHERE "cause" = \'\' AND $timeFilter '
                    "GROUP BY time(10m) fill(0)"
                ),
            ),
            "none",
            decimals=0,
            steps=line_at(ALARMS_PER_10_MIN),
            low=0,
            is_bars=True,
        ),
        Panel(
            "stat",
            Words("By priority: 80 / 15 / 5 % is good", "按等级：80 / 15 / 5 % 为宜"),
            Words(
                "Occurrences with a cause of their own on the days shown.",
                "所示日期内的独立报警。",
            ),
            (16, 3, 8, 9),
            (Ask(SPLIT, alias="$col"),),
            "none",
            decimals=0,
            columns={name: Column(PRIORITY[str(grade)].words) for name, grade in GRADES.items()},
        ),
        Panel(
            "table",
            Words("Most frequent alarms", "最频繁的报警"),
            Words("The first 10 of the time shown.", "所示时段内前 10 条。"),
            (0, 12, 12, 10),
            (Ask(WORST_ACTORS, is_table=True),),
            "none",
            columns={
                "Time": Column(Words("Time", "时间"), is_hidden=True),
                "alarm": Column(Words("Alarm", "报警标识")),
                "n": Column(Words("Occurrences", "次数"), unit="none", decimals=0, steps=above(10)),
            },
        ),
        alarm_table(
            Words("Open: shelved, suppressed, old, chattering", "未结束：搁置、抑制、长期、抖动"),
            Words(
                "Everything that is not over; a click opens one on the console.", "尚未结束的报警；点击可在控制台打开。"
            ),
            (12, 12, 12, 10),
            '"open" = 1',
        ),
        Panel(
            "table",
            Words("Alarms by weekday and hour, 4 weeks", "按星期与小时统计（4 周）"),
            Words("Local hours; counts of the last 28 days.", "本地时间；最近 28 天的次数。"),
            (0, 22, 24, 8),
            (Ask(f'SELECT {WEEK} FROM "alarm_week" WHERE $timeFilter GROUP BY "weekday"', is_table=True),),
            "none",
            columns={
                "Time": Column(Words("Time", "时间"), is_hidden=True),
                "weekday": Column(Words("Weekday", "星期"), marks=WEEKDAYS, width=110),
            }
            | {f"h{hour:02d}": Column(Words(f"{hour:02d}", f"{hour:02d}"), steps=BUSY, width=46) for hour in range(24)},
            window="2d",
        ),
    ),
    span="now-7d",
)
