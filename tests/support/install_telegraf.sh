#!/usr/bin/env bash
# Build a small Telegraf for `make bench` to measure beside: from MQTT to InfluxDB, and from Modbus to MQTT.
#   bash tests/support/install_telegraf.sh TOOLS_DIR
# Nothing else needs it. Safe to repeat.
set -eu
tools=${1:?usage: install_telegraf.sh TOOLS_DIR}
mkdir -p "$tools/bin"
tools=$(cd "$tools" && pwd)
version=v1.37.2
parts=custom,inputs.mqtt_consumer,inputs.modbus,outputs.influxdb,outputs.influxdb_v2,outputs.mqtt
parts=$parts,parsers.influx,serializers.influx

command -v go >/dev/null || { echo "telegraf: install Go to build it, or put telegraf into $tools/bin"; exit 2; }
[ "$(cat "$tools/telegraf.parts" 2>/dev/null)" = "$version $parts" ] && { echo "telegraf: is here"; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init telegraf_build
go get github.com/influxdata/telegraf/cmd/telegraf@$version
go build -tags "$parts" -o "$tools/bin/telegraf" github.com/influxdata/telegraf/cmd/telegraf
echo "$version $parts" >"$tools/telegraf.parts"
