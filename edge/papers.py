"""A gateway's key and certificate, and the next pair: made, checked, and put in place so that a pair always stands.

A program of its own (`python -m edge.papers request|accept|settle NAME CERTIFICATE KEY AUTHORITY`), so that the
gateway's process need not hold a cryptography library in memory for what happens every few weeks. A new pair waits
beside the old one under the ending `.next`; `settle` finishes a change of pairs that a power cut interrupted.
"""

import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.errors import BadInput

ASK_AFTER = 0.5
"""Part of a certificate's life after which a new one is asked for: well before two thirds, for links can be down."""


@dataclass(frozen=True)
class Papers:
    """Who a gateway is at the broker, and whom it believes."""

    name: str
    certificate: Path
    key: Path
    authority: Path

    @property
    def next_certificate(self) -> Path:
        return self.certificate.with_name(self.certificate.name + ".next")

    @property
    def next_key(self) -> Path:
        return self.key.with_name(self.key.name + ".next")


def request(papers: Papers, now: datetime) -> bytes | None:
    """Return a signing request for a new key if it is time to ask, else None. The key is on disk before that."""
    held = x509.load_pem_x509_certificate(papers.certificate.read_bytes())
    first, last = held.not_valid_before_utc, held.not_valid_after_utc
    if now < first + ASK_AFTER * (last - first):
        return None
    if not papers.next_key.exists():
        _write(papers.next_key, _pem(ec.generate_private_key(ec.SECP256R1())))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, papers.name)])
    signed = x509.CertificateSigningRequestBuilder().subject_name(name).sign(_key(papers.next_key), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def accept(papers: Papers, answer: bytes, now: datetime) -> None:
    """Put a new certificate and its key in place. Raises BadInput, and changes nothing, unless it is what was asked."""
    if not papers.next_key.exists():
        raise BadInput("no certificate was asked for")
    try:
        offered = x509.load_pem_x509_certificate(answer)
        offered.verify_directly_issued_by(x509.load_pem_x509_certificate(papers.authority.read_bytes()))
    except (ValueError, TypeError, InvalidSignature) as error:
        raise BadInput(f"the certificate is damaged or not signed by {papers.authority.name} ({error})") from error
    if offered.public_key() != _key(papers.next_key).public_key():
        raise BadInput("the certificate is not for the key that was asked for")
    if offered.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value != papers.name:
        raise BadInput(f"the certificate is not in the name of {papers.name}")
    if not offered.not_valid_before_utc <= now < offered.not_valid_after_utc:
        raise BadInput("the certificate does not hold now")
    _write(papers.next_certificate, offered.public_bytes(serialization.Encoding.PEM))
    settle(papers)


def settle(papers: Papers) -> None:
    """Finish a change of pairs that was begun; what does not belong together is left out of it."""
    if not papers.next_certificate.exists():
        return
    offered = x509.load_pem_x509_certificate(papers.next_certificate.read_bytes()).public_key()
    if papers.next_key.exists() and _key(papers.next_key).public_key() == offered:
        _move(papers.next_key, papers.key)
    if _key(papers.key).public_key() == offered:
        _move(papers.next_certificate, papers.certificate)
    else:
        papers.next_certificate.unlink()


def main(arguments: list[str]) -> int:
    """Do one of the three for the agent; return the exit code."""
    action, name, *files = arguments
    papers = Papers(name, *(Path(file) for file in files))
    now = datetime.fromtimestamp(time.time(), UTC)
    try:
        if action == "request":
            sys.stdout.buffer.write(request(papers, now) or b"")
        elif action == "accept":
            accept(papers, sys.stdin.buffer.read(), now)
        else:
            settle(papers)
    except (BadInput, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadInput(f"{path}: not a P-256 key")
    return key


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file that is whole and durable under its name, or not there."""
    draft = path.with_name(path.name + ".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _move(draft, path)


def _move(source: Path, target: Path) -> None:
    source.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
