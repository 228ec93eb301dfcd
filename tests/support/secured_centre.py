"""A centre as `steppe centre init` makes it, with its own Mosquitto on a free loopback port."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.servers import Server, find_program, port_answers

from edge.clock import RealClock
from edge.mqtt import BrokerAddress
from ingest.authority.centre_files import Wishes, make_centre
from ingest.authority.folder import CentreFolder, write_whole
from ingest.authority.office import Office, open_office
from simulators.processes import free_port

HOST = "127.0.0.1"


@dataclass(frozen=True)
class SecuredCentre:
    """Its folder, its authority at work, and where its broker listens."""

    folder: CentreFolder
    office: Office
    port: int
    server: Server

    @property
    def url(self) -> str:
        return f"mqtts://{HOST}:{self.port}"

    def admit(self, site: str, papers: Path, *, days: float = 90.0, age_ms: int = 0) -> BrokerAddress:
        """Admit a site `age_ms` ago, and lay its papers down as its bundle does."""
        key, issued = self.office.admit(site, RealClock().now_ms() - age_ms, days)
        return self.papers(papers, site, key, issued.certificate)

    def papers(self, folder: Path, name: str, key: bytes, certificate: bytes) -> BrokerAddress:
        """Lay a key and a certificate down; return how to come in with them."""
        ca = folder / "ca.crt"
        write_whole(ca, (self.folder.authority / "ca.crt").read_bytes())
        write_whole(folder / f"{name}.key", key, 0o600)
        write_whole(folder / f"{name}.crt", certificate)
        return BrokerAddress(self.url, ca, folder / f"{name}.crt", folder / f"{name}.key")

    def own(self, name: str) -> BrokerAddress:
        """Return how one of the centre's own processes comes in."""
        identity = self.folder.identities / name
        ca = self.folder.authority / "ca.crt"
        return BrokerAddress(self.url, ca, identity.with_suffix(".crt"), identity.with_suffix(".key"))


@contextmanager
def secured_centre(folder: Path, made_at_ms: int) -> Iterator[SecuredCentre]:
    """Make the centre as of `made_at_ms` and run its broker."""
    port = free_port()
    made = make_centre(folder / "county", Wishes([HOST], port=port, listen=HOST), made_at_ms)
    configuration = made.broker / "mosquitto.conf"
    with configuration.open("a", encoding="utf-8") as file:
        file.write(f"user {getpass.getuser()}\n")  # the test's folder is closed to the user mosquitto
    server = Server([find_program("mosquitto"), "-c", str(configuration)], folder, lambda: port_answers(port))
    server.start()
    try:
        with open_office(made) as office:
            yield SecuredCentre(made, office, port, server)
    finally:
        server.stop()
