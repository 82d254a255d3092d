#!/usr/bin/env bash
# Runs Apicurio Registry on this machine, without a container. It keeps schemas in
# memory: they are gone when it stops.
#
#   apicurio.sh launch   start it, and return at once
#   apicurio.sh await    wait until it answers
#   apicurio.sh stop     stop it
#
# Variables:
#   PENSTOCK_APICURIO_RUN   folder for its log and its pid, defaults to
#                           .cache/apicurio/run/dev
#   PENSTOCK_APICURIO_PORT  its port, defaults to 18081
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

run=${PENSTOCK_APICURIO_RUN:-$PWD/.cache/apicurio/run/dev}
port=${PENSTOCK_APICURIO_PORT:-18081}

start_deadline=120 # seconds until it must answer
stop_deadline=20   # seconds after which one that ignores SIGTERM is killed

fail() {
	echo "apicurio.sh: $*" >&2
	exit 1
}

# running: is the pid of this folder that of a registry? It may be another
# process's by now: its command line tells.
running() {
	local pid command
	pid=$(cat "$run/pid" 2>/dev/null) || return 1
	command=$({ tr '\0' ' ' <"/proc/$pid/cmdline" || ps -ww -o command= -p "$pid"; } 2>/dev/null) || return 1
	[[ $command == *"-Dpenstock.run=$run "* ]]
}

# answers: is there somebody who says 200?
answers() {
	local status
	exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
	printf 'GET /apis/ccompat/v7/subjects HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
	read -r -t 5 -u 3 status
	exec 3>&-
	[[ $status == *" 200 "* ]]
} 2>/dev/null

# The newest release wants a newer Java than some systems have.
version() {
	local java
	java=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
	if ((java >= 21)); then
		echo "${APICURIO_VERSION:?is not set: use make, which pins the versions}"
	else
		echo "${APICURIO_JAVA17_VERSION:?is not set: use make, which pins the versions}"
	fi
}

launch() {
	local app jar
	running && return
	scripts/java.sh
	if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
		fail "port $port of 127.0.0.1 is taken: choose another one with PENSTOCK_APICURIO_PORT=<port>."
	fi
	app=$(scripts/apicurio-download.sh "$(version)")
	jar=$app/quarkus-run.jar
	[[ -f $jar ]] || jar=$(ls "$app"/*-runner.jar)
	mkdir -p "$run"
	# The second address, for health and metrics, is not used: on a port of the
	# system's choice it is in nobody's way.
	QUARKUS_HTTP_HOST=127.0.0.1 QUARKUS_HTTP_PORT=$port \
		QUARKUS_MANAGEMENT_HOST=127.0.0.1 QUARKUS_MANAGEMENT_PORT=0 nohup \
		java -Xmx256m -XX:TieredStopAtLevel=1 "-Dpenstock.run=$run" -jar "$jar" >"$run/registry.log" 2>&1 </dev/null &
	echo $! >"$run/pid"
	# Until the new process has become Java it has another command line.
	SECONDS=0
	until running || ((SECONDS > 5)); do sleep 0.05; done
}

await() {
	SECONDS=0
	until (answers); do
		if ! running || ((SECONDS > start_deadline)); then
			tail -n 40 "$run/registry.log" >&2
			fail "Apicurio Registry ended at the start, or does not answer after $start_deadline s; above is the end of its log, $run/registry.log."
		fi
		sleep 0.2
	done
	echo "Apicurio Registry runs. Use it with: http://127.0.0.1:$port/apis/ccompat/v7"
}

stop() {
	running || return 0
	kill -TERM "$(cat "$run/pid")"
	SECONDS=0
	while running; do
		((SECONDS < stop_deadline)) || kill -KILL "$(cat "$run/pid")" 2>/dev/null || true
		sleep 0.1
	done
	rm -f "$run/pid"
	echo "stopped $run"
}

case ${1:-} in
launch | await | stop) "$1" ;;
*) fail "say launch, await or stop" ;;
esac
