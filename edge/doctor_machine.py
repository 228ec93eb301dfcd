"""Looks at the machine itself: its clock, its disk and how worn that is, and what the system does for our services.

Everything is read below `root`, which is `/` but for tests; nothing is written, and nothing waits.
"""

import configparser
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from edge.findings import Finding, ok, warning, wrong
from edge.timesync import SYNCED_FILE, machine_clock_state

ROOT = Path("/")
TIME_SERVICES = {
    "systemd-timesyncd": "run/systemd/timesync",
    "chrony": "run/chrony/chronyd.pid",
    "chrony (older)": "run/chronyd.pid",
    "ntpd": "run/ntpd.pid",
}
"""What keeps the clock, and what shows that it runs."""
LOW_FREE = 0.05
SECTOR_BYTES = 512
EMMC_STEP_PERCENT = 10
WORN_PERCENT, WORN_OUT_PERCENT = 80, 100
CARD_GB_PER_DAY = 2.0
"""A 32 GB card with cells for 1000 writes, which amplifies each write tenfold, lasts four years at this. [GB]"""
WARM_UP_S = 3600.0
"""Before this a machine's own count of writes is that of its start. [s]"""
UNIT_FOLDERS = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
SYSTEM_CONF = ("etc/systemd/system.conf", "etc/systemd/system.conf.d", "usr/lib/systemd/system.conf.d")
SECONDS_OF = {"": 1.0, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "ms": 0.001}


def look_at_clock(root: Path = ROOT) -> Iterator[Finding]:
    """Whether the clock is set, whether something keeps it, and whether it survives a power cut."""
    state = machine_clock_state(root / SYNCED_FILE.relative_to("/"))
    running = next((name for name, file in TIME_SERVICES.items() if (root / file).exists()), None)
    remedy = (
        "run 'timedatectl set-ntp true', or install chrony with 'makestep 1 -1', and let NTP (UDP 123) through",
        "运行 timedatectl set-ntp true，或安装 chrony 并设置 makestep 1 -1，并放行 NTP(UDP 123)",
    )
    if state == "unsynced":
        yield wrong("clock", ("the kernel's clock is not synchronised", "系统时钟未同步"), remedy)
    elif state == "unknown":
        yield warning("clock", ("this system does not say whether its clock is set", "系统未说明时钟状态"), remedy)
    else:
        yield ok("clock", "the clock is synchronised", "时钟已同步")
    if running is None:
        yield warning("time service", ("no time service runs here", "未运行任何对时服务"), remedy)
    else:
        yield ok("time service", f"{running} keeps the clock", f"{running} 负责对时")
    yield _battery_clock(root)


def look_at_disk(folder: Path, need_bytes: float) -> Finding:
    """Whether the disk that holds `folder` has room for what our files may still grow by."""
    usage = shutil.disk_usage(_existing(folder))
    free_mb, need_mb = usage.free / 1e6, need_bytes / 1e6
    what = (
        f"{folder}: {free_mb:.0f} MB free; our files may still grow by {need_mb:.0f} MB",
        f"{folder}：剩余 {free_mb:.0f} MB；本系统文件最多还需 {need_mb:.0f} MB",
    )
    remedy = (
        "free disk space, or set a smaller max_mb: a full disk keeps no readings",
        "清理磁盘，或减小 max_mb：磁盘写满后无法保存读数",
    )
    if usage.free < need_bytes:
        return wrong("disk space", what, remedy)
    if usage.free < LOW_FREE * usage.total:
        return warning("disk space", what, remedy)
    return ok("disk space", *what)


