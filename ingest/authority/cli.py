"""`steppe centre init|authority` and `steppe site …`: who belongs to a centre, and with what papers."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from edge.clock import RealClock
from ingest.authority.bundle import IDENTITY, STATE, check_site_toml, parse_device, site_toml, write_bundle
from ingest.authority.centre_files import Wishes, make_centre
from ingest.authority.folder import CentreFolder
from ingest.authority.office import GATEWAY_DAYS, Office, open_office
from ingest.authority.roll import Member
from ingest.config import load_centre
from ingest.stopping import stop_on_signals, when_parent_ends


@dataclass(frozen=True)
class SiteLine:
    """One site as it is listed."""

    site: str
    state: str
    """valid, expired or revoked."""
    not_after: str
    days_left: float


ROOM = click.option(
    "--centre", "folder", type=click.Path(path_type=Path), default=Path(), show_default="this folder",
    help="Folder made by 'steppe centre init'.",
)  # fmt: skip
DAYS = click.option("--days", type=click.FloatRange(0.001, 825), default=GATEWAY_DAYS, show_default=True)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
RELOAD = "Mosquitto does not run here under our eyes. Where it runs: systemctl reload mosquitto"


@click.command(epilog="Example: steppe centre init /srv/steppe --host centre.example --host 10.0.0.5")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--host", "hosts", multiple=True, required=True, help="Name or address of the broker; may repeat.")
@click.option("--port", type=click.IntRange(1, 65535), default=8883, show_default=True)
@click.option("--listen", help="The only address that the broker listens on; without it, all.")
@click.option("--store", default=Wishes.store, show_default=True, help="As in centre.toml.")
@click.option("--token-file", help="InfluxDB's token, a file of mode 600.")
@click.option("--timezone", default=Wishes.timezone, show_default=True)
@click.option("--language", type=click.Choice(["zh", "en"]), default=Wishes.language, show_default=True)
def init(folder: Path, hosts: tuple[str, ...], **wishes: str) -> None:
    """Make a centre that works and is secured: authority, broker files, configuration, register templates."""
    root = folder.absolute()
    made = make_centre(root, Wishes(hosts, **wishes), RealClock().now_ms())  # type: ignore[arg-type]
    load_centre(made.centre_file)
    click.echo(f"{root}: made. Keep {made.authority / 'ca.key'} safe: who holds it can become any site. Next:")
    for step in (
        f"mosquitto -c {made.broker / 'mosquitto.conf'}",
        f"steppe console user add NAME --role admin {made.centre_file}",
        f"steppe centre run {made.centre_file}",
        f"steppe site add NAME --centre {root} --device METER=PROFILE@URL",
    ):
        click.echo(f"  {step}")


@click.command(epilog="Example: steppe centre authority centre.toml")
@click.argument("centre_file", metavar="CENTRE.TOML", type=click.Path(path_type=Path))
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when standard input closes.")
def authority(centre_file: Path, with_parent: bool) -> None:
    """Sign the gateways' new certificates as they ask for them, and keep the centre's own fresh."""
    from ingest.authority.signing import Desk, address_of, serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = stop_on_signals()
    if with_parent:
        when_parent_ends(stop.set)
    folder = CentreFolder(centre_file.resolve().parent).existing()
    with open_office(folder) as office:
        serve(address_of(load_centre(centre_file).broker, folder), Desk(office, RealClock()), stop)


@click.group()
def site() -> None:
    """Admit gateways to the centre, renew and revoke them."""


@site.command(epilog="Example: steppe site add ulaan --device feeder1=eastron_sdm630@tcp://10.0.0.21:502#1")
@click.argument("name")
@ROOM
@DAYS
@click.option("--device", "devices", multiple=True, required=True, help="NAME=PROFILE@URL[#UNIT]; may repeat.")
@click.option("--state", default=STATE, show_default=True, help="Folder on the gateway for spool and identity.")
def add(name: str, folder: Path, days: float, devices: tuple[str, ...], state: str) -> None:
    """Make the bundle of one gateway: key, certificate, site.toml, checksums; and its lines in the access rules."""
    room = CentreFolder(folder.absolute()).existing()
    url = load_centre(room.centre_file).broker.url
    text = site_toml(name, url, [parse_device(device) for device in devices], state)
    check_site_toml(text)
    with open_office(room) as office:
        key, issued = office.admit(name, RealClock().now_ms(), days)
        _pack(office, name, key, issued.certificate, {"site.toml": text.encode()})


@site.command(epilog="Example: steppe site renew ulaan")
@click.argument("name")
@ROOM
@DAYS
def renew(name: str, folder: Path, days: float) -> None:
    """Make a new key and certificate for a gateway that lost its own or let it expire."""
    with open_office(CentreFolder(folder.absolute()).existing()) as office:
        key, issued = office.renew(name, RealClock().now_ms(), days)
        _pack(office, name, key, issued.certificate, {})


@site.command(epilog="Example: steppe site revoke ulaan")
@click.argument("name")
@ROOM
def revoke(name: str, folder: Path) -> None:
    """Refuse a gateway from now on: lost, stolen or retired."""
    with open_office(CentreFolder(folder.absolute()).existing()) as office:
        told = office.revoke(name, RealClock().now_ms())
    click.echo(f"site {name}: revoked" + ("; the broker refuses it now" if told else f". {RELOAD}"))


@site.command("list", epilog="Example: steppe site list --centre /srv/steppe")
@ROOM
@AS_JSON
def list_sites(folder: Path, as_json: bool) -> None:
    """Show each site, its state and the days its certificate still holds."""
    now_ms = RealClock().now_ms()
    with open_office(CentreFolder(folder.absolute()).existing()) as office:
        lines = [_line(member, now_ms) for member in office.sites()]
    click.echo(msgspec.json.encode({"sites": lines}).decode() if as_json else _table(lines))


def _pack(office: Office, site: str, key: bytes, certificate: bytes, more: Mapping[str, bytes]) -> None:
    path = office.folder.sites / f"{site}.tar.gz"
    identity = {"ca.crt": (office.folder.authority / "ca.crt").read_bytes(), "site.crt": certificate, "site.key": key}
    write_bundle(path, site, {**more, **{f"{IDENTITY}/{name}": content for name, content in identity.items()}})
    click.echo(f"site {site}: {path}. It holds a key: install it with deploy/gateway/install.sh, then delete it")


def _line(member: Member, now_ms: int) -> SiteLine:
    state = "revoked" if member.revoked else "expired" if member.not_after_ms < now_ms else "valid"
    not_after = datetime.fromtimestamp(member.not_after_ms / 1000, UTC).strftime("%Y-%m-%d")
    return SiteLine(member.name, state, not_after, round(member.days_left(now_ms), 1))


def _table(lines: Sequence[SiteLine]) -> str:
    rows = [("site", "state", "until", "days left")]
    rows += [(line.site, line.state, line.not_after, f"{line.days_left:.1f}") for line in lines]
    return "\n".join(f"{site:30} {state:8} {until:10} {days:>9}" for site, state, until, days in rows)
