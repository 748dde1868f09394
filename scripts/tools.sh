#!/usr/bin/env bash
# Installs a pinned developer tool, unless it is there, and prints its path.
# Tools live outside the clone, so that they survive it, and outside go.mod, so
# that the product does not depend on them.
#
#   scripts/tools.sh golangci-lint
#   scripts/tools.sh cue             what the benchmarks compare with
#   scripts/tools.sh goreleaser      makes the release
#   scripts/tools.sh cyclonedx-gomod writes its bill of materials
set -euo pipefail

golangci_lint_version=2.15.0
cue_version=0.17.1
goreleaser_version=2.15.1 # later ones want a newer Go
cyclonedx_version=1.10.0

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

# plain NAME PACKAGE VERSION builds a tool that says with which Go it was built.
plain() {
    local tool=$cache/bin/$1 have
    have=$(go version -m "$tool" 2>/dev/null | awk -v go="$(go env GOVERSION)" 'NR == 1 && $2 == go { same = 1 } same && $1 == "mod" { print $3 }') || true
    if [[ $have != "v$3" ]]; then
        echo "building $1 $3 into $cache/bin" >&2
        GOBIN=$cache/bin GOFLAGS='' CGO_ENABLED=0 go install -ldflags '-s -w' "$2@v$3" >&2
    fi
    echo "$tool"
}

case ${1:-} in
golangci-lint) golangci_lint ;;
cue) cue ;;
goreleaser) plain goreleaser github.com/goreleaser/goreleaser/v2 "$goreleaser_version" ;;
cyclonedx-gomod) plain cyclonedx-gomod github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod "$cyclonedx_version" ;;
*)
    echo "usage: scripts/tools.sh golangci-lint|cue|goreleaser|cyclonedx-gomod" >&2
    exit 2
    ;;
esac
