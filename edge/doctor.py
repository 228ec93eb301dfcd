"""A look over a gateway: everything that can be wrong with it, each with its remedy. Changes nothing.

Each check is a function that gives findings; `examine` asks them all. A file that does not load is a finding too, and
what does not need it is looked at all the same.
"""

import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from edge import VERSION
from edge.agent import broker_address
from edge.check import describe_site
from edge.clock import Clock
from edge.devices import SERIAL_SCHEMES
from edge.doctor_link import look_at_broker, look_at_certificate, look_at_key, look_at_ports
from edge.doctor_machine import (
    CARD_GB_PER_DAY,
    ROOT,
    look_at_clock,
    look_at_disk,
    look_at_hardware_watchdog,
    look_at_log_limits,
    look_at_service,
    look_at_wear,
)
from edge.errors import BadInput
from edge.findings import Finding, ok, warning, wrong
from edge.site import Site, load_site
from edge.spool_file import is_damage, newest_set_aside

UNIT = "steppe-edge.service"
WATCHDOG_PERIODS = 3
"""The watchdog is fed when polling and the spool have moved on, which takes up to a period of the gateway's own."""
MODBUS_PORT = 502
COMMIT_BYTES, READING_BYTES = 17_000, 50
"""What a batch costs on the card beside its readings (one commit to keep it, one to let it go), and a reading in it."""
HIGH_LEVEL = 0.5
OLD_MS = 3_600_000
"""A batch that waits longer was not held up by a slow line alone. [ms]"""


def examine(site_file: Path, clock: Clock, root: Path = ROOT) -> Iterator[Finding]:
    """Yield what is found, in the order a person would look. Takes seconds, whatever does not answer."""
    now_ms = clock.now_ms()
    yield look_at_version()
    site, configuration = _loaded(site_file)
    yield configuration
    yield from look_at_clock(root)
    if site is not None:
        base = site_file.resolve().parent
        yield from look_at_papers(site, base, now_ms)
        yield look_at_broker(broker_address(site.uplink, base), f"{site.site}-doctor")
        yield from look_at_meters(site)
        yield from look_at_spool(site, now_ms)
        yield from look_at_storage(site, root)
    yield from look_at_service(UNIT, None if site is None else WATCHDOG_PERIODS * site.gateway.period_s, root)
    yield look_at_hardware_watchdog(root)
    yield look_at_log_limits(root)


def look_at_version() -> Finding:
    """Which steppe and which Python run here."""
    python = ".".join(map(str, sys.version_info[:3]))
    return ok("version", f"steppe {VERSION} on Python {python}", f"steppe {VERSION},Python {python}")


def look_at_configuration(site: Site) -> Finding:
    """Whether every meter can be read as written, by itself."""
    plan = describe_site(site)
    waiting = [device for bus in plan.buses for device in bus.devices if device.not_by_itself]
    if waiting:
        return warning(
            "configuration",
            (
                f"{waiting[0].name} is fresh only if somebody else does this: {waiting[0].not_by_itself}",
                f"{waiting[0].name} 需要其他设备配合才有新数据：{waiting[0].not_by_itself}",
            ),
            ("see 'steppe edge check'", "见 steppe edge check"),
        )
    return ok(
        "configuration",
        f"site {site.site}: {len(site.devices)} meters, {plan.points} points",
        f"站点 {site.site}：{len(site.devices)} 台仪表，{plan.points} 个测点",
    )


def look_at_papers(site: Site, base: Path, now_ms: int) -> Iterator[Finding]:
    """The certificates and the key with which the gateway reaches its broker."""
    address = broker_address(site.uplink, base)
    if address.cert_file is None or address.key_file is None or address.ca_file is None:
        yield warning(
            "encryption",
            ("readings go to the centre without encryption", "读数以明文发往中心"),
            (
                "'steppe site add' at the centre makes a bundle with a certificate",
                "在中心运行 steppe site add 生成带证书的站点包",
            ),
        )
        return
    yield look_at_certificate("gateway", address.cert_file, now_ms)
    yield look_at_certificate("authority", address.ca_file, now_ms)
    yield look_at_key("gateway", address.cert_file, address.key_file)


def look_at_meters(site: Site) -> Iterator[Finding]:
    """Whether each network address of a meter answers, and each serial port is there for us."""
    urls = {device.url: device.name for device in reversed(site.devices)}
    ports = []
    for url, name in reversed(urls.items()):
        parts = urlsplit(url)
        if parts.scheme in SERIAL_SCHEMES:
            yield _serial_port(name, Path(parts.path))
        elif not parts.scheme.endswith("+listen"):
            ports.append((name, parts.hostname or "", parts.port or MODBUS_PORT))
    yield from look_at_ports(ports)


