#!/usr/bin/env bash
# Does a chaos run on a Kafka of its own: three fresh nodes on free ports, stopped
# and removed afterwards. It exits with 1 when a guarantee is broken.
#
# Variables:
#   MODE       what is tried, of these, separated by spaces; defaults to the first two:
#                at-least-once  workers and brokers are killed, closed and frozen, and
#                               connections are cut; what is repeated must be rewinds
#                exactly-once   the same, and nothing may be repeated
#                graceful       nobody is killed, and nothing may be repeated
#                parking        workers are killed while one attempt in seven fails,
#                               and what has failed is parked
#   SEED       decides on the faults and the load, defaults to a random number
#   KILLS      how many workers are killed, defaults to 10, and to 32 in mode parking;
#              the other faults go with it
#   ONLY       the kinds of faults that happen, separated by commas, such as
#              kill,"rolling restart"; defaults to all that the mode has
#   MESSAGES   how many messages there are at least, defaults to 200000, and to
#              60000 in mode graceful
#   RATE       how many messages a second are produced at most, defaults to 1600, and
#              to 500 in the modes graceful and parking
#   KEYS       how many keys the messages have, defaults to 1000, and to 200 in
#              mode parking
#   PROCESSES  how many processes each stage has, defaults to 2, and to 4 in mode
#              parking
#   SESSION    session time-out of the workers, such as 10s; defaults to 1.5s, and to
#              10s in mode graceful
#
# The logs and the producers' journal are kept in .cache/chaos/<seed>/<mode>. With
# the same seed the same faults happen again, at other moments of the machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seed=${SEED:-$RANDOM}
dir=$PWD/.cache/chaos/$seed
rm -rf "$dir"
mkdir -p "$dir"

# What an earlier run left that could not clean up behind itself.
for left in .cache/kafka/run/chaos.*; do
	name=${left##*/} name=${name%-*}
	if [[ -d $left ]] && ! kill -0 "${name#chaos.}" 2>/dev/null; then
		PENSTOCK_KAFKA_NAME=$name NODES=3 scripts/kafka.sh stop
		rm -rf "$left"
	fi
done

# free_ports prints the first of three ports that are free, and whose other
# ports are free too, at a random place below the ports that clients get.
free_ports() {
	local port offset
	while port=$((20000 + RANDOM % 10000)); do
		for offset in 0 1 2 100 101 102 400 401 402 500 501 502; do
			! (exec 3<>"/dev/tcp/127.0.0.1/$((port + offset))") 2>/dev/null || continue 2
		done
		echo "$port"
		return
	done
}

export NODES=3 CHAOS=on PENSTOCK_KAFKA_NAME=chaos.$$ PENSTOCK_KAFKA_PORT
PENSTOCK_KAFKA_PORT=$(free_ports)
run=.cache/kafka/run/$PENSTOCK_KAFKA_NAME-$NODES

clean_up() {
	local status=$? node
	scripts/kafka.sh stop >"$dir/kafka-stop.log"
	for node in 1 2 3; do
		cp "$run/node-$node/server.log" "$dir/kafka-$node.log" 2>/dev/null || true
	done
	rm -rf "$run"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

go build -o "$dir/bin/" ./internal/chaos/cmd/...
scripts/kafka.sh start >"$dir/kafka-start.log"
port=$PENSTOCK_KAFKA_PORT
brokers= links=
for node in 0 1 2; do
	brokers+=${brokers:+,}127.0.0.1:$((port + node))
	links+=${links:+,}127.0.0.1:$((port + 500 + node))=127.0.0.1:$((port + 400 + node))
done
echo "chaos: seed $seed, logs in .cache/chaos/$seed"
status=0
for mode in ${MODE:-at-least-once exactly-once}; do
	mkdir -p "$dir/$mode"
	"$dir/bin/chaos" -brokers "$brokers" -links "$links" -nodes "$PWD/scripts/kafka.sh node" \
		-mode "$mode" -pipeline "chaos-$mode" -worker "$dir/bin/worker" -dir "$dir/$mode" -seed "$seed" \
		${KILLS:+-kills "$KILLS"} ${ONLY:+-only "$ONLY"} ${MESSAGES:+-messages "$MESSAGES"} ${RATE:+-rate "$RATE"} \
		${KEYS:+-keys "$KEYS"} ${PROCESSES:+-processes "$PROCESSES"} ${SESSION:+-session "$SESSION"} || status=$?
done
exit "$status"
