#!/usr/bin/env bash
# Downloads Apicurio Registry once, into .cache/apicurio/<version>, and prints that
# folder. It appears under its name only when it is whole.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${1:?say which version}
dependency_plugin=${MAVEN_DEPENDENCY_PLUGIN_VERSION:?is not set: use make, which pins the versions}

app=$PWD/.cache/apicurio/$version
if [[ -d $app ]]; then
	echo "$app"
	exit 0
fi

mkdir -p .cache/apicurio
fetched=$(mktemp -d "$PWD/.cache/apicurio/download.XXXXXX")
trap 'rm -rf "$fetched"' EXIT

echo "download Apicurio Registry $version into .cache/apicurio (once, about 150 MB)" >&2
if ! mvn -B -q -Dstyle.color=never \
	"org.apache.maven.plugins:maven-dependency-plugin:$dependency_plugin:copy" \
	-Dartifact="io.apicurio:apicurio-registry-app:$version:tar.gz:all" \
	-DoutputDirectory="$fetched" >&2 </dev/null; then
	echo "Maven could not fetch Apicurio Registry $version: see its message above, and try again." >&2
	exit 1
fi
mkdir "$fetched/app"
tar -xzf "$fetched"/*.tar.gz -C "$fetched/app"

# A second download may have finished meanwhile: then its folder is as good.
[[ -d $app ]] || mv "$fetched/app" "$app"
echo "$app"
