#!/usr/bin/env bash
# Runs Apache Kafka on this machine, from its jars, without a container.
#
#   kafka.sh start     start the nodes and wait until they answer
#   kafka.sh stop      stop them; what they store is kept
#   kafka.sh restart   stop, then start
#   kafka.sh status    say what runs
#   kafka.sh node kill|stop|start ID
#                      end one node, at once or gracefully, or start it again: what
#                      becomes of the others is up to the caller
#
# Variables:
#   NODES                 1 or 3, defaults to 1
#   SECURITY              on: clients can also connect by TLS, need rights then, and find
#                         certificates and the password in secrets of the cluster's folder
#   CHAOS                 on: clients can also connect through links that can be cut;
#                         kafka-properties.sh says where
#   PENSTOCK_KAFKA_PORT   port of the first node, defaults to 19092; the other nodes'
#                         follow it, the controllers' are 100 higher
#   PENSTOCK_KAFKA_NAME   name of the cluster, defaults to dev; its data, logs and pids
#                         are in .cache/kafka/run/<name>-<nodes>
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

name=${PENSTOCK_KAFKA_NAME:-dev}
nodes=${NODES:-1}
security=${SECURITY:-off}
port=${PENSTOCK_KAFKA_PORT:-19092}
run=$PWD/.cache/kafka/run/$name-$nodes
# Three nodes share the machine with all that uses them, for minutes: what the slow
# compiler costs then is more than what its code saves.
jvm=()
[[ $nodes == 1 ]] || jvm=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC)
secrets= # the folder with the certificates and the password
[[ $security == off ]] || secrets=$run/secrets

start_deadline=90 # seconds until every node must answer
stop_deadline=20  # seconds after which a node that ignores SIGTERM is killed

fail() {
	echo "kafka.sh: $*" >&2
	exit 1
}

