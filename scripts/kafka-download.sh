#!/usr/bin/env bash
# Downloads the Kafka broker's jars once, into .cache/kafka/<version>, and
# prints that folder. It appears under its name only when it is whole.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${KAFKA_VERSION:?is not set: use make, which pins the versions}
log4j_version=${LOG4J_VERSION:?is not set: use make, which pins the versions}
dependency_plugin=${MAVEN_DEPENDENCY_PLUGIN_VERSION:?is not set: use make, which pins the versions}

jars=$PWD/.cache/kafka/$version
if [[ -d $jars ]]; then
	echo "$jars"
	exit 0
fi

mkdir -p .cache/kafka
fetched=$(mktemp -d "$PWD/.cache/kafka/download.XXXXXX")
trap 'rm -rf "$fetched"' EXIT

cat >"$fetched/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>penstock</groupId>
  <artifactId>broker</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>$version</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>$log4j_version</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-core</artifactId>
      <version>$log4j_version</version>
    </dependency>
  </dependencies>
</project>
POM

echo "download Kafka $version into .cache/kafka (once, about 50 MB)" >&2
if ! mvn -B -q -Dstyle.color=never -f "$fetched/pom.xml" \
	"org.apache.maven.plugins:maven-dependency-plugin:$dependency_plugin:copy-dependencies" \
	-DoutputDirectory="$fetched/jars" -DincludeScope=runtime >&2 </dev/null; then
	echo "Maven could not fetch Kafka $version: see its message above, and try again." >&2
	exit 1
fi

# A second download may have finished meanwhile: then its folder is as good.
[[ -d $jars ]] || mv "$fetched/jars" "$jars"
echo "$jars"
