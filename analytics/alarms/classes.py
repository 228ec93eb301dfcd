"""Classes of alarms: what each is called, how it behaves, and what it can cause.

A class says what kind of trouble it is, whatever the asset: supply lost, a pump stopped, water out of limits, silence.
Causes are looked up by class (`explains_within_ms`): a lost feeder explains the pumps that stop below it, and nothing
explains an overflow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.alarms.state import Kind

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
_PLAIN = Kind()
_NEVER_HIDDEN = Kind(shelvable=False, suppressible=False)


@dataclass(frozen=True)
class AlarmClass:
    """One class of alarms."""

    name: str
    title: str
    title_zh: str
    action: str
    """What the crew does first."""
    action_zh: str
    kind: Kind = _PLAIN
    causes: Mapping[str, int] | None = None
    """Class that it explains on assets below → how long after its own onset that one may begin. [ms]"""


CLASSES = (
    AlarmClass(
        "supply_lost",
        "Supply lost",
        "停电",
        "Check the switch upstream; call the dispatcher before going out.",
        "检查上级开关;出发前联系调度。",
        causes={
            "supply_lost": 5 * MINUTE_MS,
            "voltage": 10 * MINUTE_MS,
            "pump": 10 * MINUTE_MS,
            "pressure": 6 * HOUR_MS,
            "level": 24 * HOUR_MS,
            "quality": 6 * HOUR_MS,
            "quality_event": 6 * HOUR_MS,
            "sensor": 6 * HOUR_MS,
            "device_silent": 6 * HOUR_MS,
            "site_silent": 6 * HOUR_MS,
            "devices_silent": 6 * HOUR_MS,
        },
    ),
    AlarmClass(
        "centre_silent",
        "Nothing reaches the centre",
        "中心收不到任何站点数据",
        "Check broker, ingest and the line of the centre (`steppe ingest sites`). The gateways keep their readings.",
        "检查中心的消息代理、接收服务和网络(steppe ingest sites)。各网关会保留数据。",
        causes={"site_silent": HOUR_MS},
    ),
    AlarmClass(
        "voltage",
        "Voltage out of limits",
        "电压越限",
        "Check tap position and load of the transformer.",
        "检查变压器分接位置和负荷。",
    ),
    AlarmClass(
        "pump",
        "Pump or dosing stopped",
        "水泵或加药停止",
        "Check the panel: trip, supply, dry-run protection.",
        "检查控制柜:跳闸、电源、缺水保护。",
        causes={"pressure": HOUR_MS, "level": 6 * HOUR_MS, "quality": 6 * HOUR_MS},
    ),
    AlarmClass(
        "quality",
        "Water quality out of limits",
        "水质超限",
        "Take a sample, check the instrument against it, check dosing and filters.",
        "取样比对仪表,检查加药和滤池。",
        causes={"quality": 24 * HOUR_MS, "quality_event": 24 * HOUR_MS},
    ),
    AlarmClass(
        "quality_event",
        "Water unlike itself",
        "水质异常波动",
        "Look at the trends of the channels named; take a sample; check dosing, source and filters.",
        "查看所列通道的趋势;取样;检查加药、水源和滤池。",
    ),
    AlarmClass(
        "sensor",
        "Instrument at fault",
        "仪表疑似故障",
        "Check the instrument against a sample: probe, calibration, sample flow, wiring.",
        "取样比对仪表:探头、校准、取样水流和接线。",
    ),
    AlarmClass(
        "disinfection",
        "Disinfection failing",
        "消毒失效",
        "Check dosing at once; warn consumers if it lasts 4 h.",
        "立即检查加药;持续4小时须通知用户。",
        kind=_NEVER_HIDDEN,
    ),
    AlarmClass(
        "intrusion",
        "Negative pressure in the network",
        "管网负压",
        "Find the burst or the closed valve; disinfect before supply resumes.",
        "查找爆管或关闭的阀门;恢复供水前消毒。",
        kind=_NEVER_HIDDEN,
    ),
    AlarmClass(
        "pressure",
        "Pressure out of limits",
        "压力越限",
        "Check pumps, valves and the level of the tank.",
        "检查水泵、阀门和水池液位。",
    ),
    AlarmClass(
        "level",
        "Level out of limits",
        "液位越限",
        "Check inflow, pumps and valves.",
        "检查进水、水泵和阀门。",
    ),
    AlarmClass(
        "overflow",
        "Overflow",
        "溢流",
        "Start the standby pump; tell the ecology bureau if sewage leaves the site.",
        "启动备用泵;污水外溢须报告生态环境局。",
        kind=_NEVER_HIDDEN,
    ),
    AlarmClass(
        "overflow_near",
        "Overflow within half an hour",
        "半小时内将溢流",
        "Start the standby pump or bring a mobile one; close inflow that can wait.",
        "启动备用泵或调用移动泵;暂停可推迟的进水。",
        kind=_NEVER_HIDDEN,
    ),
    AlarmClass(
        "dry_run",
        "Pump runs dry",
        "水泵干转",
        "Stop the pump; check the level instrument and the stop level.",
        "停泵,检查液位计和停泵液位。",
    ),
    AlarmClass(
        "over_cycling",
        "Pump starts too often",
        "水泵启停过频",
        "Check start and stop levels, the check valve and the inflow.",
        "检查启停液位、止回阀和进水量。",
    ),
    AlarmClass(
        "capacity_loss",
        "Pump has lost capacity",
        "水泵出力下降",
        "Check for clogging, wear and a leaking check valve.",
        "检查堵塞、磨损和止回阀泄漏。",
    ),
    AlarmClass(
        "run_imbalance",
        "Twin pumps run unequally",
        "两泵运行时间不均",
        "Check the alternation of the pumps and the one that runs less.",
        "检查水泵轮换和运行较少的泵。",
    ),
    AlarmClass(
        "gas",
        "Dangerous gas",
        "有害气体",
        "Nobody enters. Ventilate, measure again from outside.",
        "禁止进入。通风后在外部复测。",
        kind=Kind(latching=True, shelvable=False, suppressible=False),
    ),
    AlarmClass(
        "process",
        "Process value out of limits",
        "工艺参数越限",
        "Compare with the plant's log and adjust.",
        "对照运行记录调整。",
    ),
    AlarmClass(
        "site_silent",
        "Site silent",
        "站点失联",
        "Check the modem and the mains of the gateway.",
        "检查通信模块和网关电源。",
        causes={"device_silent": HOUR_MS, "devices_silent": HOUR_MS},
    ),
    AlarmClass(
        "devices_silent",
        "Most devices of the site do not answer",
        "站内多数设备无应答",
        "Check the gateway's serial adapter, the RS-485 line and the supply of the panel.",
        "检查网关串口、RS-485总线和控制柜电源。",
        causes={"device_silent": HOUR_MS},
    ),
    AlarmClass(
        "device_silent",
        "Device does not answer",
        "设备无应答",
        "Check the device's supply and the RS-485 wiring.",
        "检查设备电源和RS-485接线。",
    ),
    AlarmClass(
        "clock_wrong",
        "Clock of the site is wrong",
        "站点时钟错误",
        "Set the gateway's clock (NTP). Until then its readings are history (behind) or set aside (ahead): no alarms.",
        "校准网关时钟(NTP)。此前读数只计入历史(落后)或被搁置(超前),不产生报警。",
    ),
    AlarmClass(
        "chattering",
        "Alarm chatters",
        "报警频繁抖动",
        "Check the instrument and its wiring; then dead-band and delays of the set-point.",
        "检查仪表和接线,再核对死区和延时。",
        kind=Kind(auto_acknowledge=True),
    ),
    AlarmClass(
        "hidden_long",
        "Alarms hidden for more than a day",
        "报警被屏蔽超过一天",
        "Look through `steppe alarms list`: is the cause that hides them still true?",
        "查看 steppe alarms list:屏蔽它们的原因是否仍然成立?",
        kind=_NEVER_HIDDEN,
    ),
    AlarmClass(
        "nobody_on_duty",
        "Nobody on duty within a day",
        "一天内有值班空缺",
        "Put somebody on the duty in alarms.toml; until then the manager is told.",
        "在 alarms.toml 中补排值班;此前由负责人接收。",
        kind=_NEVER_HIDDEN,
    ),
    AlarmClass(
        "notice_dead",
        "A notice reached nobody",
        "通知未送达",
        "Call the person on duty; check the channel with `steppe alarms test-channel`.",
        "电话通知值班人员;用 test-channel 检查通道。",
        kind=_NEVER_HIDDEN,
    ),
)

BY_NAME: Mapping[str, AlarmClass] = {one.name: one for one in CLASSES}
NUMBER: Mapping[str, int] = {one.name: number for number, one in enumerate(CLASSES)}

_BY_QUANTITY = {
    "level_pct": "level",
    "level_m": "level",
    "pressure_mpa": "pressure",
    "voltage_v": "voltage",
    "h2s_ppm": "gas",
    "oxygen_pct": "gas",
    "pump_on": "pump",
    "dose_on": "pump",
    "dissolved_oxygen_mg_l": "process",
    "tmp_kpa": "process",
    "water_temp_c": "process",
}


def class_named(name: str) -> AlarmClass:
    """Return a class by its name; a plain one of that title where it is not known, as from a later version's file."""
    return BY_NAME.get(name) or AlarmClass(name, name, name, "", "")


def class_of(profile: str, quantity: str, level: str) -> str:
    """Return the class of an alarm on a set-point: by its quantity, unless its level makes it worse."""
    residual = quantity.endswith(("chlorine_mg_l", "chlorine_dioxide_mg_l")) or quantity == "inactivation_ratio"
    if residual and level == "LL":
        return "disinfection"
    if quantity == "pressure_mpa" and level == "P":
        return "intrusion"
    if profile.startswith(("lift_station", "wet_well")) and quantity.startswith("level") and level == "HH":
        return "overflow"
    return _BY_QUANTITY.get(quantity, "quality")


def max_lags_ms() -> NDArray[np.int64]:
    """Return how long after a cause its consequence may begin, by class numbers; -1 where nothing is explained. [ms]"""
    lags = np.full((len(CLASSES), len(CLASSES)), -1, np.int64)
    for cause in CLASSES:
        for consequence, lag_ms in (cause.causes or {}).items():
            if BY_NAME[consequence].kind.suppressible:
                lags[NUMBER[cause.name], NUMBER[consequence]] = lag_ms
    return lags
