"""A new centre's folder: made beside its place and moved there whole, so that nothing half-made is ever found."""

import importlib.resources
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadInput
from ingest.authority import broker_files
from ingest.authority.broker_files import BrokerPlace
from ingest.authority.folder import CentreFolder, give_to, write_whole
from ingest.authority.office import BROKER, OWN, found, open_office

CENTRE_TOML = """\
# The centre: where readings come in, where they are kept, where they end up. Every key: ingest/centre.sample.toml

data_dir = "data"
register = "register"
timezone = "{timezone}"
language = "{language}"

[broker]
url = "mqtts://{host}:{port}"
ca_file = "../authority/ca.crt"
cert_file = "../identities/steppe-ingest.crt"
key_file = "../identities/steppe-ingest.key"

[store]
url = "{store}"
{token}"""
HOST_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$"
TEMPLATES = "register.template"
BROKER_USER = "mosquitto"


@dataclass(frozen=True)
class Wishes:
    """What a new centre is to be."""

    hosts: Sequence[str]
    """Names and addresses that gateways reach the broker by; the first stands in their files."""
    port: int = 8883
    store: str = "sqlite:///store.db"
    token_file: str | None = None
    timezone: str = "Asia/Shanghai"
    language: str = "zh"
    listen: str | None = None
    """The only address that the broker listens on; None for all."""

    def __post_init__(self) -> None:
        for host in (*self.hosts, *([self.listen] if self.listen else [])):
            if re.match(HOST_PATTERN, host) is None:
                raise BadInput(f"host {host!r}: give a name such as centre.example, or an address")


def make_centre(root: Path, wishes: Wishes, now_ms: int) -> CentreFolder:
    """Make a working, secured centre in `root`, which must not exist or be empty. Raises BadInput."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise BadInput(f"{root}: something stands there. Give a folder that is empty, or a new one")
    making = CentreFolder(root.with_name(f".{root.name}.making"))
    shutil.rmtree(making.root, ignore_errors=True)
    try:
        _make(making, CentreFolder(root), wishes, now_ms)
        if root.exists():
            root.rmdir()
        making.root.replace(root)
    except BaseException:
        shutil.rmtree(making.root, ignore_errors=True)
        raise
    return CentreFolder(root)


def _make(making: CentreFolder, final: CentreFolder, wishes: Wishes, now_ms: int) -> None:
    making.root.mkdir(parents=True)
    for folder in (making.data, making.sites, making.identities, making.authority):
        folder.mkdir(mode=0o700)
    making.broker_state.mkdir(parents=True)
    found(making, now_ms)
    with open_office(making) as office:
        office.issue_own(BROKER, now_ms, wishes.hosts)
        for name in OWN:
            office.issue_own(name, now_ms)
        office.post(now_ms)
    shutil.copy(making.authority / "ca.crt", making.broker / "ca.crt")
    listener = f"{wishes.port} {wishes.listen}" if wishes.listen else str(wishes.port)
    place = BrokerPlace(final.broker, final.broker_state, listener)
    write_whole(making.broker / "mosquitto.conf", broker_files.configuration(place).encode())
    give_to(making.broker, BROKER_USER)
    write_whole(making.centre_file, _centre_toml(wishes).encode())
    for template in importlib.resources.files("ingest.authority").joinpath(TEMPLATES).iterdir():
        text = template.read_text(encoding="utf-8")
        write_whole(making.register / template.name, text.encode("utf-8-sig"))  # so that spreadsheets read Chinese
    for package, name in (("analytics.alarms", "alarms"), ("dashboards.console", "console")):
        sample = importlib.resources.files(package).joinpath(f"{name}.sample.toml").read_bytes()
        write_whole(making.root / f"{name}.sample.toml", sample)


def _centre_toml(wishes: Wishes) -> str:
    token = f'token_file = "{Path(wishes.token_file).absolute()}"\n' if wishes.token_file else ""
    return CENTRE_TOML.format(
        host=wishes.hosts[0],
        port=wishes.port,
        store=wishes.store,
        token=token,
        timezone=wishes.timezone,
        language=wishes.language,
    )
