"""Looks at what is outside: whether the broker takes us and ports answer, and how long certificates hold."""

import contextlib
import socket
import stat
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from edge.errors import ConfigError
from edge.findings import Finding, ok, warning, wrong
from edge.mqtt import BrokerAddress, Connected, Connection, Lost

CONNECT_S = 3.0
BROKER_S = 8.0
PORTS_AT_ONCE = 16
RENEWAL_OVERDUE = 2 / 3
"""Part of its life by which every certificate should have been renewed by itself."""
PRIVATE = stat.S_IRWXG | stat.S_IRWXO


def look_at_broker(address: BrokerAddress, client_id: str) -> Finding:
    """Whether the broker takes us under our own name; another client id, so that a running agent is left alone."""
    missing = [
        file
        for file in (address.ca_file, address.cert_file, address.key_file, address.password_file)
        if file is not None and not _readable(file)
    ]
    if missing:
        return wrong(
            "broker",
            (f"{missing[0]}: cannot be read, so nobody can connect with it", f"{missing[0]}：无法读取，因而无法连接"),
            (
                "install the site's bundle again, and run the doctor as root or as the user steppe",
                "重新安装站点包，并以 root 或 steppe 用户运行 doctor",
            ),
        )
    reason = _refusal(address, client_id)
    if reason is None:
        return ok("broker", f"{address.url} takes us", f"{address.url} 可以连接")
    return wrong(
        "broker",
        (f"{address.url}: {reason}", f"{address.url}：无法连接（{reason}）"),
        (
            "check network, address and port, that the broker runs, and in 'steppe site list' that we are not revoked",
            "检查网络、地址和端口，消息服务器是否运行，证书是否已吊销（在中心运行 steppe site list）",
        ),
    )


def look_at_ports(places: Sequence[tuple[str, str, int]]) -> list[Finding]:
    """Whether each (name, host, port) answers; all are tried at once."""
    if not places:
        return []
    with ThreadPoolExecutor(min(len(places), PORTS_AT_ONCE)) as pool:
        return list(pool.map(lambda place: _port(*place), places))


def look_at_certificate(name: str, file: Path, now_ms: int) -> Finding:
    """How many days a certificate still holds, and whether its renewal is overdue."""
    try:
        held = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        return wrong(
            f"certificate {name}",
            (f"{file}: cannot be read ({error})", f"{file}：无法读取（{error}）"),
            ("'steppe site renew' at the centre makes a new bundle", "在中心运行 steppe site renew 生成新的站点包"),
        )
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    first, last = held.not_valid_before_utc, held.not_valid_after_utc
    days = (last - now).total_seconds() / 86_400
    what = (f"{file.name} holds for {days:.0f} more days", f"{file.name} 还有 {days:.0f} 天有效")
    remedy = (
        "'steppe site renew NAME' at the centre, and install the new bundle; check that the authority runs there",
        "在中心运行 steppe site renew 站名 并安装新站点包；检查中心的证书签发进程是否在运行",
    )
    if now >= last:
        return wrong(f"certificate {name}", (f"{file.name} ended {-days:.0f} days ago", f"{file.name} 已过期"), remedy)
    if now < first:
        return wrong(
            f"certificate {name}",
            (f"{file.name} begins only on {first:%Y-%m-%d}", f"{file.name} 要到 {first:%Y-%m-%d} 才生效"),
            ("set this machine's clock", "校准本机时钟"),
        )
    if now > first + RENEWAL_OVERDUE * (last - first):
        return warning(f"certificate {name}", what, remedy)
    return ok(f"certificate {name}", *what)


def look_at_key(name: str, certificate: Path, key: Path) -> Finding:
    """Whether a key is ours alone to read, and belongs to its certificate."""
    try:
        belongs = _public(key) == _public_of(certificate)
        is_open = bool(key.stat().st_mode & PRIVATE)
    except (OSError, ValueError) as error:
        return wrong(
            f"key {name}",
            (f"{key}: cannot be used ({error})", f"{key}：无法使用（{error}）"),
            (
                "install the bundle again; run the doctor as root or as the user steppe",
                "重新安装站点包；以 root 或 steppe 用户运行",
            ),
        )
    if not belongs:
        return wrong(
            f"key {name}",
            (f"{key.name} does not belong to {certificate.name}", f"{key.name} 与 {certificate.name} 不匹配"),
            ("install key and certificate of one bundle", "安装同一站点包中的密钥和证书"),
        )
    if is_open:
        return wrong(
            f"key {name}",
            (f"{key} can be read by other users", f"{key} 可被其他用户读取"),
            (f"chmod 600 {key}", f"chmod 600 {key}"),
        )
    return ok(f"key {name}", f"{key.name} belongs to its certificate", f"{key.name} 与证书匹配")


def _refusal(address: BrokerAddress, client_id: str) -> str | None:
    """Connect and leave again; return why that failed."""
    try:
        connection = Connection(address, client_id=client_id, clean_start=True, connect_timeout_s=CONNECT_S)
    except (ConfigError, OSError, ValueError) as error:
        return str(error)
    with contextlib.closing(connection):
        deadline_s = time.monotonic() + BROKER_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                event = connection.events.get(timeout=left_s)
            except Empty:
                break
            if isinstance(event, Connected):
                return None
            if isinstance(event, Lost):
                return event.reason.removeprefix(f"{address.url}: ")
    return f"no answer in {BROKER_S:.0f} s"


def _port(name: str, host: str, port: int) -> Finding:
    try:
        socket.create_connection((host, port), timeout=CONNECT_S).close()
    except ConnectionRefusedError:
        return warning(
            f"meter {name}",
            (f"{host}:{port} refuses the connection", f"{host}:{port} 拒绝连接"),
            (
                "switch Modbus TCP on there; a meter that takes one connection may be held by our agent now",
                "在设备上启用 Modbus TCP；只接受一个连接的仪表可能正被采集程序占用",
            ),
        )
    except OSError as error:
        return wrong(
            f"meter {name}",
            (f"{host}:{port} does not answer ({error})", f"{host}:{port} 无应答（{error}）"),
            ("check its power, cable, address and mask", "检查供电、网线、地址和掩码"),
        )
    return ok(f"meter {name}", f"{host}:{port} answers", f"{host}:{port} 有应答")


def _readable(file: Path) -> bool:
    try:
        file.open("rb").close()
    except OSError:
        return False
    return True


def _public(key: Path) -> bytes:
    loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
    return loaded.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _public_of(certificate: Path) -> bytes:
    held = x509.load_pem_x509_certificate(certificate.read_bytes())
    return held.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
