#!/usr/bin/env bash
# Builds golangci-lint once, into .cache/bin under a name with its version, and
# prints its path. Nothing is installed outside the clone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${GOLANGCI_LINT_VERSION:?is not set: use make, which pins the versions}
tool=$PWD/.cache/bin/golangci-lint-$version

if [[ ! -x $tool ]]; then
	mkdir -p .cache/bin
	built=$(mktemp -d "$PWD/.cache/bin/build.XXXXXX")
	trap 'rm -rf "$built"' EXIT
	echo "build golangci-lint $version into .cache/bin (once, a few minutes)" >&2
	GOBIN=$built go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version"
	mv "$built/golangci-lint" "$tool"
fi
echo "$tool"
