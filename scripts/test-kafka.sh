#!/usr/bin/env bash
# Runs the tests that carry the build tag kafka against a Kafka of their own: a
# fresh node on free ports, stopped and removed afterwards.
#
# Variables:
#   PKG   packages to test, defaults to all that have such tests
#   RUN   pattern of the tests to run, as of go test -run, defaults to all
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages_with_kafka_tests() {
	{ grep -rl --include='*_test.go' --exclude-dir=.cache --exclude-dir=benchmarks '^//go:build kafka' . || true; } |
		xargs -r -n1 dirname | sort -u
}

packages=${PKG:-$(packages_with_kafka_tests)}
if [[ -z $packages ]]; then
	echo "test-kafka.sh: no test carries the build tag kafka: there is nothing to run, and that is wrong." >&2
	exit 1
fi

# What an earlier run left that could not clean up behind itself.
for left in .cache/kafka/run/test.*; do
	owner=${left##*/test.} owner=${owner%-*}
	if [[ -d $left ]] && ! kill -0 "$owner" 2>/dev/null; then
		PENSTOCK_KAFKA_NAME=test.$owner scripts/kafka.sh stop
		rm -rf "$left"
	fi
done

# free_port prints a port that is free, and whose controller port is free too. It
# looks at a random place below the ports that clients get, so that two runs at a
# time are unlikely to meet; kafka.sh fails with a clear sentence if they do.
free_port() {
	local port
	while port=$((20000 + RANDOM % 10000)); do
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null &&
			! (exec 3<>"/dev/tcp/127.0.0.1/$((port + 100))") 2>/dev/null; then
			echo "$port"
			return
		fi
	done
}

export NODES=1 PENSTOCK_KAFKA_NAME=test.$$ PENSTOCK_KAFKA_PORT
PENSTOCK_KAFKA_PORT=$(free_port)
run=.cache/kafka/run/$PENSTOCK_KAFKA_NAME-$NODES

clean_up() {
	local status=$?
	scripts/kafka.sh stop
	if ((status == 0)); then
		rm -rf "$run"
	else
		echo "test-kafka.sh: failed; the broker's log is in $run/node-1/server.log until the next run" >&2
	fi
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

scripts/kafka.sh start
export PENSTOCK_TEST_BROKERS=127.0.0.1:$PENSTOCK_KAFKA_PORT
export PENSTOCK_TEST_CLUSTER_ID PENSTOCK_TEST_KAFKA_VERSION=$KAFKA_VERSION
PENSTOCK_TEST_CLUSTER_ID=$(cat "$run/cluster-id")
export PENSTOCK_TEST_RESTART_COMMAND="$PWD/scripts/kafka.sh restart"

# One package after the other: they share the broker, and a test may restart it.
# shellcheck disable=SC2086 # PKG may name several packages
go test -race -tags kafka -count=1 -timeout 20m -p 1 ${RUN:+-run "$RUN"} $packages
