"""The SMS centre on node (npm `smpp`), as a process that is told and asked over its standard streams."""

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from support.servers import ROOT, missing

PACKAGES = ROOT / ".tools" / "node_smpp" / "node_modules"
SCRIPT = Path(__file__).with_name("node_smpp") / "server.js"
WITHIN_S = 20.0


@dataclass(frozen=True)
class NodeSmpp:
    """Its port, and what it says."""

    port: int
    _stdin: IO[str]
    _said: "queue.Queue[dict[str, object]]" = field(repr=False)

    def give(self, phone: str, text: str) -> object:
        """Give one message to whoever is bound as a receiver; return the status of the answer, None for nobody.

        What is submitted meanwhile is passed over: the service that is bound also has notices of its own to send.
        """
        self._stdin.write(json.dumps({"from": phone, "text": text}) + "\n")
        self._stdin.flush()
        while "answered" not in (said := self.hear()):
            pass
        return said["answered"]

    def hear(self) -> dict[str, object]:
        """Return the next thing that it says."""
        return self._said.get(timeout=WITHIN_S)


@contextmanager
def node_smpp() -> Iterator[NodeSmpp]:
    """Serve until the block ends; skips where node or the packages are missing (a failure under CI)."""
    node = shutil.which("node") or missing("node is not installed")
    if not PACKAGES.is_dir():
        missing(
            "the packages of tests/support/node_smpp are not installed: run tests/support/install_servers.sh .tools"
        )
    environment = {**os.environ, "NODE_PATH": str(PACKAGES)}
    with subprocess.Popen(
        [node, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said: queue.Queue[dict[str, object]] = queue.Queue()
        thread = threading.Thread(target=_listen, args=(process.stdout, said), daemon=True)
        thread.start()
        try:
            yield NodeSmpp(int(str(said.get(timeout=WITHIN_S)["port"])), process.stdin, said)
        finally:
            process.kill()
            process.wait()
            thread.join()


def _listen(lines: IO[str], said: "queue.Queue[dict[str, object]]") -> None:
    for line in lines:
        said.put(json.loads(line))
