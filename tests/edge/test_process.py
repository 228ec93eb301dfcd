"""The gateway's own process: small, and as clear about bad input as the command that it comes from."""

import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

SMALL = """
import sys
from edge.__main__ import load_when_used
load_when_used("request")
import edge.agent
print([name for name in ("click", "http.client", "email.parser") if name in sys.modules])
import urllib.request
print(urllib.request.Request("http://meter/").host, "http.client" in sys.modules)
from urllib.request import getproxies
print(callable(getproxies))
"""


def python(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = (sys.executable, "-P", *map(str, arguments))
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_process_holds_no_command_line_and_no_http_until_somebody_uses_it():
    assert python("-c", SMALL).stdout.splitlines() == ["[]", "meter True", "True"]


def test_the_command_becomes_the_process_and_bad_input_is_one_line(tmp_path):
    """The exit code and the words come from the process that the command has turned into."""
    (tmp_path / "site.toml").write_text('site = "east"\ncolour = "red"\n')
    done = python("-m", "steppe", "edge", "run", tmp_path / "site.toml")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith("steppe: ")
    assert "site.toml" in done.stderr


def test_the_gateway_keeps_the_process_id_of_the_command(tmp_path):
    """systemd waits for READY=1 from the process that it has started."""
    (tmp_path / "site.toml").write_text(
        'site = "east"\nuplink.url = "mqtt://127.0.0.1:1"\n[[devices]]\nname = "m"\nurl = "tcp://127.0.0.1:1"\n'
        'profile = "eastron_sdm630"\n'
    )
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        manager.bind(str(address))
        manager.settimeout(60)
        command = (sys.executable, "-P", "-m", "steppe", "edge", "run", str(tmp_path / "site.toml"))
        running = subprocess.Popen(command, env={**os.environ, "NOTIFY_SOCKET": str(address)})
        try:
            said, credentials, _, _ = manager.recvmsg(100, 100)
        finally:
            running.terminate()
            running.wait(60)
    sender, _, _ = struct.unpack("3i", credentials[0][2])
    assert (said, sender, running.returncode) == (b"READY=1", running.pid, 0)