# running DIR: does the node of this folder run? A pid file may outlive its
# process, and the pid may be another process's by then: its command line tells.
running() {
	local pid command
	pid=$(cat "$1/pid" 2>/dev/null) || return 1
	command=$({ tr '\0' ' ' <"/proc/$pid/cmdline" || ps -ww -o command= -p "$pid"; } 2>/dev/null) || return 1
	[[ $command == *"kafka.Kafka $1/server.properties"* ]]
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

brokers() {
	sed -n 's|^advertised.listeners=PLAINTEXT://\([^,]*\).*|\1|p' "$run"/node-*/server.properties | paste -sd, -
}

check_ports() {
	local offset node listeners=(0 100)
	[[ -z $secrets ]] || listeners+=(200 300)
	[[ ${CHAOS:-off} == off ]] || listeners+=(400 500)
	for ((node = 0; node < nodes; node++)); do
		for offset in "${listeners[@]}"; do
			taken=$((port + offset + node))
			if listening "$taken"; then
				fail "port $taken of 127.0.0.1 is taken, by another clone's Kafka perhaps: stop it, or choose other ports with PENSTOCK_KAFKA_PORT=<first port>."
			fi
		done
	done
}

format_node() {
	local dir=$1 credentials=()
	[[ -f $dir/data/meta.properties ]] && return
	if [[ $secrets ]]; then
		for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do
			credentials+=(--add-scram "$mechanism=[name=client,password=$(<"$secrets/password")]")
		done
	fi
	java -cp "$jars/*" kafka.tools.StorageTool format ${credentials[@]+"${credentials[@]}"} \
		--cluster-id "$(cat "$run/cluster-id")" --config "$dir/server.properties" >"$dir/format.log" 2>&1 ||
		fail "formatting $dir failed: $(tail -n 5 "$dir/format.log")"
}

start_node() {
	local dir=$1
	nohup java ${jvm[@]+"${jvm[@]}"} -Xms128m -Xmx512m -Dlog4j2.configurationFile="$PWD/scripts/kafka-log4j2.properties" \
		-cp "$jars/*" kafka.Kafka "$dir/server.properties" >>"$dir/server.log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
}

# Waits for an answer to a request, not for an open port: the cluster with our id
# knows all its nodes and can coordinate a group.
await_nodes() {
	local dir
	SECONDS=0
	until go run ./internal/kafkatest/kafkaready -brokers "$(brokers)" \
		-cluster-id "$(cat "$run/cluster-id")" -nodes "$nodes" -timeout 3s 2>"$run/ready.log"; do
		for dir in "$run"/node-*; do
			running "$dir" || give_up "$dir" "ended at the start"
			((SECONDS < start_deadline)) || give_up "$dir" "is not ready after $start_deadline s"
		done
	done
}

# give_up DIR WHY: shows what there is to know about a node that does not start.
give_up() {
	tail -n 40 "$1/server.log" >&2
	cat "$run/ready.log" >&2
	fail "Kafka $2; above are the end of its log, $1/server.log, and the last answer."
}

start() {
	[[ $nodes == 1 || $nodes == 3 ]] || fail "NODES is '$nodes': it can be 1 or 3."
	[[ $security == on || $security == off ]] || fail "SECURITY is '$security': it can be on or off."
	if running "$run/node-1"; then
		echo "Kafka runs already. Use it with: --brokers $(brokers)"
		return
	fi
	check_ports
	scripts/java.sh
	jars=$(scripts/kafka-download.sh)

	mkdir -p "$run"
	[[ -s $run/cluster-id ]] || java -cp "$jars/*" kafka.tools.StorageTool random-uuid >"$run/cluster-id" 2>/dev/null
	[[ -z $secrets || -d $secrets ]] || go run ./internal/kafkatest/kafkasecrets -dir "$secrets"
	trap stop EXIT # unless all of it succeeds
	local id dir
	for ((id = 1; id <= nodes; id++)); do
		dir=$run/node-$id
		mkdir -p "$dir"
		scripts/kafka-properties.sh "$id" "$nodes" "$port" "$dir/data" "$secrets" >"$dir/server.properties"
		format_node "$dir"
		start_node "$dir"
	done
	await_nodes
	trap - EXIT
	echo "Kafka $KAFKA_VERSION runs with $nodes node(s). Use it with: --brokers $(brokers)"
}

# Stops the nodes of the named cluster, however many it has: all are asked
# first, since a controller without its quorum takes long to go.
stop() {
	local dir asked=()
	for dir in "$PWD/.cache/kafka/run/$name"-[13]/node-*; do
		if running "$dir"; then
			kill -TERM "$(cat "$dir/pid")" && asked+=("$dir")
		fi
	done
	SECONDS=0
	for dir in ${asked[@]+"${asked[@]}"}; do
		while running "$dir"; do
			((SECONDS < stop_deadline)) || kill -KILL "$(cat "$dir/pid")" 2>/dev/null || true
			sleep 0.1
		done
		rm -f "$dir/pid"
		echo "stopped $dir"
	done
}

node() {
	local dir=$run/node-${2:-} signal
	[[ -d $dir ]] || fail "the cluster has no node '${2:-}'."
	case ${1:-} in
	start)
		running "$dir" && return
		jars=$(scripts/kafka-download.sh)
		start_node "$dir"
		return
		;;
	kill) signal=KILL ;;
	stop) signal=TERM ;;
	*) fail "say node kill, stop or start." ;;
	esac
	kill "-$signal" "$(cat "$dir/pid")"
	SECONDS=0
	while running "$dir"; do
		((SECONDS < stop_deadline)) || fail "$dir is still there."
		sleep 0.1
	done
}

status() {
	local dir found=
	for dir in .cache/kafka/run/*/node-*; do
		if [[ -d $dir ]] && running "$PWD/$dir"; then
			found=yes
			echo "$dir runs: pid $(cat "$dir/pid"), $(sed -n 's/^listeners=//p' "$dir/server.properties")"
		fi
	done
	[[ $found ]] || echo "no Kafka of this clone runs"
}

case ${1:-} in
start | stop | status) "$1" ;;
node) node "${@:2}" ;;
restart)
	stop
	start
	;;
*) fail "say start, stop, restart, status or node" ;;
esac
