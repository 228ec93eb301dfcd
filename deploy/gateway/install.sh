#!/usr/bin/env bash
# Install a gateway on 64-bit Debian 12 or newer, or Raspberry Pi OS, from a release and the bundle of its site.
#   sudo bash install-gateway.sh --release DIR --bundle SITE.tar.gz [--renew] [--root DIR] [--dry-run]
# DIR is what `make release` wrote: the wheel, edge.txt (its packages, pinned by hash), systemd/, SHA256SUMS.
# Safe to repeat: a new release is taken, and site.toml and the certificate of a gateway that runs already are left alone.
# --renew takes the key and certificate of the bundle in their place (`steppe site renew` makes such a bundle).
# --root DIR installs below DIR instead of /, and starts nothing. --dry-run says what would be done, and does nothing.
set -euo pipefail

release="" bundle="" root="" renew="" dry_run=""
while [ $# -gt 0 ]; do
    case $1 in
    --release) release=${2:-} && shift 2 ;;
    --bundle) bundle=${2:-} && shift 2 ;;
    --root) root=$(realpath -m "${2:-}") && shift 2 ;;
    --renew) renew=yes && shift ;;
    --dry-run) dry_run=yes && shift ;;
    *) echo "install: unknown word $1; see the head of this file" >&2 && exit 2 ;;
    esac
done

refuse() { echo "install: $*" >&2; exit 2; }
run() { echo "+ $*"; [ -n "$dry_run" ] || "$@"; }

[ -n "$release" ] && [ -n "$bundle" ] || refuse "give --release DIR and --bundle SITE.tar.gz"
[ -d "$release" ] || refuse "$release: no such folder"
wheel=$(find "$release" -maxdepth 1 -name 'steppe-*.whl' | sort | tail -n 1)
[ -n "$wheel" ] && [ -r "$release/edge.txt" ] || refuse "$release: no wheel and edge.txt there. Unpack the release again"
(cd "$release" && sha256sum --quiet --check SHA256SUMS) || refuse "$release: damaged on its way. Carry it over again"
[ -r "$bundle" ] || refuse "$bundle: cannot be read. 'steppe site add' makes it at the centre"
python=$(command -v python3) || refuse "no python3: apt install python3-venv"
"$python" - <<'END' || refuse "needs 64-bit Linux with Python 3.11 or newer and its venv module: apt install python3-venv"
import struct, sys
import ensurepip, venv
sys.exit(sys.version_info < (3, 11) or struct.calcsize("P") < 8)
END
[ -n "$root$dry_run" ] || [ "$(id -u)" = 0 ] || refuse "run as root: it makes the user steppe and a service"

home=$root/opt/steppe state=$root/var/lib/steppe settings=$root/etc/steppe systemd=$root/etc/systemd
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
tar -xzf "$bundle" -C "$unpacked" --strip-components=1 --no-same-owner || refuse "$bundle: not a bundle of a site"
(cd "$unpacked" && sha256sum --quiet --check SHA256SUMS) || refuse "$bundle: damaged on its way. Carry it over again"
[ -e "$settings/site.toml" ] || [ -e "$unpacked/site.toml" ] || refuse "$bundle: renews a certificate, and no gateway stands here"

run mkdir -p "$settings" "$state/identity" "$systemd/system" "$systemd/journald.conf.d" "$systemd/system.conf.d"
if [ -z "$root" ] && ! id steppe >/dev/null 2>&1; then
    run useradd --system --home-dir /var/lib/steppe --shell /usr/sbin/nologin steppe
fi
run chmod 700 "$state" "$state/identity"

run "$python" -m venv "$home"
run "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$release/edge.txt"
run "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$wheel"

[ -e "$settings/site.toml" ] || run install -m 644 "$unpacked/site.toml" "$settings/site.toml"
if [ -n "$renew" ] || [ ! -e "$state/identity/site.key" ]; then
    run rm -f "$state/identity/site.key.next" "$state/identity/site.crt.next"
    run install -m 600 "$unpacked/identity/site.key" "$state/identity/site.key"
    run install -m 644 "$unpacked/identity/site.crt" "$unpacked/identity/ca.crt" "$state/identity/"
fi
[ -n "$root" ] || run chown -R steppe: "$state"

run cp -r "$release/systemd/steppe-edge.service" "$release/systemd/steppe-.service.d" "$systemd/system/"
run install -m 644 "$release/systemd/journald-steppe.conf" "$systemd/journald.conf.d/steppe.conf"
[ ! -e "$root/dev/watchdog" ] || run install -m 644 "$release/systemd/hardware-watchdog.conf" "$systemd/system.conf.d/steppe.conf"
if [ -z "$root" ]; then
    run systemctl restart systemd-journald
    run systemctl daemon-reload
    run systemctl enable steppe-edge
    run systemctl restart steppe-edge
fi

echo "Installed. Now compare every value with the display of its meter: $home/bin/steppe edge once $settings/site.toml"
echo "The gateway looks at itself, its clock and its card (repeat it whenever something is amiss):"
run "$home/bin/steppe" doctor "$settings/site.toml" || true
