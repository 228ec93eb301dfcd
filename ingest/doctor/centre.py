"""Asks every check of a centre, from its configuration to its sites. Takes seconds, whatever does not answer."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from cryptography import x509
from urllib3.exceptions import HTTPError

from edge import VERSION
from edge.clock import Clock
from edge.doctor_link import look_at_broker, look_at_certificate, look_at_key
from edge.doctor_machine import ROOT, look_at_clock, look_at_disk, look_at_service, look_at_wear
from edge.errors import BadInput
from edge.findings import Finding, Said, ok, warning, wrong
from ingest.authority.folder import CentreFolder
from ingest.broker import address_of, is_embedded
from ingest.config import Centre, load_centre
from ingest.doctor.kept import look_at_journal, look_at_letters
from ingest.doctor.sites import look_at_roll, look_at_sites
from ingest.register_files import read_register
from ingest.store import StoreError
from ingest.stores import open_store

CLIENT_ID = "steppe-doctor"
UNIT = "steppe-ingest.service"
CLOCK_OFF_S, CLOCK_WRONG_S = 5.0, 60.0
ASK_S = 3.0
LIST_FEW_DAYS = 30
SHOWN = 5
"""Problems of the register that are shown one by one."""


def examine(centre_file: Path, clock: Clock, root: Path = ROOT) -> Iterator[Finding]:
    """Yield what is found, in the order a person would look."""
    now_ms = clock.now_ms()
    yield ok("version", f"steppe {VERSION}", f"steppe {VERSION}")
    try:
        centre = load_centre(centre_file)
    except BadInput as error:
        remedy = (
            "correct the file: every key is explained in centre.sample.toml",
            "修改该文件：各项说明见 centre.sample.toml",
        )
        yield wrong("configuration", (str(error), f"配置无法使用：{error}"), remedy)
        yield from look_at_clock(root)
        return
    folder = CentreFolder(centre_file.resolve().parent)
    yield ok("configuration", f"{centre_file.name} can be used", f"{centre_file.name} 可用")
    yield from look_at_clock(root)
    yield from look_at_papers(centre, folder, now_ms)
    yield look_at_broker(address_of(centre.broker, Path(centre.data_dir)), CLIENT_ID)
    yield from look_at_store(centre, now_ms)
    yield from look_at_journal(centre, now_ms)
    yield from look_at_letters(centre)
    yield from look_at_storage(centre, root)
    yield from look_at_register(centre)
    yield from look_at_roll(folder, centre, now_ms)
    yield from look_at_sites(centre, now_ms)
    yield from look_at_service(UNIT, None, root)


def look_at_papers(centre: Centre, folder: CentreFolder, now_ms: int) -> Iterator[Finding]:
    """The certificates of the broker, of ingest and of the authority, and who may read the keys."""
    if is_embedded(centre.broker):
        yield ok("encryption", "the embedded broker listens on this machine alone", "内置消息服务器只在本机监听")
        return
    own = address_of(centre.broker, Path(centre.data_dir))
    if own.cert_file is None or own.key_file is None:
        yield warning(
            "encryption",
            ("gateways are not known by certificates here", "此处未用证书识别网关"),
            (
                "'steppe centre init' makes a centre with an authority of its own",
                "用 steppe centre init 建立带证书的中心",
            ),
        )
        return
    yield look_at_certificate("ingest", own.cert_file, now_ms)
    yield look_at_key("ingest", own.cert_file, own.key_file)
    if (folder.broker / "broker.crt").exists():
        yield look_at_certificate("broker", folder.broker / "broker.crt", now_ms)
    if (folder.broker / "crl.pem").exists():
        yield look_at_revocations(folder.broker / "crl.pem", now_ms)
    if (folder.authority / "ca.crt").exists():
        yield look_at_certificate("authority", folder.authority / "ca.crt", now_ms)
    if (folder.authority / "ca.key").exists():
        yield look_at_key("authority", folder.authority / "ca.crt", folder.authority / "ca.key")


def look_at_revocations(file: Path, now_ms: int) -> Finding:
    """Whether the broker's list of the revoked still holds: once it has ended, the broker refuses everybody."""
    remedy = (
        "let the authority run ('steppe centre run', or the service steppe-authority): it writes the list anew",
        "运行签发进程（steppe centre run 或服务 steppe-authority）：它会重写该列表",
    )
    try:
        ends = x509.load_pem_x509_crl(file.read_bytes()).next_update_utc
    except (OSError, ValueError) as error:
        what = (f"{file}: cannot be read ({error})", f"{file}：无法读取（{error}）")
        return wrong("revocation list", what, remedy)
    days = (ends - datetime.fromtimestamp(now_ms / 1000, UTC)).days if ends else LIST_FEW_DAYS
    what = (f"the list of the revoked holds for {days} more days", f"吊销列表还有 {days} 天有效")
    if days >= LIST_FEW_DAYS:
        return ok("revocation list", *what)
    return (wrong if days < 0 else warning)("revocation list", what, remedy)


