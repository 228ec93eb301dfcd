"""Telegraf as a peer to measure beside: from meters to a broker, from a broker to a store. A bench does without it."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.servers import SEARCH_PATH, InfluxServer, Server

from edge.profiles import load_profile

CONFIGURATION = """
[agent]
  omit_hostname = true
  flush_interval = "1s"
  metric_batch_size = 20000
  metric_buffer_limit = 200000
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{broker_port}"]
  topics = ["{topic}"]
  client_id = "telegraf"
  qos = 1
  persistent_session = true
  topic_tag = ""
  data_format = "influx"
[[outputs.influxdb_v2]]
  urls = ["{influx_url}"]
  token = "none:none"
  organization = "none"
  bucket = "{bucket}"
"""

TO_BROKER = """
[agent]
  interval = "1s"
  round_interval = false
  flush_interval = "1s"
  metric_batch_size = 20000
[[outputs.mqtt]]
  servers = ["tcp://127.0.0.1:{broker_port}"]
  topic = "telegraf"
  protocol = "5"
  qos = 1
  layout = "batch"
  data_format = "influx"
"""
FROM_METER = """
[[inputs.modbus]]
  name = "m{place}"
  controller = "tcp://127.0.0.1:{port}"
  timeout = "900ms"
  collection_offset = "{offset_ms}ms"
  configuration_type = "request"
  [[inputs.modbus.request]]
    slave_id = 1
    byte_order = "ABCD"
    register = "input"
    optimization = "max_insert"
    optimization_max_register_fill = 50
    fields = [{fields}]
"""


def find_telegraf(plugin: str) -> str | None:
    """Return the path of a Telegraf that has `plugin`; None where there is none (`make telegraf` builds it)."""
    program = shutil.which("telegraf", path=SEARCH_PATH)
    if program is None:
        return None
    kind = plugin.split(".")[0]
    listed = subprocess.run([program, "plugins", kind], capture_output=True, text=True, check=False)
    return program if plugin in listed.stdout.split() else None


def modbus_to_mqtt(broker_port: int, ports: Sequence[int], profile: str) -> str:
    """Return the configuration of a Telegraf that reads every point of `profile` of each meter once a second."""
    fields = ", ".join(
        f'{{ address = {point.register}, name = "{point.name}", type = "{point.type.upper()}" }}'
        for point in load_profile(profile).points
    )
    return TO_BROKER.format(broker_port=broker_port) + "".join(
        FROM_METER.format(place=place, port=port, offset_ms=1000 * place // len(ports), fields=fields)
        for place, port in enumerate(ports)
    )


@contextmanager
def telegraf(program: str, folder: Path, broker_port: int, topic: str, influx: InfluxServer) -> Iterator[Server]:
    """A running Telegraf that writes what comes on `topic`."""
    configuration = folder / "telegraf.conf"
    configuration.write_text(
        CONFIGURATION.format(broker_port=broker_port, topic=topic, influx_url=influx.url, bucket=influx.database),
        encoding="utf-8",
    )
    server = Server([program, "--config", str(configuration)], folder, lambda: True)
    server.start()
    try:
        yield server
    finally:
        server.stop()
