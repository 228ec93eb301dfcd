"""`steppe console`: run it, and say who may come in."""

import json
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec

from dashboards.console import server
from dashboards.console.database import FILE, ConsoleDatabase, Deed
from dashboards.console.errors import NotFound, Unusable
from dashboards.console.people import ROLES, SCOPES, Role, Scope
from dashboards.console.settings import load_console
from dashboards.console.texts import local_time
from dashboards.console.words import translate
from edge.clock import RealClock
from edge.errors import BadInput
from ingest.config import load_centre
from ingest.stopping import when_parent_ends

CENTRE = click.argument("centre_toml", type=click.Path(path_type=Path, dir_okay=False))
NAME = click.argument("name")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
WHO = "command line"


@click.group(epilog="Example: steppe console run centre.toml")
def console() -> None:
    """The web console: run it, and say who may come in."""


@console.command(epilog="Example: steppe console run centre.toml")
@CENTRE
@click.option("--with-parent", is_flag=True, help="End when standard input closes.")
def run(centre_toml: Path, with_parent: bool) -> None:
    """Serve the pages and the API until SIGTERM or Ctrl-C. Settings: console.toml beside CENTRE_TOML."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    settings = load_console(centre_toml)
    on_start = when_parent_ends if with_parent else lambda stop: None
    server.serve(load_centre(centre_toml), settings, RealClock(), on_start=on_start)


@console.group(epilog="Example: steppe console user add centre.toml wang --role operator")
def user() -> None:
    """Who may sign in."""


@user.command("add", epilog="Example: steppe console user add centre.toml wang --full-name 'Wang Li' --role admin")
@CENTRE
@NAME
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True)
@click.option("--full-name", default="", help="As the pages show it.")
def add_user(centre_toml: Path, name: str, role: Role, full_name: str) -> None:
    """Add a user and print a one-time link, at which they choose their password."""
    with _opened(centre_toml) as database:
        database.users.add(name, full_name, role, now_ms=_now_ms())
        _note(database, "add user", name, role)
        click.echo(_link(centre_toml, database, name))


@user.command("link", epilog="Example: steppe console user link centre.toml wang")
@CENTRE
@NAME
def link_user(centre_toml: Path, name: str) -> None:
    """Print a one-time link, at which a user chooses another password."""
    with _opened(centre_toml) as database:
        click.echo(_link(centre_toml, database, name))
        _note(database, "new link", name)


@user.command("list", epilog="Example: steppe console user list centre.toml")
@CENTRE
@AS_JSON
def list_users(centre_toml: Path, as_json: bool) -> None:
    """List users with their roles."""
    with _opened(centre_toml) as database:
        users = database.users.all()
    if as_json:
        click.echo(json.dumps({"users": msgspec.to_builtins(users)}))
        return
    for one in users:
        state = "disabled" if one.is_disabled else "" if one.has_password else "has not come in yet"
        click.echo(f"{one.name:20} {one.role:10} {one.full_name}  {state}".rstrip())


@console.group(epilog="Example: steppe console token new centre.toml office --scope read")
def token() -> None:
    """Which programs may use the API."""


@token.command("new", epilog="Example: steppe console token new centre.toml office --scope read --days 365")
@CENTRE
@NAME
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, default=("read",), show_default=True)
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it is good.")
def new_token(centre_toml: Path, name: str, scopes: tuple[Scope, ...], days: int) -> None:
    """Print a new token: it is shown this once."""
    with _opened(centre_toml) as database:
        word = database.tokens.new(name, scopes, days=days, now_ms=_now_ms())
        _note(database, "new token", name, " ".join(scopes))
    click.echo(word)


@token.command("list", epilog="Example: steppe console token list centre.toml")
@CENTRE
@AS_JSON
def list_tokens(centre_toml: Path, as_json: bool) -> None:
    """List tokens with their scopes and ends."""
    zone = ZoneInfo(load_centre(centre_toml).timezone)
    with _opened(centre_toml) as database:
        tokens = database.tokens.all()
    if as_json:
        click.echo(json.dumps({"tokens": msgspec.to_builtins(tokens)}))
        return
    for one in tokens:
        click.echo(f"{one.name:20} {' '.join(one.scopes):28} until {local_time(one.until_ms, zone, 'day')}")


@token.command("revoke", epilog="Example: steppe console token revoke centre.toml office")
@CENTRE
@NAME
def revoke_token(centre_toml: Path, name: str) -> None:
    """Make a token worthless at once."""
    with _opened(centre_toml) as database:
        database.tokens.revoke(name)
        _note(database, "revoke token", name)


@contextmanager
def _opened(centre_toml: Path) -> Iterator[ConsoleDatabase]:
    """The console's file; what it refuses is bad input."""
    data_dir = Path(load_centre(centre_toml).data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    with closing(ConsoleDatabase(data_dir / FILE)) as database:
        try:
            yield database
        except NotFound as error:
            raise BadInput(f"there is no {error}: the command `list` shows all") from error
        except Unusable as error:
            raise BadInput(translate(str(error), "en")) from error


def _link(centre_toml: Path, database: ConsoleDatabase, name: str) -> str:
    word = database.users.new_link(name, "password", now_ms=_now_ms())
    return f"{load_console(centre_toml).url()}/welcome/{word}"


def _note(database: ConsoleDatabase, act: str, subject: str, why: str = "") -> None:
    database.note(Deed(_now_ms(), WHO, act, subject, why))


def _now_ms() -> int:
    return RealClock().now_ms()
