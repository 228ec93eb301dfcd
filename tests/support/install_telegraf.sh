#!/usr/bin/env bash
# Build a small Telegraf for `make bench` to measure beside: only what goes from MQTT to InfluxDB is in it.
#   bash tests/support/install_telegraf.sh TOOLS_DIR
# Nothing else needs it. Safe to repeat.
set -eu
tools=${1:?usage: install_telegraf.sh TOOLS_DIR}
mkdir -p "$tools/bin"
tools=$(cd "$tools" && pwd)
parts=custom,inputs.mqtt_consumer,outputs.influxdb,outputs.influxdb_v2,parsers.influx,serializers.influx

command -v go >/dev/null || { echo "telegraf: install Go to build it, or put telegraf into $tools/bin"; exit 2; }
[ -x "$tools/bin/telegraf" ] && { echo "telegraf: is here"; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init telegraf_build
go get github.com/influxdata/telegraf/cmd/telegraf@latest
go build -tags "$parts" -o "$tools/bin/telegraf" github.com/influxdata/telegraf/cmd/telegraf