def look_at_wear(folder: Path, root: Path = ROOT) -> Iterator[Finding]:
    """How worn the disk under `folder` is, as far as the kernel shows, and how much was written to it a day."""
    disk = disk_under(_existing(folder), root)
    if disk is None:
        yield ok("disk wear", "the disk is not one whose wear the kernel shows", "内核不提供该磁盘的磨损信息")
        return
    life = _number(disk / "device" / "life_time", base=16)
    urgent = _text(disk / "device" / "pre_eol_info") in ("0x02", "0x03")
    if life is None:
        yield ok("disk wear", f"{disk.name} does not tell its wear", f"{disk.name} 不提供磨损信息")
    else:
        yield _wear(disk.name, min(life * EMMC_STEP_PERCENT, 110), urgent=urgent)
    yield from _writes(disk, root)


def disk_under(folder: Path, root: Path = ROOT) -> Path | None:
    """Return the kernel's folder of the disk that holds `folder`; None where it is no block device."""
    device = folder.stat().st_dev
    link = root / "sys" / "dev" / "block" / f"{os.major(device)}:{os.minor(device)}"
    if not link.exists():
        return None
    place = link.resolve()
    return place.parent if (place / "partition").exists() else place


def look_at_service(unit: str, least_watchdog_s: float | None, root: Path = ROOT) -> Iterator[Finding]:
    """Whether the service is installed as shipped, and whether the machine starts again when it hangs."""
    file = next((root / place / unit for place in UNIT_FOLDERS if (root / place / unit).is_file()), None)
    if file is None:
        yield warning(
            "service",
            (f"{unit} is not installed: nothing starts steppe with the machine", f"未安装 {unit}：开机不会自动运行"),
            (
                "install with deploy/gateway/install.sh or deploy/centre/install.sh",
                "用 deploy 目录下的 install.sh 安装",
            ),
        )
        return
    yield _hardening(file)
    if least_watchdog_s is not None:
        yield _watchdog(file, least_watchdog_s)


def look_at_log_limits(root: Path = ROOT) -> Finding:
    """Whether the system's log spares the card."""
    if (root / "etc/systemd/journald.conf.d/steppe.conf").is_file():
        return ok("log limits", "the system's log spares the card", "系统日志已设上限")
    return warning(
        "log limits",
        ("the system's log has no limits of ours", "系统日志未设上限"),
        (
            "copy deploy/systemd/journald-steppe.conf to /etc/systemd/journald.conf.d/steppe.conf",
            "将 deploy/systemd/journald-steppe.conf 复制为 /etc/systemd/journald.conf.d/steppe.conf",
        ),
    )


def look_at_hardware_watchdog(root: Path = ROOT) -> Finding:
    """Whether a machine that hangs is started again by its own watchdog."""
    if not (root / "dev/watchdog").exists():
        return ok("hardware watchdog", "this machine has none", "本机没有硬件看门狗")
    if any("RuntimeWatchdogSec" in _settings(file) for file in _conf_files(root)):
        return ok("hardware watchdog", "a machine that hangs is started again", "死机后会自动重启")
    return warning(
        "hardware watchdog",
        ("the machine has one and systemd does not feed it", "有硬件看门狗，但 systemd 未启用"),
        (
            "write RuntimeWatchdogSec=10 under [Manager] in /etc/systemd/system.conf.d/watchdog.conf",
            "在 /etc/systemd/system.conf.d/watchdog.conf 的 [Manager] 下写入 RuntimeWatchdogSec=10",
        ),
    )


def _battery_clock(root: Path) -> Finding:
    if any((root / "sys/class/rtc").glob("rtc*")):
        return ok("battery clock", "a battery clock keeps time through a power cut", "有电池时钟，断电不丢时间")
    return warning(
        "battery clock",
        ("no battery clock: after a power cut time starts in the past", "无电池时钟：断电重启后时间会倒退"),
        (
            "fit an RTC (Pi 5: its battery); until then readings wait, marked, for the network's time",
            "加装 RTC(Pi 5 装电池)；在此之前读数会带标记等待网络对时",
        ),
    )


