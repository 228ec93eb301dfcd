#!/usr/bin/env bash
# Install a centre on 64-bit Debian 12 or newer, from a release. Mosquitto comes from Debian: apt install mosquitto.
#   sudo bash install-centre.sh --release DIR --host NAME [--host ADDRESS] [--store URL] [--root DIR] [--dry-run]
# DIR is what `make release` wrote: the wheel, centre.txt (its packages, pinned by hash), systemd/, SHA256SUMS.
# NAME is how gateways reach the broker. Safe to repeat: a new release is taken, and a centre that stands in /srv/steppe
# is left as it is. --root DIR installs below DIR instead of /, and starts nothing. --dry-run says what would be done.
set -euo pipefail

release="" root="" dry_run="" wishes=()
while [ $# -gt 0 ]; do
    case $1 in
    --release) release=${2:-} && shift 2 ;;
    --host | --store | --token-file | --timezone | --language) wishes+=("$1" "${2:-}") && shift 2 ;;
    --root) root=$(realpath -m "${2:-}") && shift 2 ;;
    --dry-run) dry_run=yes && shift ;;
    *) echo "install: unknown word $1; see the head of this file" >&2 && exit 2 ;;
    esac
done

refuse() { echo "install: $*" >&2; exit 2; }
run() { echo "+ $*"; [ -n "$dry_run" ] || "$@"; }

home=$root/opt/steppe county=$root/srv/steppe settings=$root/etc/steppe units=$root/etc/systemd/system

[ -n "$release" ] || refuse "give --release DIR"
[ -d "$release" ] || refuse "$release: no such folder"
wheel=$(find "$release" -maxdepth 1 -name 'steppe-*.whl' | sort | tail -n 1)
[ -n "$wheel" ] && [ -r "$release/centre.txt" ] || refuse "$release: no wheel and centre.txt there. Unpack the release again"
(cd "$release" && sha256sum --quiet --check SHA256SUMS) || refuse "$release: damaged on its way. Carry it over again"
[ -e "$county/centre.toml" ] || [[ " ${wishes[*]} " == *" --host "* ]] || refuse "give --host NAME: how gateways reach the broker"
python=$(command -v python3) || refuse "no python3: apt install python3-venv"
"$python" - <<'END' || refuse "needs 64-bit Linux with Python 3.11 or newer and its venv module: apt install python3-venv"
import struct, sys
import ensurepip, venv
sys.exit(sys.version_info < (3, 11) or struct.calcsize("P") < 8)
END
if [ -z "$root$dry_run" ]; then
    [ "$(id -u)" = 0 ] || refuse "run as root: it makes the user steppe and services"
    id mosquitto >/dev/null 2>&1 || refuse "no Mosquitto here: apt install mosquitto"
fi

run mkdir -p "$settings" "$units" "$root/srv"
if [ -z "$root" ] && ! id steppe >/dev/null 2>&1; then
    run useradd --system --home-dir /var/lib/steppe --shell /usr/sbin/nologin steppe
fi

run "$python" -m venv "$home"
run "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$release/centre.txt"
run "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$wheel"

[ -e "$county/centre.toml" ] || run "$home/bin/steppe" centre init "$county" "${wishes[@]}"
run ln -sfn "$county/centre.toml" "$settings/centre.toml"
if [ -z "$root" ]; then
    # The services own what they write; the authority's key stays root's, and its certificate is for all to read.
    run chown -R steppe: "$county/data" "$county/identities" "$county/register"
    run chown root:steppe "$county/authority"
    run chmod 750 "$county/authority"
fi

run cp -r "$release/systemd/steppe-.service.d" "$release/systemd/steppe-archive.service.d" "$units/"
run cp "$release/systemd/steppe-archive.timer" "$release/systemd/steppe-centre.target" "$units/"
for name in ingest analytics alarms console authority dashboards archive; do
    run install -m 644 "$release/systemd/steppe-$name.service" "$units/steppe-$name.service"
done
if [ -z "$root" ]; then
    if ! grep -qx "include_dir $county/broker" /etc/mosquitto/mosquitto.conf; then
        run cp /etc/mosquitto/mosquitto.conf /etc/mosquitto/mosquitto.conf.before-steppe
        run sh -c "echo 'include_dir $county/broker' > /etc/mosquitto/mosquitto.conf"
        run systemctl restart mosquitto
    fi
    run systemctl daemon-reload
    run systemctl enable steppe-ingest steppe-analytics steppe-alarms steppe-console steppe-authority steppe-dashboards
    run systemctl enable steppe-archive.timer steppe-centre.target
    run systemctl restart steppe-centre.target
fi

echo "Installed. Now keep the register in $county/register, say in its alarms.toml who is told, and"
echo "invite the first user: $home/bin/steppe console user add $settings/centre.toml NAME --full-name 'NAME' --role admin"
echo "The centre looks at itself (repeat it whenever something is amiss):"
run "$home/bin/steppe" doctor "$settings/centre.toml" || true
