"""Certificates: make an authority, sign for a name, list what is revoked. Bytes in and bytes out; no files, no clock.

Keys are P-256: small enough for a gateway's handshake on a poor link, and every broker takes them. A certificate's
common name is who its holder is at the broker. Times begin five minutes early, for gateways whose clock is behind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge.errors import BadInput

AUTHORITY_DAYS = 20 * 365
LIST_DAYS = 10 * 365
"""A broker refuses everybody once its revocation list has expired; ours is written anew at each change."""
EARLY = timedelta(minutes=5)


@dataclass(frozen=True)
class Issued:
    """A certificate as it was signed, in PEM."""

    name: str
    serial: int
    not_before_ms: int
    not_after_ms: int
    certificate: bytes


@dataclass(frozen=True)
class Signer:
    """An authority that can sign."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_key() -> bytes:
    """Return a new private key, in PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def new_authority(name: str, key: bytes, now_ms: int) -> bytes:
    """Return the certificate with which an authority vouches for itself."""
    private = _private(key)
    names = _common_name(name)
    builder = _from_now(now_ms, AUTHORITY_DAYS).subject_name(names).issuer_name(names).public_key(private.public_key())
    return _pem(
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .sign(private, hashes.SHA256())
    )


def load_signer(certificate: bytes, key: bytes) -> Signer:
    """Return an authority from its two files. Raises BadInput if they are damaged or do not belong together."""
    try:
        signer = Signer(x509.load_pem_x509_certificate(certificate), _private(key))
    except ValueError as error:
        raise BadInput(f"the authority's files cannot be used ({error}). Restore them from a backup") from error
    if signer.certificate.public_key() != signer.key.public_key():
        raise BadInput("the authority's key is not that of its certificate. Restore both from one backup")
    return signer


def sign(signer: Signer, name: str, key: bytes, now_ms: int, days: float, hosts: Sequence[str] = ()) -> Issued:
    """Return a certificate for the holder of the private `key`. With `hosts` it is a server's."""
    return _sign(signer, name, _private(key).public_key(), now_ms, days, hosts)


def sign_request(signer: Signer, request: bytes, name: str, now_ms: int, days: float) -> Issued:
    """Return a certificate for who sent a signing request. Raises BadInput unless it asks, in good form, for `name`."""
    try:
        asked = x509.load_pem_x509_csr(request)
        valid = asked.is_signature_valid
    except (ValueError, InvalidSignature) as error:
        raise BadInput(f"the request of {name} cannot be read ({error})") from error
    key = asked.public_key()
    if not valid or not isinstance(key, ec.EllipticCurvePublicKey) or asked.subject != _common_name(name):
        raise BadInput(f"the request of {name} is not signed by its own key, not P-256, or in another's name")
    return _sign(signer, name, key, now_ms, days, ())


def revocation_list(signer: Signer, revoked: Iterable[tuple[int, int]], now_ms: int) -> bytes:
    """Return the signed list of (serial, revoked_ms) that a broker refuses, in PEM."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.certificate.subject)
        .last_update(_utc(now_ms) - EARLY)
        .next_update(_utc(now_ms) + timedelta(days=LIST_DAYS))
    )
    for serial, revoked_ms in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(_utc(revoked_ms)).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def hosts_of(certificate: bytes) -> list[str]:
    """Return the names and addresses that a server's certificate is good for."""
    extensions = x509.load_pem_x509_certificate(certificate).extensions
    return [str(name.value) for name in extensions.get_extension_for_class(x509.SubjectAlternativeName).value]


def _sign(
    signer: Signer, name: str, key: ec.EllipticCurvePublicKey, now_ms: int, days: float, hosts: Sequence[str]
) -> Issued:
    usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _from_now(now_ms, days)
        .subject_name(_common_name(name))
        .issuer_name(signer.certificate.subject)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()),
            critical=False,
        )
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    made = builder.sign(signer.key, hashes.SHA256())
    first_ms, last_ms = (
        int(limit.timestamp() * 1000) for limit in (made.not_valid_before_utc, made.not_valid_after_utc)
    )
    return Issued(name, made.serial_number, first_ms, last_ms, _pem(made))


def _from_now(now_ms: int, days: float) -> x509.CertificateBuilder:
    now = _utc(now_ms)
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(now + timedelta(days=days))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: bytes) -> ec.EllipticCurvePrivateKey:
    private = serialization.load_pem_private_key(key, password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError("not a P-256 key")
    return private


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _utc(instant_ms: int) -> datetime:
    return datetime.fromtimestamp(instant_ms / 1000, UTC)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