def _wear(name: str, percent: int, *, urgent: bool) -> Finding:
    what = (f"{name}: up to {percent} % of its writes are used up", f"{name}：写入寿命已用至多 {percent} %")
    remedy = (
        "back up site.toml and the identity folder, and change the card or module at the next visit",
        "备份 site.toml 和 identity 目录，下次到场时更换存储",
    )
    if percent > WORN_OUT_PERCENT:
        return wrong("disk wear", what, remedy)
    if percent >= WORN_PERCENT or urgent:
        return warning("disk wear", what, remedy)
    return ok("disk wear", *what)


def _writes(disk: Path, root: Path) -> Iterator[Finding]:
    """What the kernel counted since the machine started, for cards alone: others do not wear out by our writes."""
    sectors, up_s = (_text(disk / "stat") or "").split(), float((_text(root / "proc/uptime") or "0").split()[0])
    if not disk.name.startswith("mmcblk") or len(sectors) < 7 or up_s < WARM_UP_S:
        return
    gb_per_day = int(sectors[6]) * SECTOR_BYTES / 1e9 * 86_400 / up_s
    what = (f"{gb_per_day:.2f} GB written a day since start", f"开机以来每天写入 {gb_per_day:.2f} GB")
    if gb_per_day <= CARD_GB_PER_DAY:
        yield ok("disk writes", *what)
    else:
        yield warning(
            "disk writes",
            what,
            (
                "raise [seal] after_s, look at what else writes to the card, or move /var/lib/steppe to a disk",
                "增大 [seal] after_s，检查其他写入程序，或将 /var/lib/steppe 移到硬盘",
            ),
        )


def _hardening(unit_file: Path) -> Finding:
    if (unit_file.parent / "steppe-.service.d" / "hardening.conf").is_file():
        return ok("service", f"{unit_file.name} is installed", f"已安装 {unit_file.name}")
    return warning(
        "service",
        (f"{unit_file.name} runs without the hardening beside it", f"{unit_file.name} 缺少加固配置"),
        (
            f"copy deploy/systemd/steppe-.service.d to {unit_file.parent} and run 'systemctl daemon-reload'",
            f"将 deploy/systemd/steppe-.service.d 复制到 {unit_file.parent}，然后 systemctl daemon-reload",
        ),
    )


def _watchdog(unit_file: Path, least_s: float) -> Finding:
    given_s = _seconds(_settings(unit_file).get("WatchdogSec", "0"))
    if given_s >= least_s:
        return ok("watchdog", f"a hung service is started again after {given_s:g} s", f"卡死 {given_s:g} 秒后重启")
    remedy = (
        f"set WatchdogSec={least_s:g} or more in {unit_file}",
        f"在 {unit_file} 中改为 WatchdogSec={least_s:g}",
    )
    if given_s == 0:
        return warning("watchdog", ("a hung service stays hung", "服务卡死后不会自动重启"), remedy)
    what = (
        f"{given_s:g} s is shorter than three of the gateway's periods: it is stopped while all is well",
        f"{given_s:g} 秒短于网关周期的三倍：正常时也会被误杀",
    )
    return wrong("watchdog", what, remedy)


def _conf_files(root: Path) -> Iterator[Path]:
    for place in SYSTEM_CONF:
        path = root / place
        yield from sorted(path.glob("*.conf")) if path.is_dir() else [path] if path.is_file() else []


def _settings(file: Path) -> dict[str, str]:
    """Return every key of a systemd file with its last value, whatever its section."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(file.read_text(encoding="utf-8", errors="replace"))
    return {key: value or "" for section in parser.sections() for key, value in parser.items(section)}


def _seconds(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+)\s*([a-z]*)", text.strip())
    return float(match[1]) * SECONDS_OF.get(match[2], 1.0) if match else 0.0


def _existing(folder: Path) -> Path:
    """The nearest folder that is there already: a service makes its own at its first start."""
    return next(place for place in (folder, *folder.absolute().parents) if place.is_dir())


def _number(file: Path, *, base: int) -> int | None:
    """The largest number of a file such as `0x01 0x02`; None where it is not there or says nothing."""
    words = (_text(file) or "").split()
    return max(int(word, base) for word in words) if words else None


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
