#!/usr/bin/env bash
# Runs a PostgreSQL on this machine for tests, without a container: a fresh
# database in a folder of its own.
#
#   postgres.sh start DIR PORT   make the folder, start, and wait until it answers
#   postgres.sh restart DIR      stop at once, as a crash does, and start again
#   postgres.sh stop DIR         stop, and remove the folder
#
# The binaries come from Maven Central once, into .cache/postgres/<version>. Started
# by root it runs as nobody, because PostgreSQL refuses to run as root. It listens
# on 127.0.0.1 only, lets everybody in there, and does not sync to the disk.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

deadline=60 # seconds until it must answer, or be gone

fail() {
	echo "postgres.sh: $*" >&2
	exit 1
}

platform() {
	local system machine
	system=$(uname -s) machine=$(uname -m)
	case $system-$machine in
	Linux-x86_64) echo linux-amd64 ;;
	Linux-aarch64) echo linux-arm64v8 ;;
	Darwin-x86_64) echo darwin-amd64 ;;
	Darwin-arm64) echo darwin-arm64v8 ;;
	*) fail "there are no binaries for $system on $machine" ;;
	esac
}

# download prints the archive with the binaries. It appears under its name only
# when it is whole.
download() {
	local version=${POSTGRES_VERSION:?is not set: use make, which pins the versions}
	local plugin=${MAVEN_DEPENDENCY_PLUGIN_VERSION:?is not set: use make, which pins the versions}
	local archive=$PWD/.cache/postgres/$version.txz fetched
	if [[ ! -f $archive ]]; then
		scripts/java.sh
		mkdir -p .cache/postgres
		fetched=$(mktemp -d "$PWD/.cache/postgres/download.XXXXXX")
		cat >"$fetched/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>penstock</groupId>
  <artifactId>postgres</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.zonky.test.postgres</groupId>
      <artifactId>embedded-postgres-binaries-$(platform)</artifactId>
      <version>$version</version>
    </dependency>
  </dependencies>
</project>
POM
		echo "download PostgreSQL $version into .cache/postgres (once, about 15 MB)" >&2
		mvn -B -q -Dstyle.color=never -f "$fetched/pom.xml" \
			"org.apache.maven.plugins:maven-dependency-plugin:$plugin:unpack-dependencies" \
			-DoutputDirectory="$fetched/out" >&2 </dev/null ||
			fail "Maven could not fetch PostgreSQL $version: see its message above, and try again."
		mv "$fetched"/out/*.txz "$archive"
		rm -rf "$fetched"
	fi
	echo "$archive"
}

# unpack FOLDER: tar leaves xz to a program that a bare machine may lack.
unpack() {
	if ! command -v xz >/dev/null && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends xz-utils >&2 </dev/null
	fi
	tar -xJf "$1" -C "$2" || fail "cannot unpack $1: tar needs xz for it, the package xz-utils"
}

# unprivileged COMMAND…: run it as somebody else than root.
unprivileged() {
	if [[ $(id -u) == 0 ]]; then
		setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups -- "$@"
	else
		"$@"
	fi
}

running() {
	local pid
	pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null
}

launch() {
	local dir=$1 port
	port=$(cat "$dir/port")
	# All of it is redirected: who reads our output does not wait for the server.
	(
		cd "$dir"
		unprivileged bin/postgres -D "$dir/data" -p "$port" \
			-c listen_addresses=127.0.0.1 -c unix_socket_directories="$dir" -c fsync=off
	) >>"$dir/server.log" 2>&1 </dev/null &
	SECONDS=0
	until grep -q '^ready' "$dir/data/postmaster.pid" 2>/dev/null; do
		((SECONDS < deadline)) || {
			tail -n 20 "$dir/server.log" >&2
			fail "PostgreSQL is not ready after $deadline s; above is the end of its log, $dir/server.log"
		}
		sleep 0.1
	done
}

start() {
	local dir=$1 port=$2 archive
	[[ ! -e $dir ]] || fail "$dir is there already: stop what it belongs to, or name another folder"
	archive=$(download)
	mkdir -p "$dir"
	echo "$port" >"$dir/port"
	trap 'stop "$dir"' EXIT # unless all of it succeeds
	unpack "$archive" "$dir"
	[[ $(id -u) != 0 ]] || chown nobody "$dir"
	(cd "$dir" && unprivileged bin/initdb -D "$dir/data" -U postgres --auth=trust -E UTF8 --no-sync >"$dir/initdb.log" 2>&1) ||
		fail "initdb failed: $(tail -n 5 "$dir/initdb.log")"
	: >"$dir/server.log"
	launch "$dir"
	trap - EXIT
	echo "PostgreSQL $POSTGRES_VERSION runs. Use it with: postgres://postgres@127.0.0.1:$port/postgres"
}

# halt DIR SIGNAL: INT ends the sessions, QUIT is a crash.
halt() {
	running "$1" || return 0
	kill -"$2" "$(head -n 1 "$1/data/postmaster.pid")"
	SECONDS=0
	while running "$1"; do
		((SECONDS < deadline)) || fail "PostgreSQL in $1 does not stop"
		sleep 0.05
	done
}

stop() {
	[[ -e $1 ]] || return 0
	[[ -f $1/port ]] || fail "$1 is no folder that start has made"
	halt "$1" INT
	rm -rf "$1"
}

command=${1:-} dir=${2:-}
[[ -n $dir && $dir == /* ]] || fail "say start, restart or stop, and an absolute path of a folder that everybody may enter, below /tmp for example"
case $command in
start) start "$dir" "${3:?give a port}" ;;
restart)
	halt "$dir" QUIT
	rm -f "$dir/data/postmaster.pid" # a crash may leave it behind
	launch "$dir"
	;;
stop) stop "$dir" ;;
*) fail "say start, restart or stop" ;;
esac
