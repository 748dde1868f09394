#!/usr/bin/env bash
# Installs a pinned developer tool, unless it is there, and prints its path.
# Tools live outside the clone, so that they survive it, and outside go.mod, so
# that the product does not depend on them.
#
#   scripts/tools.sh golangci-lint
set -euo pipefail

golangci_lint_version=2.15.0

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

case ${1:-} in
golangci-lint) golangci_lint ;;
*)
    echo "usage: scripts/tools.sh golangci-lint" >&2
    exit 2
    ;;
esac
