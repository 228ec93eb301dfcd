"""Make a release: one folder with all that an installation takes; `make release` calls it.

    python deploy/release.py dist/release

Wheel, packages pinned by hash, units, install scripts, a bill of materials for gateway and centre (CycloneDX), and
SHA256SUMS over all of it. The same checkout gives the same bytes: every time stamp is SOURCE_DATE_EPOCH.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EPOCH = "1580601600"
"""2020-02-02, where SOURCE_DATE_EPOCH is not given. [s since 1970-01-01T00:00Z]"""
LOCKS = ("edge", "centre")
SCRIPTS = ("gateway", "centre")
SUMS = "SHA256SUMS"
BROWSER_LOCK = ROOT / "dashboards" / "console" / "package-lock.json"


def main(target: Path) -> None:
    """Write the release into `target`, which is emptied first."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    environment = {"SOURCE_DATE_EPOCH": EPOCH, **os.environ}
    _run(environment, "hatchling", "build", "-t", "wheel", "-d", str(target.resolve()))
    for lock in LOCKS:
        shutil.copyfile(ROOT / "requirements" / f"{lock}.txt", target / f"{lock}.txt")
        _bill_of_materials(lock, target / f"steppe-{lock}.cdx.json", environment)
    for script in SCRIPTS:
        shutil.copyfile(ROOT / "deploy" / script / "install.sh", target / f"install-{script}.sh")
    shutil.copytree(ROOT / "deploy" / "systemd", target / "systemd")
    files = sorted(path for path in target.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(target)}\n" for path in files]
    (target / SUMS).write_text("".join(sums), encoding="utf-8")


def _bill_of_materials(lock: str, file: Path, environment: dict[str, str]) -> None:
    """Write what an installation holds: the locked packages, and at the centre what the console sends to browsers."""
    words = ("requirements", str(ROOT / "requirements" / f"{lock}.txt"), "--pyproject", str(ROOT / "pyproject.toml"))
    _run(environment, "cyclonedx_py", *words, "--output-reproducible", "--output-file", str(file))
    bill = json.loads(file.read_text(encoding="utf-8"))
    if lock == "centre":
        bill["components"] += _browser_components()
    file.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _browser_components() -> list[dict[str, str]]:
    """htmx and uPlot, which the wheel carries for the console's pages."""
    packages = json.loads(BROWSER_LOCK.read_text(encoding="utf-8"))["packages"]
    named = {
        path.removeprefix("node_modules/"): entry["version"]
        for path, entry in packages.items()
        if path and not entry.get("dev")  # what only tests use is sent to nobody
    }
    return [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:npm/{name}@{version}", "bom-ref": name}
        for name, version in sorted(named.items())
    ]


def _run(environment: dict[str, str], module: str, *words: str) -> None:
    subprocess.run([sys.executable, "-m", module, *words], cwd=ROOT, env=environment, check=True)  # noqa: S603


if __name__ == "__main__":
    main(Path(sys.argv[1]))