def look_at_store(centre: Centre, now_ms: int) -> Iterator[Finding]:
    """Whether the store answers, and how far its server's clock is from ours."""
    if not centre.store.is_influxdb:
        path = Path(centre.data_dir) / centre.store.url.removeprefix("sqlite:///")
        if not path.exists():
            yield ok("store", f"{path}: made when ingest first runs", f"{path}：首次运行时建立")
            return
    try:
        with closing(open_store(centre.store, Path(centre.data_dir))) as store:
            health = str(store.health())
    except (StoreError, BadInput) as error:
        remedy = (
            "start the store, or correct [store] in centre.toml; until then the journal keeps what comes in",
            "启动存储服务或修改 centre.toml 的 [store];在此期间日志会保留收到的数据",
        )
        yield wrong("store", (str(error), f"存储不可用：{error}"), remedy)
        return
    yield ok("store", health, health)
    if centre.store.is_influxdb:
        yield from _store_clock(centre.store.url.removeprefix("influxdb+"), now_ms)


def look_at_storage(centre: Centre, root: Path = ROOT) -> Iterator[Finding]:
    """Room on the disk for a journal at its largest, and how worn the disk is."""
    data = Path(centre.data_dir)
    journal = data / centre.journal.path
    held = journal.stat().st_size if journal.exists() else 0
    yield look_at_disk(data, max(centre.journal.max_mb * 1e6 - held, 0))
    yield from look_at_wear(data, root)


def look_at_register(centre: Centre) -> Iterator[Finding]:
    """Every bad cell of the register, the first few one by one."""
    register, problems = read_register(Path(centre.register), centre.timezone)
    for problem in problems[:SHOWN]:
        yield wrong(
            "register",
            (str(problem), f"台账有误：{problem}"),
            (
                "correct it in the spreadsheet and save; 'steppe ingest register' checks",
                "在表格中修改并保存；用 steppe ingest register 核对",
            ),
        )
    if len(problems) > SHOWN:
        yield wrong(
            "register",
            (f"{len(problems) - SHOWN} more problems", f"另有 {len(problems) - SHOWN} 处问题"),
            ("'steppe ingest register' lists all", "用 steppe ingest register 查看全部"),
        )
    if not problems:
        counts = f"{len(register.assets)} assets, {len(register.points)} points"
        yield ok("register", counts, f"{len(register.assets)} 项资产，{len(register.points)} 个测点")


def _store_clock(url: str, now_ms: int) -> Iterator[Finding]:
    """Compare with the `Date` of the server's answer, which counts whole seconds."""
    address = urlsplit(url)
    try:
        answer = urllib3.request(
            "GET", f"{address.scheme}://{address.netloc}/ping", timeout=ASK_S, retries=False, redirect=False
        )
    except HTTPError:
        return
    if "Date" not in answer.headers:
        return
    off_s = (parsedate_to_datetime(answer.headers["Date"]) - datetime.fromtimestamp(now_ms / 1000, UTC)).total_seconds()
    what = Said(f"the store's clock is {off_s:+.0f} s from ours", f"存储服务器时钟与本机相差 {off_s:+.0f} 秒")
    if abs(off_s) <= CLOCK_OFF_S:
        yield ok("store clock", *_both(what))
    else:
        made = wrong if abs(off_s) > CLOCK_WRONG_S else warning
        yield made(
            "store clock",
            _both(what),
            (
                "let both machines keep time by one server (chrony, timedatectl)",
                "让两台机器使用同一对时服务器（chrony 或 timedatectl）",
            ),
        )


def _both(said: Said) -> tuple[str, str]:
    return said.en, said.zh
