"""The authority of a centre: whom it admits, for how long, and that what it revokes stays revoked."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.errors import BadInput
from ingest.authority.bundle import DeviceWish, parse_device
from ingest.authority.centre_files import Wishes, make_centre
from ingest.authority.folder import CentreFolder, write_whole
from ingest.authority.office import GATEWAY_DAYS, Office, open_office
from ingest.broker import address_of
from ingest.config import load_centre
from ingest.register_files import load_register

NOW_MS = 1_764_000_000_000
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> CentreFolder:
    return make_centre(tmp_path_factory.mktemp("centre") / "county", Wishes(["localhost", "127.0.0.1"]), NOW_MS)


@pytest.fixture
def office(folder):
    with open_office(folder) as office:
        yield office


def request_of(name: str) -> bytes:
    """A signing request as a gateway makes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def rules_of(folder: CentreFolder, site: str) -> list[str]:
    blocks = (folder.broker / "acl").read_text().split("\nuser ")
    return next((block.split("\n")[1:] for block in blocks if block.startswith(f"{site}\n")), [])


def test_a_new_centre_loads_with_its_register(folder):
    centre = load_centre(folder.centre_file)
    register = load_register(Path(centre.register), centre.timezone)
    assert centre.broker.url == "mqtts://localhost:8883"
    assert [len(rows) for rows in (register.regions, register.assets, register.points, register.plans)] == [2, 2, 2, 2]


def test_ingest_finds_its_papers_where_a_new_centre_put_them(folder):
    """Paths of centre.toml count from data_dir, and the papers stand beside it."""
    centre = load_centre(folder.centre_file)
    address = address_of(centre.broker, Path(centre.data_dir))
    assert [file.is_file() for file in (address.ca_file, address.cert_file, address.key_file)] == [True] * 3


def test_keys_and_what_signs_are_closed_to_others(folder):
    keys = [*folder.root.rglob("*.key")]
    assert len(keys) == 5
    assert {path.stat().st_mode & 0o077 for path in [*keys, folder.authority, folder.identities, folder.data]} == {0}


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(BadInput, match="something stands there"):
        make_centre(tmp_path, Wishes(["localhost"]), NOW_MS)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_centre_that_cannot_be_finished_leaves_nothing(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        make_centre(tmp_path / "county", Wishes(["localhost"], store="\udfff"), NOW_MS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["", "two words", "ünïcode", 'x"\nurl = "', "mqtts://centre"])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(BadInput, match="host"):
        Wishes([host])


def test_a_site_gets_ninety_days_and_lines_of_its_own(office: Office, folder):
    _, issued = office.admit("east", NOW_MS)
    assert issued.not_after_ms == NOW_MS + GATEWAY_DAYS * DAY_MS
    assert rules_of(folder, "east")[:6] == [
        *(f"topic write steppe/v1/east/{leaf}" for leaf in ("batch", "points", "status", "csr")),
        *(f"topic read steppe/v1/east/{leaf}" for leaf in ("ack", "cert")),
    ]


def test_two_gateways_do_not_share_a_name(office: Office):
    office.admit("twin", NOW_MS)
    with pytest.raises(BadInput, match="stands on the roll"):
        office.admit("twin", NOW_MS)


@pytest.mark.parametrize("name", ["steppe-ingest", "East", "a/b", "", "+", "x" * 64, "north\nuser steppe-ingest"])
def test_a_name_that_a_site_must_not_have_is_refused(office: Office, name):
    with pytest.raises(BadInput, match=r"site "):
        office.admit(name, NOW_MS)


def test_a_revoked_site_loses_its_lines_and_all_its_certificates(office: Office, folder):
    _, first = office.admit("west", NOW_MS)
    second = office.answer("west", request_of("west"), NOW_MS + DAY_MS)
    office.revoke("west", NOW_MS + 2 * DAY_MS)
    refused = x509.load_pem_x509_crl((folder.broker / "crl.pem").read_bytes())
    assert {first.serial, second.serial} <= {entry.serial_number for entry in refused}
    assert rules_of(folder, "west") == []
    for ask in (office.renew, lambda site, now_ms: office.answer(site, request_of(site), now_ms)):
        with pytest.raises(BadInput, match="revoked"):
            ask("west", NOW_MS + 3 * DAY_MS)


def test_a_revoked_site_may_be_admitted_anew_and_its_old_certificate_stays_refused(office: Office, folder):
    _, old = office.admit("south", NOW_MS)
    office.revoke("south", NOW_MS + DAY_MS)
    _, new = office.admit("south", NOW_MS + 2 * DAY_MS)
    refused = {entry.serial_number for entry in x509.load_pem_x509_crl((folder.broker / "crl.pem").read_bytes())}
    assert old.serial in refused
    assert new.serial not in refused
    assert rules_of(folder, "south") != []


def test_nobody_gets_a_certificate_in_anothers_name(office: Office):
    office.admit("thief", NOW_MS)
    with pytest.raises(BadInput, match="another's name"):
        office.answer("thief", request_of("bank"), NOW_MS)


@pytest.mark.parametrize("damage", [lambda text: text[:40], lambda _: b"", lambda text: text.replace(b"MI", b"MJ", 1)])
def test_a_damaged_request_is_refused(office: Office, damage):
    if office.roll.member("clumsy") is None:
        office.admit("clumsy", NOW_MS)
    with pytest.raises(BadInput, match="request of clumsy"):
        office.answer("clumsy", damage(request_of("clumsy")), NOW_MS)


def test_the_brokers_certificate_is_good_for_each_of_its_hosts(office: Office, folder):
    assert office.broker_hosts() == ["localhost", "127.0.0.1"]
    context = ssl.create_default_context(cafile=str(folder.authority / "ca.crt"))
    context.load_cert_chain(folder.broker / "broker.crt", folder.broker / "broker.key")


@pytest.mark.parametrize("text", ["meter", "meter=p", "=p@tcp://x", "meter=p@", 'me"ter=p@tcp://x:1'])
def test_a_device_that_is_not_written_right_is_refused(text):
    with pytest.raises(BadInput, match="NAME=PROFILE@URL"):
        parse_device(text)


def test_a_device_is_written_with_or_without_its_unit():
    url = "rtu:///dev/ttyUSB0?baud=9600&format=8N1"
    assert parse_device(f"f1=eastron_sdm630@{url}") == DeviceWish("f1", "eastron_sdm630", url)
    assert parse_device(f"f1=eastron_sdm630@{url}#7") == DeviceWish("f1", "eastron_sdm630", url, 7)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "acl"
    write_whole(target, b"old")
    with pytest.raises(TypeError):
        write_whole(target, "not bytes")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
