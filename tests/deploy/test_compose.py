"""The compose file by its structure: no engine runs here, so it is read and judged, and was not started."""

import re
import tomllib
from typing import Any

import pytest
import yaml
from support.release import ROOT

DEPLOY = ROOT / "deploy"
SERVICES = ("mosquitto", "influxdb", "grafana", "steppe")
SECRET_KEY = re.compile(r"PASSWORD|TOKEN|SECRET|KEY")
pytestmark = pytest.mark.skipif(not DEPLOY.is_dir(), reason="the compose file stands in the checkout")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def text_of(compose: dict[str, Any], service: str) -> str:
    return yaml.safe_dump(compose["services"][service])


def test_it_holds_the_four_services(compose) -> None:
    assert set(compose["services"]) == set(SERVICES)


def test_every_image_is_pinned_to_one_version(compose) -> None:
    images = [service["image"] for service in compose["services"].values()]
    images += re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    for image in images:
        assert re.search(r":\d+\.\d+\.\d+(-[a-z]+)*$", image), image


def test_grafana_stays_within_the_versions_that_work_offline_and_asks_nobody(compose) -> None:
    grafana = compose["services"]["grafana"]
    assert grafana["image"].startswith("grafana/grafana:12.4.")
    told = grafana["environment"]
    assert told["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    quiet = {key: value for key, value in told.items() if key.startswith(("GF_ANALYTICS_", "GF_NEWS_"))}
    assert len(quiet) >= 4
    assert set(quiet.values()) == {"false"}


def test_grafana_finds_every_variable_and_folder_that_its_provisioning_names(compose) -> None:
    grafana = compose["services"]["grafana"]
    files = "".join(path.read_text() for path in (DEPLOY / "grafana" / "provisioning").rglob("*.yaml"))
    given = set(grafana["environment"]) | set(re.findall(r"\b(STEPPE_\w+)=", grafana["entrypoint"][2]))
    assert set(re.findall(r"\$\{(\w+)\}", files)) <= given
    mounted = [volume.split(":")[1] for volume in grafana["volumes"]]
    for path in re.findall(r"path: (\S+)", files):
        assert any(path.startswith(target) for target in mounted), path


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_do_no_more_than_it_must(compose, service: str) -> None:
    one = compose["services"][service]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in one["security_opt"]
    assert "privileged" not in one
    assert not str(one["user"]).startswith(("0", "root"))
    assert {"mem_limit", "healthcheck", "pids_limit"} <= one.keys()
    assert set(one["logging"]["options"]) == {"max-size", "max-file"}


@pytest.mark.parametrize("service", SERVICES)
def test_no_port_is_published_on_all_interfaces(compose, service: str) -> None:
    for port in compose["services"][service].get("ports", []):
        assert re.match(r"(\$\{\w+:-127\.0\.0\.1\}|127\.0\.0\.1):\d+:\d+$", port), port


def test_every_file_of_the_checkout_that_is_mounted_or_built_from_exists(compose) -> None:
    mounted = [volume.split(":")[0] for service in compose["services"].values() for volume in service["volumes"]]
    ours = [name for name in mounted if name.startswith(".")]
    assert len(ours) == 3
    assert [name for name in ours if not (DEPLOY / name).exists()] == []
    build = compose["services"]["steppe"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"


def test_every_named_volume_network_and_secret_is_declared(compose) -> None:
    for service in compose["services"].values():
        assert set(service.get("secrets", [])) <= compose["secrets"].keys()
        assert set(service["networks"]) <= compose["networks"].keys()
        named = [volume.split(":")[0] for volume in service["volumes"] if volume[0] not in "./"]
        assert set(named) <= compose["volumes"].keys()
        assert set(service.get("depends_on", {})) <= compose["services"].keys()


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_stands_in_the_file(compose, service: str) -> None:
    """A password comes from a file: no variable of such a name holds one, and none comes from the shell."""
    for key, value in compose["services"][service].get("environment", {}).items():
        assert not SECRET_KEY.search(key) or key.endswith("__FILE"), f"{key}: {value}"
    for value in re.findall(r"(?:PASSWORD|TOKEN)=(\S+)", text_of(compose, service)):
        assert value.startswith('"$$('), value
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())


def test_the_image_is_built_from_hash_locked_packages_and_runs_as_nobody_in_particular() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", text, re.MULTILINE)
    assert "ADD " not in text


def test_the_image_carries_the_version_of_this_checkout(compose) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert compose["services"]["steppe"]["image"] == f"steppe:{project['version']}"


def test_the_broker_logs_to_the_container_and_reads_what_centre_init_wrote() -> None:
    lines = (DEPLOY / "mosquitto" / "compose.conf").read_text().splitlines()
    assert {"include_dir /srv/steppe/broker", "log_dest stdout"} <= set(lines)
