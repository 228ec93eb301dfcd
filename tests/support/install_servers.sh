#!/usr/bin/env bash
# Install the real servers that the tests run against: Mosquitto, and InfluxDB 1.8.10 built from source.
#   bash tests/support/install_servers.sh TOOLS_DIR
# Safe to repeat. What cannot be had is named and skipped: the tests that need it then skip (and fail under CI=true).
set -u
tools=${1:?usage: install_servers.sh TOOLS_DIR}
mkdir -p "$tools/bin"
tools=$(cd "$tools" && pwd)
influxdb_version=v1.8.10

say() { echo "servers: $*"; }

install_mosquitto() {
    if PATH="$PATH:/usr/sbin" command -v mosquitto >/dev/null; then
        say "Mosquitto is here"
    elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing Mosquitto from the system's packages"
        export DEBIAN_FRONTEND=noninteractive
        { apt-get install -y -q --no-install-recommends mosquitto ||
            { apt-get update -q && apt-get install -y -q --no-install-recommends mosquitto; }; } \
            >"$tools/mosquitto.log" 2>&1 || say "no Mosquitto: its package cannot be installed ($tools/mosquitto.log)"
    else
        say "no Mosquitto: install the package 'mosquitto' as root to run its tests"
    fi
}

install_influxd() {
    if [ -x "$tools/bin/influxd" ]; then
        say "InfluxDB $influxdb_version is here"
    elif command -v go >/dev/null; then
        say "building InfluxDB $influxdb_version (a minute or two)"
        GOBIN="$tools/bin" go install "github.com/influxdata/influxdb/cmd/influxd@$influxdb_version" \
            >"$tools/influxd.log" 2>&1 || say "no InfluxDB: it cannot be built ($tools/influxd.log)"
    else
        say "no InfluxDB: install Go to build it, or put influxd 1.8 into $tools/bin"
    fi
}

install_mosquitto
install_influxd
exit 0