def look_at_spool(site: Site, now_ms: int) -> Iterator[Finding]:
    """How full the spool is, whether its file is sound, and whether a damaged one waits for somebody."""
    path, max_bytes = Path(site.spool.path), site.spool.max_mb * 1e6
    if not path.exists():
        yield ok("spool", f"{path}: made when the gateway first runs", f"{path}：首次运行时建立")
        return
    try:
        used_bytes, oldest_ms = _waiting(path)
    except sqlite3.Error as error:
        if is_damage(error):
            yield _damaged_spool(path, str(error))
            return
        used_bytes, oldest_ms = path.stat().st_size, None  # the running agent holds it
    yield _level(used_bytes, max_bytes)
    if oldest_ms is not None and now_ms - oldest_ms > OLD_MS:
        yield _old_batches((now_ms - oldest_ms) / OLD_MS)
    aside = newest_set_aside(path)
    if aside is not None:
        yield warning(
            "spool set aside",
            (
                f"{path.with_name(aside)}: a damaged spool was kept",
                f"{path.with_name(aside)}：保留了一个损坏的缓存文件",
            ),
            ("send it to whoever looks after steppe, then delete it; check the card", "交给维护人员后删除；检查存储卡"),
        )


def look_at_storage(site: Site, root: Path = ROOT) -> Iterator[Finding]:
    """Room on the disk for a spool at its largest, the disk's wear, and what the settings will write to it."""
    path = Path(site.spool.path)
    held = path.stat().st_size if path.exists() else 0
    yield look_at_disk(path.parent, max(site.spool.max_mb * 1e6 - held, 0))
    yield from look_at_wear(path.parent, root)
    yield look_at_writes(site)


def look_at_writes(site: Site) -> Finding:
    """What the spool writes a day by its settings: a batch costs far more than a reading."""
    readings = describe_site(site).readings_per_day
    batches = min(86_400 / site.seal.after_s, sum(86_400 / device.poll_every_s for device in site.devices))
    gb = (batches * COMMIT_BYTES + readings * READING_BYTES) / 1e9
    what = (f"the spool will write about {gb:.2f} GB a day", f"缓存每天约写入 {gb:.2f} GB")
    if gb <= CARD_GB_PER_DAY:
        return ok("spool writes", *what)
    return warning(
        "spool writes",
        what,
        (
            f"raise [seal] after_s (now {site.seal.after_s:g}) or give points a deadband: this wears out a card",
            f"增大 [seal] after_s(现为 {site.seal.after_s:g})或设置死区，否则会磨损存储卡",
        ),
    )


def _loaded(site_file: Path) -> tuple[Site | None, Finding]:
    try:
        site = load_site(site_file)
    except BadInput as error:
        remedy = (
            "correct the file; 'steppe edge check' shows what it would do",
            "修改该文件；用 steppe edge check 核对",
        )
        return None, wrong("configuration", (str(error), f"配置无法使用：{error}"), remedy)
    return site, look_at_configuration(site)


def _serial_port(name: str, port: Path) -> Finding:
    if not port.exists():
        return wrong(
            f"meter {name}",
            (f"{port}: there is no such serial port", f"{port}：没有这个串口"),
            (
                "plug the adapter in; 'ls /dev/serial/by-id' shows names that do not change",
                "插好转换器；ls /dev/serial/by-id",
            ),
        )
    if not os.access(port, os.R_OK | os.W_OK):
        return wrong(
            f"meter {name}",
            (f"{port}: this user may not use it", f"{port}：当前用户无权使用"),
            ("add the user to the group dialout", "将用户加入 dialout 组"),
        )
    return ok(f"meter {name}", f"{port} is there", f"{port} 存在")


def _waiting(path: Path) -> tuple[int, int | None]:
    """Bytes that wait in a spool that nobody runs, and the instant of the oldest. Raises sqlite3.Error."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0)) as db:
        used, oldest_ms = db.execute("SELECT coalesce(sum(weight), 0), min(first_ms) FROM batch").fetchone()
    return int(used), oldest_ms


def _level(used_bytes: float, max_bytes: float) -> Finding:
    share = used_bytes / max_bytes
    what = (
        f"{used_bytes / 1e6:.1f} MB of {max_bytes / 1e6:.0f} MB, {share:.0%}",
        f"{used_bytes / 1e6:.1f} MB / {max_bytes / 1e6:.0f} MB,{share:.0%}",
    )
    remedy = (
        "the centre has not acknowledged for long: see 'broker' here, and 'steppe doctor' at the centre",
        "中心长时间未确认：查看此处的 broker 项，并在中心运行 steppe doctor",
    )
    if share >= 1 - 1e-3:
        return wrong("spool", what, remedy)
    return warning("spool", what, remedy) if share > HIGH_LEVEL else ok("spool", *what)


def _old_batches(hours: float) -> Finding:
    return warning(
        "spool age",
        (f"the oldest batch has waited {hours:.0f} h", f"最早的数据已等待 {hours:.0f} 小时"),
        ("see 'broker' here; readings are safe until the spool is full", "查看 broker 项；缓存写满之前数据不会丢失"),
    )


def _damaged_spool(path: Path, reason: str) -> Finding:
    return wrong(
        "spool",
        (f"{path}: damaged ({reason})", f"{path}：已损坏（{reason}）"),
        (
            "start the agent: it sets the file aside and begins anew; then check the card's wear",
            "启动采集程序：它会保留该文件并重新开始；然后检查存储卡",
        ),
    )
