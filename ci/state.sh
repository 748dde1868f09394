#!/usr/bin/env bash
# Decides where a job keeps its state, and prints the directory: nothing for the default.
#
#   DESCOPE_CI_STATE   cache: a directory that the job brings back from a cache; none: one
#                      that is gone afterwards; anything else is the path of a directory
#                      that lasts, for example on a shared mount
#   DESCOPE_CI_PUBLIC  true: everybody can read the repository, and with it its caches
#   DESCOPE_CI_ENVIRONMENT, DESCOPE_CI_DIRECTORY: what the state is of
set -euo pipefail

state=${DESCOPE_CI_STATE:-cache}
cached=false
case $state in
cache)
    # Backups and the key that seals plans are in there.
    if [[ ${DESCOPE_CI_PUBLIC:-false} == true ]]; then
        echo 'descope-mgmt: in a public repository everybody can read a cache: set state to none, or to the path of a directory that lasts' >&2
        exit 6
    fi
    directory=${RUNNER_TEMP:-${TMPDIR:-/tmp}}/descope-mgmt-state
    cached=true
    ;;
none)
    directory=$(mktemp -d)/state
    ;;
/* | [A-Za-z]:*)
    directory=$state
    [[ -d $directory ]] || {
        echo "descope-mgmt: the state directory $directory is not there: mount it, or set state to cache or none" >&2
        exit 5
    }
    ;;
*)
    echo "descope-mgmt: state $state: allowed are cache, none and an absolute path" >&2
    exit 5
    ;;
esac
if [[ ${GITHUB_OUTPUT:-} ]]; then
    # The slash at the end keeps dev from being found for dev-eu; a key has no commas.
    key=descope-mgmt-state/$(tr -c 'A-Za-z0-9._\n-' '+' <<<"${DESCOPE_CI_DIRECTORY:-.}/${DESCOPE_CI_ENVIRONMENT:-}")/
    printf 'directory=%s\ncached=%s\nkey=%s\n' "$directory" "$cached" "$key" >>"$GITHUB_OUTPUT"
fi
echo "$directory"
