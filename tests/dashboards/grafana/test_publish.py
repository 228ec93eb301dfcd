"""Publish and self-test against a loopback server that speaks Grafana's HTTP API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.grafana_peer import TOKEN, GrafanaPeer, grafana_peer
from support.http_peer import Answer, http_peer

from dashboards.grafana.build import build_all
from dashboards.grafana.cli import dashboards
from dashboards.grafana.publish import publish
from dashboards.grafana.server import Conflict, GrafanaFailed, GrafanaServer
from edge.errors import BadInput
from simulators.processes import free_port

FOLDERS, DASHBOARDS = 2, 14


@pytest.fixture
def peer() -> Iterator[GrafanaPeer]:
    with grafana_peer() as running:
        yield running


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "grafana.token"
    path.write_text(TOKEN + "\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def run(command: str, peer: GrafanaPeer, token_file: Path, *more: str) -> Result:
    return CliRunner().invoke(dashboards, [command, "--url", peer.url, "--token-file", str(token_file), *more])


def test_the_first_run_writes_everything_and_the_second_nothing(peer: GrafanaPeer, token_file: Path) -> None:
    first = run("publish", peer, token_file)
    assert (first.exit_code, len(peer.writes)) == (0, FOLDERS + DASHBOARDS), first.output
    assert "16 folders and dashboards, 16 of them written" in first.output
    second = run("publish", peer, token_file, "--json")
    assert json.loads(second.output)["written"] == 0
    assert len(peer.writes) == FOLDERS + DASHBOARDS


def test_a_dashboard_that_differs_is_replaced_at_its_version_and_no_other(peer: GrafanaPeer, token_file: Path) -> None:
    run("publish", peer, token_file)
    held = peer.dashboards["utl-l3-dq-zh"]["dashboard"]
    held["tags"] = ["steppe", "zh", "src:0000000000000000"]
    peer.writes.clear()
    again = run("publish", peer, token_file)
    assert "updated utl-l3-dq-zh" in again.output
    assert peer.writes == ["/dashboards/db"]
    assert peer.dashboards["utl-l3-dq-zh"]["dashboard"]["version"] == 2


def test_one_language_is_published_alone(peer: GrafanaPeer, token_file: Path) -> None:
    run("publish", peer, token_file, "--language", "zh")
    assert set(peer.folders) == {"steppe-zh"}
    assert {uid.rsplit("-", 1)[1] for uid in peer.dashboards} == {"zh"}


def test_the_consoles_address_stands_in_every_dashboard(peer: GrafanaPeer, token_file: Path) -> None:
    run("publish", peer, token_file, "--console", "https://console.example/")
    for held in peer.dashboards.values():
        [constant] = [one for one in held["dashboard"]["templating"]["list"] if one["name"] == "console"]
        assert constant["query"] == "https://console.example"


def test_what_somebody_saved_meanwhile_is_not_written_over(peer: GrafanaPeer) -> None:
    server, built = GrafanaServer(peer.url, TOKEN), build_all()
    list(publish(server, built))
    saved = peer.dashboards["utl-l1-overview-en"]["dashboard"]
    saved["tags"] = ["mine"]

    def somebody_saves() -> None:
        saved["version"] += 1

    peer.before_write = somebody_saves
    with pytest.raises(Conflict, match=r"412 .*changed by someone else\. Nothing was written over it; run .* again"):
        list(publish(server, built))
    assert peer.dashboards["utl-l1-overview-en"]["dashboard"]["tags"] == ["mine"]


def test_a_dashboard_that_comes_from_files_is_told_so(peer: GrafanaPeer) -> None:
    server, built = GrafanaServer(peer.url, TOKEN), build_all()
    list(publish(server, built))
    peer.dashboards["utl-l1-overview-en"]["meta"]["provisioned"] = True
    peer.dashboards["utl-l1-overview-en"]["dashboard"]["tags"] = []
    with pytest.raises(BadInput, match="comes from files on that server"):
        list(publish(server, built))


def test_a_wrong_token_is_one_clear_line(peer: GrafanaPeer) -> None:
    with pytest.raises(BadInput, match=r"answer 401 Invalid API key\. Check --token-file"):
        list(publish(GrafanaServer(peer.url, "wrong"), build_all()))
    assert peer.writes == []


def test_a_server_that_is_not_there_is_one_clear_line() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(GrafanaFailed, match=rf"^{url}: no answer \(.*refused\)\. Is Grafana running and reachable\?$"):
        list(publish(GrafanaServer(url, TOKEN), build_all()))


def test_a_missing_data_source_is_told_with_its_remedy(peer: GrafanaPeer) -> None:
    peer.datasource = None
    with pytest.raises(BadInput, match=r"no data source with uid steppe-influxdb\. Put deploy/grafana"):
        list(publish(GrafanaServer(peer.url, TOKEN), build_all()))
    peer.datasource = {"type": "prometheus"}
    with pytest.raises(BadInput, match="is of type 'prometheus', not influxdb"):
        list(publish(GrafanaServer(peer.url, TOKEN), build_all()))


@contextmanager
def answering(status: int, body: bytes) -> Iterator[GrafanaServer]:
    with http_peer(lambda _: Answer(status, body)) as running:
        yield GrafanaServer(running.url, TOKEN)


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (403, b'{"message": "no permission"}', BadInput, "answer 403 no permission. Give the service account"),
        (500, b'{"message": "database is locked"}', GrafanaFailed, "answer 500 database is locked"),
        (502, b"<html>an error message of a proxy</html>", GrafanaFailed, "an answer that is no JSON"),
        (200, b"<html>a sign-in page</html>", GrafanaFailed, "no answer"),
        (200, b"[]", GrafanaFailed, "an answer of another form"),
    ],
)
def test_every_other_answer_is_one_clear_line(status: int, body: bytes, error: type[Exception], words: str) -> None:
    with answering(status, body) as server, pytest.raises(error) as raised:
        server.get("/health")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("url", ["127.0.0.1:3000", "ftp://grafana", "http://", ""])
def test_an_address_that_is_none_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput, match="write it as http://host:3000"):
        GrafanaServer(url, TOKEN)


def test_a_server_below_a_path_is_reached() -> None:
    asked: list[str] = []

    def answer(request: object) -> Answer:
        asked.append(request.path)  # type: ignore[attr-defined]
        return Answer(200, b'{"database": "ok"}')

    with http_peer(answer) as running:
        GrafanaServer(f"{running.url}/grafana/", TOKEN).get("/health")
    assert asked == ["/grafana/api/health"]


def test_a_console_that_is_no_address_is_bad_input(peer: GrafanaPeer, token_file: Path) -> None:
    told = run("publish", peer, token_file, "--console", "console.example")
    assert isinstance(told.exception, BadInput)
    assert peer.writes == []


def test_check_tells_which_file_is_not_as_it_would_be_built(tmp_path: Path) -> None:
    def build(*more: str) -> Result:
        return CliRunner().invoke(dashboards, ["build", "--out", str(tmp_path), *more])

    assert build().output.endswith("14 of them new or changed\n")
    assert build("--check").exit_code == 0
    touched = tmp_path / "zh" / "utl-l3-dq-zh.json"
    touched.write_text("{}", encoding="utf-8")
    checked = build("--check")
    assert (checked.exit_code, checked.output) == (1, f"{touched} is not as it would be built\n")
