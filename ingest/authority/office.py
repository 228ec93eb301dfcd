"""The authority at work in a centre's folder: admit a name, renew, revoke, and let the broker know.

The roll is written before a certificate leaves, and the broker's files before anybody is told that a change holds.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from edge.errors import BadInput
from edge.wire import SITE_PATTERN
from ingest.authority import broker_files, roll
from ingest.authority.certificates import (
    Issued,
    Signer,
    hosts_of,
    load_signer,
    new_authority,
    new_key,
    revocation_list,
    sign,
    sign_request,
)
from ingest.authority.folder import SECRET_MODE, CentreFolder, write_whole
from ingest.authority.roll import Member, Roll

GATEWAY_DAYS = 90.0
CENTRE_DAYS = 365.0
BROKER = "steppe-broker"
OWN = (broker_files.INGEST, broker_files.AUTHORITY, broker_files.MONITOR)


@dataclass(frozen=True)
class Office:
    """An authority with its roll and the files that follow from it."""

    folder: CentreFolder
    signer: Signer
    roll: Roll

    def admit(self, site: str, now_ms: int, days: float = GATEWAY_DAYS) -> tuple[bytes, Issued]:
        """Return a new key and certificate for a site, known to the broker's access rules on return.

        Raises BadInput if a certificate of that name still holds: two gateways of one name would be one site.
        """
        if re.match(SITE_PATTERN, site) is None:
            raise BadInput(f"site {site!r}: use lower-case letters, digits and hyphens, 63 at most")
        if site.startswith("steppe-"):
            raise BadInput(f"site {site}: names that begin with 'steppe-' are the centre's own. Choose another")
        known = self.roll.member(site)
        if known is not None and not known.revoked and known.not_after_ms > now_ms:
            raise BadInput(f"site {site}: stands on the roll. 'steppe site renew {site}' makes it a new bundle")
        return self._issue(site, now_ms, days)

    def renew(self, site: str, now_ms: int, days: float = GATEWAY_DAYS) -> tuple[bytes, Issued]:
        """Return a new key and certificate for a site on the roll, for a gateway that lost its own or let it expire."""
        self._standing(site)
        return self._issue(site, now_ms, days)

    def answer(self, site: str, request: bytes, now_ms: int, days: float = GATEWAY_DAYS) -> Issued:
        """Return the certificate that a gateway asked for. Raises BadInput if it is not to have it."""
        self._standing(site)
        issued = sign_request(self.signer, request, site, now_ms, days)
        self.roll.enter(issued)
        return issued

    def revoke(self, site: str, now_ms: int) -> bool:
        """Take a site off for good; return whether the broker was told (else restart or reload it by hand)."""
        self._standing(site)
        self.roll.revoke(site, now_ms)
        return self.post(now_ms)

    def sites(self) -> list[Member]:
        """Return every site that ever stood on the roll, by its newest certificate."""
        return [member for member in self.roll.members() if not member.name.startswith("steppe-")]

    def issue_own(self, name: str, now_ms: int, hosts: Sequence[str] = (), days: float = CENTRE_DAYS) -> None:
        """Give one of the centre's own processes, or the broker under its `hosts`, a new key and certificate."""
        key = new_key()
        issued = sign(self.signer, name, key, now_ms, days, hosts)
        self.roll.enter(issued)
        place, stem = (self.folder.broker, "broker") if hosts else (self.folder.identities, name)
        write_whole(place / f"{stem}.key", key, SECRET_MODE)
        write_whole(place / f"{stem}.crt", issued.certificate)

    def broker_hosts(self) -> list[str]:
        """Return the names and addresses by which gateways reach the broker: those of its certificate."""
        return hosts_of((self.folder.broker / "broker.crt").read_bytes())

    def post(self, now_ms: int) -> bool:
        """Write what the broker reads and have it read; return whether one runs here that could be told."""
        standing = [site.name for site in self.sites() if not site.revoked]
        broker = self.folder.broker
        write_whole(broker / "acl", broker_files.access_rules(standing).encode())
        write_whole(broker / "crl.pem", revocation_list(self.signer, self.roll.revoked(), now_ms))
        return broker_files.tell_broker(self.folder.broker_state / broker_files.PID_FILE)

    def _issue(self, site: str, now_ms: int, days: float) -> tuple[bytes, Issued]:
        key = new_key()
        issued = sign(self.signer, site, key, now_ms, days)
        self.roll.enter(issued)
        self.post(now_ms)
        return key, issued

    def _standing(self, site: str) -> None:
        known = self.roll.member(site)
        if known is None:
            raise BadInput(f"site {site}: not on the roll. 'steppe site list' shows who is")
        if known.revoked:
            raise BadInput(f"site {site}: revoked. 'steppe site add {site}' admits it anew, with a new key")


def found(folder: CentreFolder, now_ms: int) -> None:
    """Make a new authority in a centre's folder."""
    key = new_key()
    certificate = new_authority("steppe authority", key, now_ms)
    write_whole(folder.authority / "ca.key", key, SECRET_MODE)
    write_whole(folder.authority / "ca.crt", certificate)


@contextmanager
def open_office(folder: CentreFolder) -> Iterator[Office]:
    """Open the authority of a centre's folder. Raises BadInput where there is none, or its files cannot be used."""
    try:
        certificate = (folder.authority / "ca.crt").read_bytes()
        key = (folder.authority / "ca.key").read_bytes()
    except OSError as error:
        raise BadInput(
            f"{error.filename}: {error.strerror}. Only who may read the authority's key can sign or revoke"
        ) from error
    names = Roll(folder.authority / roll.FILE)
    try:
        yield Office(folder, load_signer(certificate, key), names)
    finally:
        names.close()
