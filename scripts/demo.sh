#!/usr/bin/env bash
# The main job, end to end and without an account: evaluates the environment
# dev, plans it, brings the embedded emulator to it, and plans again, which
# must find nothing to do. Leaves nothing behind.
#
#   make demo
set -euo pipefail
cd "$(dirname "$0")/.."

# Only what is said here counts, not what the caller's shell is set up for.
for name in $(compgen -v DESCOPE_); do unset "$name"; done

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
export DESCOPE_STATE_DIR=$state
export PATH=$PWD/bin:$PATH

run() {
    printf '\n$ %s\n' "$*"
    "$@" </dev/null
}

run descope-mgmt eval --env dev
run descope-mgmt plan --env dev --emulator
run descope-mgmt sync --env dev --emulator --yes
run descope-mgmt plan --env dev --emulator | tee "$state/second-plan"

if ! grep -q '^No changes\.' "$state/second-plan"; then
    echo 'demo: the plan after the sync should have said "No changes."' >&2
    exit 1
fi
