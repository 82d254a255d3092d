#!/usr/bin/env bash
# Sees to it that Java 17 or newer and Maven are there. On Debian and Ubuntu
# root gets them installed; everybody else gets a sentence that says what is missing.
set -euo pipefail

oldest_java=17

java_major() {
	local version
	version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1) || true
	echo "${version:-0}"
}

have_java() { command -v java >/dev/null && (($(java_major) >= oldest_java)); }
have_maven() { command -v mvn >/dev/null; }

apt_install() {
	echo "install $* with apt-get" >&2
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2 </dev/null
}

can_install() { [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; }

if have_java && have_maven; then
	exit 0
fi

if can_install; then
	apt-get update >&2 </dev/null
	# The default Java of some releases is older than 17, the newest releases have no 17.
	have_java || apt_install openjdk-17-jre-headless || apt_install default-jre-headless
	have_maven || apt_install maven
fi

if ! have_java; then
	echo "Kafka needs Java $oldest_java or newer, and 'java' on the PATH is $(command -v java >/dev/null && echo "version $(java_major)" || echo missing): install a JRE, e.g. openjdk-17-jre-headless." >&2
	exit 1
fi
if ! have_maven; then
	echo "Maven fetches the Kafka broker, and 'mvn' is not on the PATH: install the package maven." >&2
	exit 1
fi
