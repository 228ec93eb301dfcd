#!/usr/bin/env bash
# Install what the tests run against: Mosquitto, libmodbus, a browser, InfluxDB 1.8.10 built from source, two peers on
# node (the pinned packages of tests/support/node_smpp and tests/support/node_modbus), and axe, which examines pages.
#   bash tests/support/install_servers.sh TOOLS_DIR
# Safe to repeat. What cannot be had is named and skipped: the tests that need it then skip (and fail under CI=true).
set -u
here=$(cd "$(dirname "$0")" && pwd)
tools=${1:?usage: install_servers.sh TOOLS_DIR}
mkdir -p "$tools/bin"
tools=$(cd "$tools" && pwd)
influxdb_version=v1.8.10

say() { echo "servers: $*"; }

# install_package NAME TEST WHAT: a package of the system's, unless TEST says that it is here.
install_package() {
    if eval "$2" >/dev/null 2>&1; then
        say "$1 is here"
    elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $1 from the system's packages"
        export DEBIAN_FRONTEND=noninteractive
        { apt-get install -y -q --no-install-recommends "$1" ||
            { apt-get update -q && apt-get install -y -q --no-install-recommends "$1"; }; } \
            >"$tools/$1.log" 2>&1 || say "no $1: its package cannot be installed ($tools/$1.log)"
    else
        say "no $1: install the package '$1' as root for $3"
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

# install_node FOLDER NAME WHAT: the packages that FOLDER pins, into TOOLS_DIR/NAME.
install_node() {
    if [ -e "$tools/$2/node_modules" ] && cmp -s "$1/package-lock.json" "$tools/$2/package-lock.json"; then
        say "the $3 on node is here"
    elif command -v npm >/dev/null; then
        say "installing the $3 on node"
        mkdir -p "$tools/$2"
        cp "$1/package.json" "$1/package-lock.json" "$tools/$2/"
        (cd "$tools/$2" && npm ci --ignore-scripts --omit=optional --no-audit --no-fund) >"$tools/$2.log" 2>&1 ||
            say "no $3 on node: its packages cannot be installed ($tools/$2.log)"
    else
        say "no $3 on node: install Node.js with npm to run its tests"
    fi
}

PATH="$PATH:/usr/sbin"
install_package mosquitto "command -v mosquitto" "the tests of the broker"
install_package libmodbus-dev "test -e /usr/include/modbus/modbus.h" "a Modbus peer that is not ours"
install_package chromium "command -v chromium" "the tests of the console in a browser"
install_package fonts-noto-cjk "fc-list :lang=zh | grep -q ." "pictures with Chinese in them"
install_influxd
install_node "$here/node_smpp" node_smpp "SMS centre"
install_node "$here/node_modbus" node_modbus "Modbus server"
install_node "$here/../../dashboards/console" console "examiner of pages"
exit 0
