#!/usr/bin/env bash
# Runs the tests that carry the build tag kafka against Kafkas of their own: a
# fresh node that is open to all, and one with TLS, SASL and ACLs, an Apicurio
# Registry and a PostgreSQL, on free ports, stopped and removed afterwards.
#
# Variables:
#   PKG   packages to test, defaults to all that have such tests
#   RUN   pattern of the tests to run, as of go test -run, defaults to all
#   BENCH pattern of benchmarks to run, once each and instead of tests, without the
#         race detector; defaults to none
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
	name=${left##*/} name=${name%-*}  # test.<pid> or test.<pid>.secure
	owner=${name#test.} owner=${owner%.secure}
	if [[ -d $left ]] && ! kill -0 "$owner" 2>/dev/null; then
		PENSTOCK_KAFKA_NAME=$name scripts/kafka.sh stop
		rm -rf "$left"
	fi
done
for left in .cache/apicurio/run/test.*; do
	owner=${left##*/test.}
	if [[ -d $left ]] && ! kill -0 "$owner" 2>/dev/null; then
		PENSTOCK_APICURIO_RUN=$PWD/$left scripts/apicurio.sh stop
		rm -rf "$left"
	fi
done

for left in "${TMPDIR:-/tmp}"/penstock-postgres.*; do
	if [[ -f $left/port ]] && ! kill -0 "${left##*.}" 2>/dev/null; then
		scripts/postgres.sh stop "$left"
	fi
done

# free_port prints a port that is free, as are all others that the nodes and the
# registry need.
# It looks at a random place below the ports that clients get, so that two runs at
# a time are unlikely to meet; kafka.sh fails with a clear sentence if they do.
free_port() {
	local port offset
	while port=$((20000 + RANDOM % 10000)); do
		for offset in 0 100 400 500 10 110 210 310 20 30; do
			! (exec 3<>"/dev/tcp/127.0.0.1/$((port + offset))") 2>/dev/null || continue 2
		done
		echo "$port"
		return
	done
}

export NODES=1 PENSTOCK_KAFKA_NAME=test.$$ PENSTOCK_KAFKA_PORT
PENSTOCK_KAFKA_PORT=$(free_port)
run=.cache/kafka/run/$PENSTOCK_KAFKA_NAME-$NODES

secure_port=$((PENSTOCK_KAFKA_PORT + 10))
secure_run=.cache/kafka/run/$PENSTOCK_KAFKA_NAME.secure-$NODES
secure_kafka="env SECURITY=on PENSTOCK_KAFKA_NAME=$PENSTOCK_KAFKA_NAME.secure PENSTOCK_KAFKA_PORT=$secure_port $PWD/scripts/kafka.sh"

export PENSTOCK_APICURIO_RUN=$PWD/.cache/apicurio/run/test.$$
export PENSTOCK_APICURIO_PORT=$((PENSTOCK_KAFKA_PORT + 20))

# Below the folder for temporary files, which everybody may enter: root's PostgreSQL
# runs as nobody.
postgres=${TMPDIR:-/tmp}/penstock-postgres.$$
postgres_port=$((PENSTOCK_KAFKA_PORT + 30))

clean_up() {
	local status=$?
	scripts/postgres.sh stop "$postgres"
	scripts/kafka.sh stop
	$secure_kafka stop
	scripts/apicurio.sh stop
	if ((status == 0)); then
		rm -rf "$run" "$secure_run" "$PENSTOCK_APICURIO_RUN"
	else
		echo "test-kafka.sh: failed; the logs are $run/node-1/server.log, $secure_run/node-1/server.log and $PENSTOCK_APICURIO_RUN/registry.log until the next run" >&2
	fi
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

scripts/apicurio.sh launch # it starts while the brokers do
CHAOS=on scripts/kafka.sh start
export PENSTOCK_TEST_LINKS=127.0.0.1:$((PENSTOCK_KAFKA_PORT + 500))=127.0.0.1:$((PENSTOCK_KAFKA_PORT + 400))
export PENSTOCK_TEST_BROKERS=127.0.0.1:$PENSTOCK_KAFKA_PORT
export PENSTOCK_TEST_CLUSTER_ID PENSTOCK_TEST_KAFKA_VERSION=$KAFKA_VERSION
PENSTOCK_TEST_CLUSTER_ID=$(cat "$run/cluster-id")
export PENSTOCK_TEST_RESTART_COMMAND="env CHAOS=on $PWD/scripts/kafka.sh restart"

$secure_kafka start
export PENSTOCK_TEST_SECURE_BROKERS=127.0.0.1:$secure_port
export PENSTOCK_TEST_SECURE_SASL_BROKERS=127.0.0.1:$((secure_port + 200))
export PENSTOCK_TEST_SECURE_TLS_BROKERS=127.0.0.1:$((secure_port + 300))
export PENSTOCK_TEST_SECURE_SECRETS=$PWD/$secure_run/secrets
export PENSTOCK_TEST_SECURE_CLUSTER_ID
PENSTOCK_TEST_SECURE_CLUSTER_ID=$(cat "$secure_run/cluster-id")
export PENSTOCK_TEST_SECURE_RESTART_COMMAND="$secure_kafka restart"

scripts/apicurio.sh await
export PENSTOCK_TEST_REGISTRY=http://127.0.0.1:$PENSTOCK_APICURIO_PORT/apis/ccompat/v7

scripts/postgres.sh start "$postgres" "$postgres_port"
export PENSTOCK_TEST_POSTGRES="postgres://postgres@127.0.0.1:$postgres_port/postgres?sslmode=disable"
export PENSTOCK_TEST_POSTGRES_RESTART_COMMAND="$PWD/scripts/postgres.sh restart $postgres"

if [[ -n ${BENCH:-} ]]; then
	# shellcheck disable=SC2086 # as below
	go test -tags kafka -count=1 -timeout 30m -p 1 -run '^$' -bench "$BENCH" -benchtime 1x $packages
	exit
fi

# One package after the other: they share the broker, and a test may restart it.
# shellcheck disable=SC2086 # PKG may name several packages
go test -race -tags kafka -count=1 -timeout 20m -p 1 ${RUN:+-run "$RUN"} $packages
