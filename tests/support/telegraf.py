"""Telegraf between the same broker and the same store, as a peer to measure beside; a bench does without it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.servers import SEARCH_PATH, InfluxServer, Server

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


def find_telegraf() -> str | None:
    """Return the program's path; None where it is not installed (`make telegraf` builds it)."""
    return shutil.which("telegraf", path=SEARCH_PATH)


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
