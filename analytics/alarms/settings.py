"""`alarms.toml`: the channels, the people, their duties, and who is told how fast."""

from collections.abc import Sequence
from datetime import time
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from analytics.alarms.rota import Person, Rota, Step
from analytics.alarms.windows import Window
from analytics.pumps import STARTS_PER_HOUR
from edge.config import load_toml

Name = Annotated[str, Meta(min_length=1, max_length=60)]


class ChannelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to people. Secrets stand in files, never here."""

    name: Name
    """As `people` name it."""
    kind: Literal["dingtalk", "wecom", "feishu", "sms_http", "smpp", "mail", "apprise"]
    """The service: three robots, SMS by HTTP or SMPP, mail, or anything that Apprise speaks."""
    token_file: str | None = None
    """Robot token or key, SMS or mail password, or the Apprise URL."""
    secret_file: str | None = None
    """Signing secret of DingTalk and Feishu robots."""
    url: str | None = None
    """Address of the service where it is not the public one: SMS gateway, SMPP and mail server as `host:port`."""
    user: str | None = None
    """Account at the SMPP or mail server."""
    sender: str | None = None
    """Sender of mails, or source number of SMS."""
    replies: bool = False
    """Receive what crews answer by SMS (SMPP): the operator must allow the account to bind as a receiver."""
    per_minute: Annotated[int, Meta(ge=1)] = 18
    """Messages a minute that the service takes."""
    kept_for_critical: Annotated[int, Meta(ge=0)] = 6
    """Of these, kept for critical alarms."""

    def __post_init__(self) -> None:
        if self.kept_for_critical >= self.per_minute:
            raise ValueError(f"channel {self.name}: kept_for_critical must be below per_minute")
        if self.kind in ("dingtalk", "wecom", "feishu", "apprise") and self.token_file is None:
            raise ValueError(f"channel {self.name}: {self.kind} needs token_file")
        if self.kind in ("sms_http", "smpp", "mail") and self.url is None:
            raise ValueError(f"channel {self.name}: {self.kind} needs url")
        if self.replies and self.kind != "smpp":
            raise ValueError(f"channel {self.name}: only smpp receives replies")


class Chain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told of alarms of one severity, step by step until somebody acknowledges."""

    steps: list[Step] = []
    """None: the alarm is listed, and nobody is called."""
    only_hours: tuple[time, time] | None = None
    """Notices wait for these local hours."""
    ack_expires_min: Annotated[float, Meta(gt=0)] | None = None
    """An acknowledged alarm that still stands after this long is handed back."""
    repeat_min: Annotated[float, Meta(gt=0)] | None = None
    """While nobody acknowledges, the last step is told again after this long, five times at most."""

    def __post_init__(self) -> None:
        if self.only_hours is not None and self.only_hours[0] >= self.only_hours[1]:
            raise ValueError("only_hours: the first hour comes before the second, on one day")
        if self.repeat_min is not None and not self.steps:
            raise ValueError("repeat_min needs steps: it repeats the last one")


class Chains(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One chain per severity."""

    critical: Chain = Chain()
    high: Chain = Chain()
    medium: Chain = Chain()
    low: Chain = Chain()


class LiftStation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The levels of a sewage lift station, by which its overflow and its pumps' dry running are judged."""

    asset: Name
    """Id of a `sewage_station` in assets.csv."""
    weir_m: float
    """At which it overflows. [m]"""
    start_m: float
    """At which the last of its pumps has started. [m]"""
    stop_m: float
    """At which its pumps should have stopped. [m]"""
    floor_m: float = 0.0
    """Lowest level that can be read. [m]"""
    starts_per_hour: Annotated[int, Meta(ge=1)] = STARTS_PER_HOUR
    """Most starts of one pump: 6 for a small one, 4 above 15 kW."""

    def __post_init__(self) -> None:
        if not self.floor_m <= self.stop_m < self.start_m < self.weir_m:
            raise ValueError(f"lift station {self.asset}: levels rise as floor_m, stop_m, start_m, weir_m")


class AlarmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the alarm engine needs to know beyond the register."""

    channels: list[ChannelSettings] = []
    people: list[Person] = []
    rotas: list[Rota] = []
    chains: Chains = Chains()
    windows: list[Window] = []
    lift_stations: list[LiftStation] = []
    manager: str = ""
    """Person who is told when a duty has nobody or a notice reached nobody."""
    settle_s: Annotated[float, Meta(ge=0)] = 75.0
    """How long a notice waits for its cause to show: longer than the time between two readings of a supply meter."""
    grace_s: Annotated[float, Meta(ge=0)] = 120.0
    """How long consequences stay quiet after their cause has gone."""
    site_silent_after_s: Annotated[float, Meta(gt=0)] = 900.0
    """No word from any site for a third of this is the centre's own silence: broker, ingest or its line."""
    link_base: str = ""
    """Address of the console as crews reach it, for acknowledgement links; empty for none."""
    link_key_file: str | None = None
    """Secret under which the links are signed."""

    def __post_init__(self) -> None:
        channels, people = _unique("channel", self.channels), _unique("person", self.people)
        rotas = _unique("rota", self.rotas)
        _unique("window", self.windows)
        _once("lift station", [station.asset for station in self.lift_stations])
        for person in self.people:
            _known(f"person {person.name}", "channel", person.channels, channels)
        for rota in self.rotas:
            _known(f"rota {rota.name}", "person", rota.order, people)
            _known(f"rota {rota.name}", "person", [o.person for o in rota.overrides if o.person], people)
        for severity in ("critical", "high", "medium", "low"):
            steps = getattr(self.chains, severity).steps
            _known(f"chains.{severity}", "person", [step.person for step in steps if step.person], people)
            _known(f"chains.{severity}", "rota", [step.rota for step in steps if step.rota], rotas)
        _known("manager", "person", [self.manager] if self.manager else [], people)
        if self.link_base and self.link_key_file is None:
            raise ValueError("link_base needs link_key_file")

    def person(self, name: str) -> Person | None:
        """Return the person of that name; None for one who has left the file since a notice was queued."""
        return next((person for person in self.people if person.name == name), None)

    def channel(self, name: str) -> ChannelSettings | None:
        """Return the channel of that name; None for one that has left the file."""
        return next((channel for channel in self.channels if channel.name == name), None)

    def rota(self, name: str) -> Rota:
        """Return the duty of that name."""
        return next(rota for rota in self.rotas if rota.name == name)


def load_settings(path: Path) -> AlarmSettings:
    """Return the settings of an `alarms.toml`. Raises ConfigError with the place and the remedy."""
    return load_toml(path, AlarmSettings, sample="analytics/alarms/alarms.sample.toml")


def _unique(what: str, named: Sequence[ChannelSettings | Person | Rota | Window]) -> list[str]:
    return _once(what, [one.name for one in named])


def _once(what: str, names: list[str]) -> list[str]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{what} {twice!r} is there twice: names are unique")
    return names


def _known(where: str, what: str, names: list[str], known: list[str]) -> None:
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise ValueError(f"{where}: there is no {what} {unknown!r}; known: {', '.join(known) or 'none'}")
