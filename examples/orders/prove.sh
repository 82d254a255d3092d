#!/usr/bin/env bash
# Posts orders over HTTP to the example, on a real Kafka, an Apicurio Registry and a
# PostgreSQL, with a process for the source and each stage, and kills each of these with
# SIGKILL, again and again, meanwhile. It ends with one line, and fails unless each order
# that was answered with 202 is in the database once and in order, and the lines in Kafka
# have the id of a schema that the registry has.
#
# Variables:
#   ORDERS       how many orders to post, defaults to 10000
#   KILLS        how often each process is killed, defaults to 3
#   PAUSE        seconds before each kill, defaults to 5; the load lasts for all of them
#   CUSTOMERS    how many customers the orders are of, defaults to 2000
#   PORT         the first of the ports of 127.0.0.1 that are used, defaults to 27100
#
# What it starts, it stops; logs stay in out/prove.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

orders=${ORDERS:-10000} kills=${KILLS:-3} pause=${PAUSE:-5} customers=${CUSTOMERS:-2000} port=${PORT:-27100}
processes=(placed validate split price route courier store)
out=$PWD/out/prove
declare -A pid=() killed=()

# The versions that the Makefile pins.
eval "$(sed -n 's/^\(export [A-Z0-9_]*\) := \([^ ]*\)$/\1=\2/p' Makefile)"
export NODES=1 PENSTOCK_KAFKA_NAME=prove.$$ PENSTOCK_KAFKA_PORT=$port
export PENSTOCK_APICURIO_RUN=$PWD/.cache/apicurio/run/prove.$$ PENSTOCK_APICURIO_PORT=$((port + 3))
export PENSTOCK_BROKERS=127.0.0.1:$port PENSTOCK_REGISTRY=http://127.0.0.1:$((port + 3))/apis/ccompat/v7
folder=$(mktemp -d /tmp/prove.XXXXXX)
chmod 755 "$folder" # PostgreSQL may run as somebody else
export PENSTOCK_DATABASE=postgres://postgres@127.0.0.1:$((port + 1))/postgres

clean_up() {
	local status=$? p
	trap - EXIT
	for p in "${pid[@]}"; do kill -TERM "$p" 2>/dev/null || true; done
	wait
	scripts/kafka.sh stop >&2
	rm -rf ".cache/kafka/run/prove.$$-1"
	scripts/apicurio.sh stop >&2
	rm -rf "$PENSTOCK_APICURIO_RUN"
	[[ ! -e $folder/postgres ]] || scripts/postgres.sh stop "$folder/postgres" >&2
	rm -rf "$folder"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# launch NAME: start the process of a stage, or of the source.
launch() {
	local what=--stage
	[[ $1 != placed ]] || what=--source
	bin/orders run "$what" "$1" --http "127.0.0.1:$((port + 2))" --session-timeout 3s \
		--price-takes 300ms --price-late 5s \
		>>"$out/$1.log" 2>&1 &
	pid[$1]=$!
}

# end NAME: as a crash of the machine, or an operator in a hurry, would.
end() {
	kill -KILL "${pid[$1]}"
	wait "${pid[$1]}" 2>/dev/null || true
	killed[$1]=$((${killed[$1]:-0} + 1))
}

sql() { psql -X -q -At "$PENSTOCK_DATABASE" "$@"; }

rm -rf "$out"
mkdir -p "$out"
go build -o bin/ ./examples/orders ./cmd/penstock
scripts/apicurio.sh launch >&2 # it starts while the others do
scripts/kafka.sh start >&2
scripts/postgres.sh start "$folder/postgres" $((port + 1)) >&2
sql -f examples/orders/tables.sql
bin/orders topics apply >"$out/topics.log"
scripts/apicurio.sh await >&2
bin/orders schemas register >"$out/schemas.log"

for name in "${processes[@]}"; do launch "$name"; done
SECONDS=0
bin/orders load --orders "$orders" --customers "$customers" --connections 256 \
	--rate $((orders / (pause * (kills * ${#processes[@]} + 1)) + 1)) \
	--to "http://127.0.0.1:$((port + 2))" >"$out/result" 2>"$out/load.log" &
load=$!
pid[load]=$load

# One kill after the other. Meanwhile orders come, and the stages have some at hand.
for ((round = 1; round <= kills; round++)); do
	for name in "${processes[@]}"; do
		sleep "$pause"
		kill -0 "$load" 2>/dev/null || {
			cat "$out/load.log" >&2
			echo "prove.sh: the load ended before all was killed" >&2
			exit 1
		}
		end "$name"
		echo "$SECONDS s: killed $name, with $(sql -c 'SELECT count(*) FROM lines') lines stored" >&2
		launch "$name"
	done
done

wait "$load" || {
	cat "$out/load.log" >&2
	exit 1
}
unset 'pid[load]'

# What is in Kafka says which schema it has, and another process reads it so.
bin/orders schemas check >"$out/schemas.log"
if grep -v -e '^TOPIC' -e ' registered ' "$out/schemas.log" >&2; then
	echo "prove.sh: the registry does not have these schemas" >&2
	exit 1
fi
bin/orders tail split --last 1 --json >"$out/lines"
bin/penstock tail orders.split --last 1 --json >"$out/raw"
if ! [[ -s $out/lines ]] || grep '"error"' "$out/lines" >&2 || grep -v -e '"text":"\\u0000\\u0000' -e '"bytes":"AAA' "$out/raw" >&2; then
	echo "prove.sh: these lines cannot be read by their schema" >&2
	exit 1
fi
echo "$(cat "$out/result"); rows=$(sql -c 'SELECT count(*) FROM lines') different=$(sql -c 'SELECT count(*) FROM (SELECT DISTINCT customer, number, line FROM lines) AS d');" \
	"SIGKILLs: $(for name in "${processes[@]}"; do printf '%s=%s ' "$name" "${killed[$name]}"; done)in $SECONDS s"
