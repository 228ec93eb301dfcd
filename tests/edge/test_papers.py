"""A gateway's certificate: asked for in time, taken only if it is the right one, and never without its key."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from edge.errors import BadInput
from edge.papers import Papers, accept, request, settle
from edge.renewal import ASK_AGAIN_MS, ASK_EVERY_MS, PaperFiles, Renewal
from ingest.authority.certificates import load_signer, new_authority, new_key, sign, sign_request

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
DAYS = 90
HALF, BEFORE_HALF = NOW + timedelta(days=46), NOW + timedelta(days=44)


class StillClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at_ms = 0

    def monotonic_ms(self) -> int:
        return self.at_ms


@pytest.fixture
def signer():
    key = new_key()
    return load_signer(new_authority("test authority", key, NOW_MS), key)


@pytest.fixture
def papers(tmp_path: Path, signer) -> Papers:
    key = new_key()
    (tmp_path / "site.key").write_bytes(key)
    (tmp_path / "site.crt").write_bytes(sign(signer, "east", key, NOW_MS, DAYS).certificate)
    (tmp_path / "ca.crt").write_bytes(signer.certificate.public_bytes(serialization.Encoding.PEM))
    return Papers("east", tmp_path / "site.crt", tmp_path / "site.key", tmp_path / "ca.crt")


def answer_to(papers: Papers, signer, name: str = "east", now: datetime = HALF) -> bytes:
    asked = request(papers, HALF)
    assert asked is not None
    return sign_request(signer, asked, name, int(now.timestamp() * 1000), DAYS).certificate


def pair_stands(papers: Papers) -> bool:
    """Whether certificate and key belong together."""
    certificate = x509.load_pem_x509_certificate(papers.certificate.read_bytes())
    key = serialization.load_pem_private_key(papers.key.read_bytes(), password=None)
    return certificate.public_key() == key.public_key()


def test_nothing_is_asked_in_the_first_half_of_a_certificates_life(papers):
    assert request(papers, BEFORE_HALF) is None
    assert not papers.next_key.exists()


def test_from_then_on_the_same_key_is_asked_for_until_an_answer_comes(papers):
    """A new key each time would make the answer to the last question useless."""
    asked = [x509.load_pem_x509_csr(request(papers, HALF) or b"").public_key() for _ in range(2)]
    assert asked[0] == asked[1]


def test_the_answer_replaces_certificate_and_key(papers, signer):
    old = papers.certificate.read_bytes()
    accept(papers, answer_to(papers, signer), HALF)
    assert papers.certificate.read_bytes() != old
    assert pair_stands(papers)
    assert papers.key.stat().st_mode & 0o077 == 0
    assert not papers.next_key.exists()
    assert not papers.next_certificate.exists()


def test_an_answer_that_nobody_asked_for_changes_nothing(papers, signer):
    key = new_key()
    with pytest.raises(BadInput, match="no certificate was asked for"):
        accept(papers, sign(signer, "east", key, NOW_MS, DAYS).certificate, NOW)
    assert pair_stands(papers)


def wrong_answers(papers, signer):
    stranger_key = new_key()
    stranger = load_signer(new_authority("stranger", stranger_key, NOW_MS), stranger_key)
    right = answer_to(papers, signer)
    yield "damaged", right[:100], HALF
    yield "of another authority", answer_to(papers, stranger), HALF
    yield "for another key", sign(signer, "east", new_key(), NOW_MS, DAYS).certificate, HALF
    yield "expired", right, HALF + timedelta(days=DAYS + 1)
    yield "not begun", right, NOW - timedelta(days=1)


def test_a_wrong_answer_changes_nothing(papers, signer):
    old = papers.certificate.read_bytes(), papers.key.read_bytes()
    for what, answer, now in wrong_answers(papers, signer):
        with pytest.raises(BadInput):
            accept(papers, answer, now)
        assert (papers.certificate.read_bytes(), papers.key.read_bytes()) == old, what
        assert not papers.next_certificate.exists(), what


@pytest.mark.parametrize("moves", ["none", "certificate waits", "key moved", "both moved"])
def test_a_power_cut_at_any_step_leaves_a_pair_that_stands(papers, signer, moves):
    """Each state that a change of pairs goes through, found at the next start."""
    answer = answer_to(papers, signer)
    if moves != "none":
        papers.next_certificate.write_bytes(answer)
    if moves in ("key moved", "both moved"):
        papers.next_key.replace(papers.key)
    if moves == "both moved":
        papers.next_certificate.replace(papers.certificate)
    settle(papers)
    assert pair_stands(papers)
    assert (papers.certificate.read_bytes() == answer) == (moves != "none")


def test_a_next_certificate_that_fits_no_key_is_forgotten(papers, signer):
    papers.next_certificate.write_bytes(sign(signer, "east", new_key(), NOW_MS, DAYS).certificate)
    settle(papers)
    assert pair_stands(papers)
    assert not papers.next_certificate.exists()


def renewal_of(papers: Papers, clock: StillClock) -> Renewal:
    files = PaperFiles(papers.name, papers.certificate, papers.key, papers.authority)
    return Renewal(files, clock)  # type: ignore[arg-type]


def test_the_gateway_asks_when_its_certificate_is_past_its_half_and_then_now_and_again(papers):
    """It was issued in the past, so by the machine's clock it is over: time to ask."""
    clock = StillClock()
    renewal = renewal_of(papers, clock)
    assert renewal.due_request().startswith(b"-----BEGIN CERTIFICATE REQUEST-----")
    assert renewal.due_request() == b""
    clock.at_ms = ASK_EVERY_MS
    assert renewal.due_request() != b""


def test_a_question_that_nobody_heard_is_asked_again_soon(papers):
    clock = StillClock()
    renewal = renewal_of(papers, clock)
    assert renewal.due_request() != b""
    renewal.nobody_heard()
    clock.at_ms = ASK_AGAIN_MS
    assert renewal.due_request() != b""


def test_while_nobody_hears_it_asks_ever_later(papers):
    """An authority that is away for weeks: each question takes the gateway a second or more."""
    clock = StillClock()
    renewal = renewal_of(papers, clock)
    asked_ms = []
    for clock.at_ms in range(0, 20 * ASK_AGAIN_MS, ASK_AGAIN_MS):
        if renewal.due_request():
            asked_ms.append(clock.at_ms)
            renewal.nobody_heard()
    assert asked_ms == [turn * ASK_AGAIN_MS for turn in (0, 1, 3, 7, 15)]


def test_an_answer_without_a_question_is_passed_over(papers):
    assert not renewal_of(papers, StillClock()).take(b"anything")


def test_files_that_cannot_be_read_stop_nothing(tmp_path):
    missing = Papers("east", tmp_path / "site.crt", tmp_path / "site.key", tmp_path / "ca.crt")
    assert renewal_of(missing, StillClock()).due_request() == b""
