#!/usr/bin/env bash
# Runs every fuzz target for a while, one after the other.
#
#   scripts/fuzz.sh [duration of each, 10s unless told]
set -euo pipefail
cd "$(dirname "$0")/.."

each=${1:-10s}
ran=0
for package in $(go list ./...); do
    for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
        echo "== $package $target"
        # Few tries to shorten an input: where a run differs from the last one, as with
        # goroutines, all the time would go into it.
        go test -run '^$' -fuzz "^$target\$" -fuzztime "$each" -fuzzminimizetime 50x -timeout 30m "$package"
        ran=$((ran + 1))
    done
done
if ((ran == 0)); then
    echo 'fuzz: found no fuzz target' >&2
    exit 1
fi
echo "$ran targets, $each each"
