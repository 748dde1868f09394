#!/usr/bin/env bash
# Installs a pinned developer tool, unless it is there, and prints its path.
# Tools live outside the clone, so that they survive it, and outside go.mod, so
# that the product does not depend on them.
#
#   scripts/tools.sh golangci-lint
#   scripts/tools.sh cue             what the benchmarks compare with
set -euo pipefail

golangci_lint_version=2.15.0
cue_version=0.17.1

cache=${DESCOPE_MGMT_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/descope-mgmt-tools}

golangci_lint() {
    local tool=$cache/bin/golangci-lint want
    # Both versions count: a linter built with an older Go refuses newer code.
    want="version $golangci_lint_version built with $(go env GOVERSION) "
    if ! [[ -x $tool && $("$tool" version 2>/dev/null) == *"$want"* ]]; then
        echo "building golangci-lint $golangci_lint_version into $cache/bin (about 4 minutes on 2 cores)" >&2
        GOBIN=$cache/bin GOFLAGS='' go install \
            "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$golangci_lint_version" >&2
    fi
    echo "$tool"
}

cue() {
    local tool=$cache/bin/cue version
    # Built like our own program, or the comparison would not be fair.
    version=$("$tool" version 2>/dev/null | xargs) || true
    if ! [[ $version == "cue version v$cue_version "*"Go version $(go env GOVERSION) "*"CGO_ENABLED 0 "* ]]; then
        echo "building cue $cue_version into $cache/bin" >&2
        GOBIN=$cache/bin GOFLAGS='' CGO_ENABLED=0 go install -trimpath -ldflags '-s -w' "cuelang.org/go/cmd/cue@v$cue_version" >&2
    fi
    echo "$tool"
}

case ${1:-} in
golangci-lint) golangci_lint ;;
cue) cue ;;
*)
    echo "usage: scripts/tools.sh golangci-lint|cue" >&2
    exit 2
    ;;
esac
