"""`steppe edge scan | probe | lines`: for the person who stands before a meter that does not talk."""

import asyncio
from pathlib import Path

import click
import msgspec

from edge.budget import serial_settings
from edge.clock import RealClock
from edge.devices import check_url, is_dlt645
from edge.errors import BadInput, DeviceError
from edge.linecheck import LineReport, check_lines
from edge.probe import Candidate, candidates, read_registers
from edge.profiles import Table
from edge.scan import FoundUnit, find_address, scan_units
from edge.site import load_site

LAST_UNIT = 247

SITE = click.argument("site_file", metavar="SITE.TOML", type=click.Path(path_type=Path))
URL = click.argument("url")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
TIMEOUT = click.option("--timeout", "timeout_s", default=0.3, show_default=True, help="Wait so long for an answer. [s]")


@click.command(epilog="Example: steppe edge scan 'rtu:///dev/ttyUSB0?baud=9600&format=8N1' --last 30")
@URL
@click.option("--first", default=1, show_default=True, type=click.IntRange(1, LAST_UNIT), help="First unit to try.")
@click.option("--last", default=LAST_UNIT, show_default=True, type=click.IntRange(1, LAST_UNIT), help="Last unit.")
@TIMEOUT
@AS_JSON
def scan(url: str, first: int, last: int, timeout_s: float, as_json: bool) -> None:
    """Find the units that answer on a line, one after the other; reads only. Stop the agent on a serial line first.

    On a DL/T 645 line the only meter is asked for its address.
    """
    _check(url)
    if is_dlt645(url):
        _scan_dlt645(url, timeout_s, as_json)
        return

    async def run() -> list[FoundUnit]:
        found = []
        async for unit in scan_units(url, range(first, last + 1), timeout_s=timeout_s):
            found.append(unit)
            if not as_json:
                click.echo(f"unit {unit.unit} answers: {unit.table.replace('_', ' ')}, {unit.answer}")
        return found

    found = asyncio.run(run())
    if as_json:
        click.echo(json_text({"units": found}))
    elif not found:
        click.echo(f"no unit from {first} to {last} answers. Check wiring (A and B swapped?), baud rate and format")


@click.command(epilog="Example: steppe edge probe tcp://10.0.0.21 --unit 1 --register 0 --expect 230.4")
@URL
@click.option("--unit", default=1, show_default=True, type=click.IntRange(0, 255), help="Modbus unit.")
@click.option("--register", required=True, type=click.IntRange(0, 65_535), help="Zero-based, as on the wire.")
@click.option(
    "--table", default="holding_register", show_default=True, type=click.Choice(["holding_register", "input_register"])
)
@click.option("--expect", type=float, help="What the display shows: the nearest readings come first.")
@TIMEOUT
@AS_JSON
def probe(
    url: str, unit: int, register: int, table: Table, expect: float | None, timeout_s: float, as_json: bool
) -> None:
    """Show a register in every type and byte order, beside what the display shows."""
    _check(url)
    if is_dlt645(url):
        raise BadInput(f"url {url!r}: DL/T 645 has no registers to probe; `steppe edge scan` asks a meter's address")
    try:
        registers = asyncio.run(read_registers(url, unit, table, register, timeout_s=timeout_s))
    except DeviceError as error:
        raise BadInput(str(error)) from error
    found = candidates(registers, expect)
    if as_json:
        click.echo(json_text({"registers": registers, "candidates": found}))
        return
    click.echo("registers: " + " ".join(f"{content:04x}" for content in registers))
    click.echo("\n".join(_candidate_text(candidate) for candidate in found))


@click.command(epilog="Example: steppe edge lines site.toml --sweeps 20")
@SITE
@click.option("--sweeps", default=5, show_default=True, type=click.IntRange(1, 1000), help="Read each meter so often.")
@AS_JSON
def lines(site_file: Path, sweeps: int, as_json: bool) -> None:
    """Read every meter a few times and show what each line went through: silences, damage, latency."""
    reports = asyncio.run(check_lines(load_site(site_file), RealClock(), sweeps=sweeps))
    click.echo(json_text({"lines": reports}) if as_json else "\n".join(_line_text(report) for report in reports))


def json_text(value: object) -> str:
    """Return `value` as one JSON object."""
    return msgspec.json.encode(value).decode()


def _scan_dlt645(url: str, timeout_s: float, as_json: bool) -> None:
    address = asyncio.run(find_address(url, timeout_s=timeout_s))
    if as_json:
        click.echo(json_text({"addresses": [] if address is None else [address]}))
    elif address is None:
        click.echo(
            "no meter answers, or several do at once. Check wiring, baud rate and format, or leave one connected"
        )
    else:
        click.echo(f"the meter has the address {address}")


def _check(url: str) -> None:
    check_url(url)
    serial_settings(url)


def _candidate_text(candidate: Candidate) -> str:
    mark = "  <== near" if candidate.is_near else ""
    return f"{candidate.type:8} {candidate.word_order:8} × {candidate.scale:<6g} {candidate.value:>20.8g}{mark}"


def _line_text(report: LineReport) -> str:
    latency = (
        "-" if report.latency50_ms is None else f"{report.latency50_ms:.0f} ms, 95 % in {report.latency95_ms:.0f} ms"
    )
    return (
        f"{report.url}: {report.requests} requests, {report.timeouts} without an answer, {report.refused} refused, "
        f"{report.bad_crc} damaged, {report.garbage_bytes} bytes of garbage; half answer in {latency}"
    )
