"""Ask whether a locked package was withdrawn or has a known weakness; `make audit` calls it.

    python requirements/audit.py

Exit code 1 where one has; 0 where none has, or where a service cannot be reached: then it says so, for an audit that
did not take place is no clean one.
"""

import subprocess
import sys

from locked import locked_project

LOCK = "dev"
"""Holds every package that any of us installs."""
CLEAN, FOUND = 0, 1


def main() -> int:
    """Audit and return the exit code."""
    with locked_project(LOCK) as folder:
        locking = _uv("lock", "--project", str(folder))
        if locking.returncode != 0:
            return _unreachable("the package index", locking.stderr)
        yanked = [line for line in locking.stderr.splitlines() if "yanked" in line]
        auditing = _uv("audit", "--frozen", "--project", str(folder))
    for line in yanked:
        sys.stdout.write(f"withdrawn: {line}\n")
    if auditing.returncode not in (CLEAN, FOUND):
        _unreachable("the service of known weaknesses", auditing.stderr)
    sys.stdout.write(auditing.stdout + (auditing.stderr if auditing.returncode == FOUND else ""))
    return FOUND if yanked or auditing.returncode == FOUND else CLEAN


def _uv(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["uv", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607


def _unreachable(service: str, reason: str) -> int:
    last = (reason.strip().splitlines() or ["no reason given"])[-1].strip()
    sys.stderr.write(f"NOT AUDITED: {service} cannot be reached ({last}). Run 'make audit' again with a network\n")
    return CLEAN


if __name__ == "__main__":
    sys.exit(main())
