"""A county office for tests: commands as people type them, programs that run until told, and a meter on the wall."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyModbusTCP.server import DataBank, ModbusServer
from pyModbusTCP.utils import encode_ieee, long_list_to_word

from simulators.processes import free_port

STEPPE = (sys.executable, "-P", "-m", "steppe")
COMMAND_S = 120.0


class Office:
    """A folder, the commands that are given there, and what they and the programs said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.commands: list[tuple[str, ...]] = []

    def steppe(self, *words: object, code: int = 0) -> str:
        """Run a command to its end; fails unless it ends with `code`. Returns what it said."""
        command = (*STEPPE, *map(str, words))
        self.commands.append(command)
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=COMMAND_S, check=False)
        assert done.returncode == code, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words: object) -> Any:
        """Run a command with --json and return its object."""
        return json.loads(self.steppe(*words, "--json"))

    @contextmanager
    def program(self, *words: object) -> Iterator[subprocess.Popen[bytes]]:
        """A command that runs until it is told to end; what it says goes to a log."""
        command = (*STEPPE, *map(str, words))
        self.commands.append(command)
        log = self.logs / f"{len(self.commands)}-{words[0]}-{words[1]}.log"
        with log.open("wb") as out:
            running = subprocess.Popen(command, cwd=self.folder, stdout=out, stderr=subprocess.STDOUT)
            try:
                yield running
            finally:
                running.terminate()
                running.wait(60)

    def said(self) -> str:
        """Everything that the programs have said so far."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.logs.iterdir()))


class Meter:
    """A three-phase meter on Modbus TCP with the registers of `simulated_terminal`, served by pyModbusTCP."""

    def __init__(self, bank: DataBank, port: int) -> None:
        self._bank = bank
        self.port = port

    def show(self, voltage_v: float) -> None:
        """Let it measure this on all three phases."""
        self._bank.set_input_registers(0, long_list_to_word([encode_ieee(voltage_v)] * 3))


@contextmanager
def meter() -> Iterator[Meter]:
    """A meter that measures 220 V."""
    bank = DataBank(i_regs_size=40)
    server = ModbusServer("127.0.0.1", free_port(), no_block=True, data_bank=bank)
    server.start()
    shown = Meter(bank, server.port)
    shown.show(220.0)
    try:
        yield shown
    finally:
        server.stop()


def command_lines() -> Iterator[str]:
    """The arguments of every process of the machine, as any of its users may read them."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue


def secrets_of(folder: Path) -> set[str]:
    """Lines of every private key below a folder, long enough to be told from chance."""
    lines = (line for path in folder.rglob("*.key*") for line in path.read_text(encoding="ascii").splitlines())
    return {line for line in lines if len(line) > 32 and not line.startswith("-----")}


def closed_to_others(folder: Path) -> bool:
    """Whether every private key below a folder is readable by its owner only."""
    return all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*.key*"))
