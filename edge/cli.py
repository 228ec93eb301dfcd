"""`steppe edge …`: run the gateway, and the tools for the person who stands in front of the meters."""

import asyncio
import sys
from pathlib import Path

import click

from edge.__main__ import become_the_gateway
from edge.check import SiteCheck, describe_site
from edge.clock import RealClock
from edge.field_cli import AS_JSON, SITE, json_text, lines, probe, scan
from edge.once import PointView, read_once
from edge.profiles import Point, Profile, load_profile, profile_names
from edge.site import load_site
from edge.wire import Quality


@click.group()
def edge() -> None:
    """Read meters and carry their readings to the centre; runs on the gateway."""


@edge.command(epilog="Example: steppe edge run /etc/steppe/site.toml")
@SITE
def run(site_file: Path) -> None:
    """Poll, keep and send until stopped (SIGTERM or Ctrl-C seals what is there first)."""
    become_the_gateway(site_file)


@edge.command(epilog="Example: steppe edge check site.toml")
@SITE
@AS_JSON
def check(site_file: Path, as_json: bool) -> None:
    """Check a configuration and show the plan it would run; touches no meter."""
    plan = describe_site(load_site(site_file))
    click.echo(json_text(plan) if as_json else _check_text(plan))


@edge.command(epilog="Example: steppe edge once site.toml")
@SITE
@AS_JSON
def once(site_file: Path, as_json: bool) -> None:
    """Read every point once and show value, quality, age and registers. Exit code 1 if any is BAD."""
    views = asyncio.run(read_once(load_site(site_file), RealClock()))
    click.echo(json_text({"points": views}) if as_json else "\n".join(_view_text(view) for view in views))
    if any(Quality[view.quality].is_bad for view in views):
        sys.exit(1)


for field_command in (scan, probe, lines):
    edge.add_command(field_command)


@edge.group()
def profiles() -> None:
    """The register maps that are shipped."""


@profiles.command("list", epilog="Example: steppe edge profiles list")
@AS_JSON
def list_profiles(as_json: bool) -> None:
    """List the profiles with vendor, model and how sure they are."""
    shipped = [load_profile(name) for name in profile_names()]
    rows = [{"name": p.name, "kind": p.kind, "confidence": p.confidence, "points": len(p.points)} for p in shipped]
    if as_json:
        click.echo(json_text({"profiles": rows}))
        return
    for profile in shipped:
        click.echo(f"{profile.name:29} {profile.kind:20} {profile.confidence:7} {profile.vendor}, {profile.model}")


@profiles.command(epilog="Example: steppe edge profiles show eastron_sdm630")
@click.argument("name")
@AS_JSON
def show(name: str, as_json: bool) -> None:
    """Show one profile: its points, where its facts come from, and what to check on the device."""
    profile = load_profile(name)
    click.echo(json_text(profile) if as_json else _profile_text(profile))


def _check_text(plan: SiteCheck) -> str:
    lines = [f"site {plan.site}: {plan.points} points, {plan.readings_per_day} readings a day"]
    for bus in plan.buses:
        lines.append(f"{bus.url}: polling takes {bus.load:.1%} of the line's time")
        lines += [
            f"  {device.name:24} {device.profile:24} {device.confidence:7} {device.points:4} points in "
            f"{device.requests:3} requests, {device.sweep_s:6.2f} s of every {device.poll_every_s:g} s"
            for device in bus.devices
        ]
        lines += [_warning(device.name, device.not_by_itself) for device in bus.devices if device.not_by_itself]
    return "\n".join(lines)


def _warning(name: str, not_by_itself: str) -> str:
    return f"  {name}: the gateway writes to no meter, and this one needs that: {not_by_itself}"


def _view_text(view: PointView) -> str:
    value = "-" if view.value is None else f"{view.value:.6g}" if isinstance(view.value, float) else repr(view.value)
    registers = " ".join(f"{register:04x}" for register in view.registers)
    return f"{view.point:40} {value:>14} {view.quality:20} {view.age_s:5.1f} s  {registers}  {view.meaning}".rstrip()


def _register_text(point: Point) -> str:
    return f"0x{point.register:08X}" if point.table == "data_identifier" else str(point.register)


def _profile_text(profile: Profile) -> str:
    lines = [
        f"{profile.name}: {profile.vendor}, {profile.model} ({profile.kind})",
        f"confidence: {profile.confidence}",
        *(f"source: {source}" for source in profile.source),
    ]
    if profile.note:
        lines.append(f"note: {profile.note}")
    if profile.not_by_itself:
        lines.append(_warning(profile.name, profile.not_by_itself).lstrip())
    if profile.relative_to:
        lines.append(f"needs register_base; registers are an {profile.relative_to}")
    lines += [
        f"  {point.name:36} {point.table:17} {_register_text(point):>10} {point.type:8} {point.word_order:8} "
        f"× {point.scale:g}"
        for point in profile.points
    ]
    return "\n".join(lines)
