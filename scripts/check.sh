#!/usr/bin/env bash
# Everything that must hold before a change lands. "make check" and CI run this
# and nothing else.
#
#   scripts/check.sh               all suites
#   scripts/check.sh lint docs     some of them
#   scripts/check.sh --list        their names
#
# Each suite runs even when an earlier one failed. One whose input is missing is
# skipped, with the reason; DESCOPE_MGMT_REQUIRE_SUITES, names or "all", lists
# the suites for which that counts as a failure.
#
# DESCOPE_MGMT_CORPUS is the directory of real exports that the corpus suite
# reads, ../shared/corpus beside the repository unless set.
set -euo pipefail
cd "$(dirname "$0")/.."

suites=(format mod build cross shell docs test literals race crash corpus report conformance lsp demo bench policy lint snapshot)
# "scripts" and "golden" are parts of test, to be run alone while working.
timeout=${TIMEOUT:-15m}
skipped=77 # the exit code of a suite that could not run

skip() {
    echo "SKIPPED: $*"
    echo "$*" >"$CHECK_NOTE"
    exit "$skipped"
}

# tests runs the tests whose name matches, without the cache, and demands that
# there were some and that none was skipped. It shows what they counted.
tests() {
    local name=$1 log
    shift
    log=$(mktemp)
    go test -count=1 -timeout "$timeout" -v -run "$name" "$@" >"$log" 2>&1 ||
        { grep -v '^=== ' "$log"; return 1; }
    grep -E '^(ok|---) |_test\.go:[0-9]+: counts: ' "$log" | grep -v 'no tests to run' || true
    if ! grep -q '^--- PASS' "$log"; then
        echo "no test matches $name in $*"
        return 1
    fi
    if grep -B1 -- '^ *--- SKIP' "$log"; then
        echo "the suite may not skip a test"
        return 1
    fi
}

# tree identifies the content of the work tree, files that git does not know
# included.
tree() {
    git diff HEAD
    git ls-files -z --others --exclude-standard | xargs -0 -r sha256sum
}

# unchanged runs a command that may rewrite goldens, and fails if it did.
unchanged() {
    local before after
    before=$(tree)
    "$@" || return 1
    after=$(tree)
    if [[ $before != "$after" ]]; then
        echo 'goldens are stale; "make golden" changes:'
        diff <(echo "$before") <(echo "$after") || true
        return 1
    fi
}

suite_format() { # gofumpt, goimports, cue fmt
    "$(scripts/tools.sh golangci-lint)" fmt --diff ./...
    go run ./cmd/descope-mgmt fmt --check schema envs
}

suite_mod() { # go.mod and go.sum are tidy and the downloads are genuine
    go mod tidy -diff
    go mod verify
}

suite_build() { # builds and vets
    make build
    go vet ./...
}

suite_cross() { # all code and tests compile for the other systems, and for one without file locks
    local target
    # Built like a release, so that the snapshot finds it done.
    for target in darwin/arm64 windows/amd64; do
        echo "$target"
        GOFLAGS="${GOFLAGS:-} -trimpath" GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0 go vet ./...
    done
    echo wasip1/wasm
    GOOS=wasip1 GOARCH=wasm go vet ./internal/store ./internal/model ./internal/plan ./internal/flow
}

suite_snapshot() { # a release, twice the same bytes, for some systems
    local tool
    for tool in jq unzip dpkg-deb; do
        command -v "$tool" >/dev/null || skip "$tool is not installed"
    done
    SNAPSHOT_SHORT=1 scripts/snapshot.sh
}

suite_shell() { # shell scripts
    command -v shellcheck >/dev/null || skip 'shellcheck is not installed'
    shellcheck ci/*.sh scripts/*.sh .ci/run .githooks/*
}

suite_docs() { # links, decision records, commands shown, the files for CI, architecture
    tests '^(TestDocs|TestCI|TestArchitecture|TestNoMachinePaths)' ./internal/
}

suite_test() { # the command that the README gives; rewriting goldens and scripts changes nothing; the coverage floors
    UPDATE=1 unchanged make test TESTFLAGS='-parallel 4 -coverprofile coverage.out -coverpkg ./internal/...' | sed 's/coverage: .*//'
    scripts/cover.sh coverage.out
}

suite_race() { # all packages under the race detector; names what was skipped
    local log status=0
    log=$(mktemp)
    # Not the checks of documents and of figures: they take minutes here, and what they
    # run is run by the others.
    local packages
    mapfile -t packages < <(go list ./... | grep -vE '/(internal|bench)$')
    GOGC=${GOGC:-200} go test -race -parallel 4 -count=1 -timeout "$timeout" -v "${packages[@]}" >"$log" 2>&1 || status=$?
    if ((status)); then
        grep -vE '^(=== | *--- PASS)' "$log"
        return 1
    fi
    grep -E '^ok ' "$log"
    if grep -q -- '^ *--- SKIP' "$log"; then
        echo "tests skipped:"
        grep -B1 -- '^ *--- SKIP' "$log"
    fi
}

suite_literals() { # tenants read from the text are what CUE makes of them, 200 000 times
    LITERALS=${LITERALS:-200000} tests '^TestLiteralsAgree$' ./internal/compiler/
}

suite_scripts() { # the command line, as users see it; rewriting the scripts changes nothing
    compgen -G 'internal/cli/testdata/script/*.txtar' >/dev/null || skip 'no internal/cli/testdata/script/*.txtar'
    UPDATE=1 unchanged tests '^(TestScript|TestQuickHelp)' ./internal/cli/
}

suite_crash() { # the campaigns: crashes, kills, faults, full disks and damage everywhere
    CAMPAIGNS=1 CRASH_EVERY=${CRASH_EVERY:-8} tests \
        '^(TestCrashesOf|TestCrashesAmong|TestChaos|TestFaultsOfFifty|TestFullDisk|TestFullFileSystem|TestEveryByteOfAPlan|TestMovedSincePlan|TestRestore$|TestCanary$|TestManyProcesses)' ./internal/cli/
    CAMPAIGNS=1 CRASH_EVERY=${CRASH_EVERY:-1} tests '^TestCrashes$' ./internal/cli/ # at every point
    DESCOPE_MGMT_MERGES=${DESCOPE_MGMT_MERGES:-10000} tests '^TestMerge(Random|Mutations)$' ./internal/flow/
}

suite_corpus() { # real exports
    local corpus=${DESCOPE_MGMT_CORPUS:-$PWD/../shared/corpus}
    [[ -d $corpus ]] || skip "no corpus at ${DESCOPE_MGMT_CORPUS:-../shared/corpus} (DESCOPE_MGMT_CORPUS names it)"
    local packages
    packages=$({ grep -rl --include '*_test.go' DESCOPE_MGMT_CORPUS internal || true; } | xargs -r -n1 dirname | sort -u | sed 's|^|./|')
    [[ $packages ]] || skip 'no test reads DESCOPE_MGMT_CORPUS'
    # shellcheck disable=SC2086 # one word per package
    DESCOPE_MGMT_CORPUS=$(cd "$corpus" && pwd) tests '^Test.*Corpus' $packages
}

suite_golden() { # rewriting the goldens changes nothing; those of the command line are scripts
    unchanged make golden EXCEPT=./internal/cli
}

suite_report() { # the page of the report, in a browser
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
        [[ ${DESCOPE_MGMT_CHROMIUM:-} ]] || skip 'no Chromium is installed (DESCOPE_MGMT_CHROMIUM names one)'
    tests '^TestPage' ./internal/report/
}

suite_conformance() { # the emulator, driven by an official SDK
    [[ -f conformance/package.json ]] || skip 'no conformance/package.json'
    command -v npm >/dev/null || skip 'npm is not installed'
    make conformance
}

suite_lsp() { # the language server, driven by the client that VS Code is made of
    [[ -f conformance/package.json ]] || skip 'no conformance/package.json'
    command -v npm >/dev/null || skip 'npm is not installed'
    make lsp
}

suite_demo() { # the main job
    make demo
}

suite_bench() { # figures with a budget, processes included
    local cue
    cue=$(scripts/tools.sh cue)
    (cd bench && go test -count=1 -timeout "$timeout" -cue "$cue")
}

suite_policy() { # rules for Terraform's plans over ours, with Open Policy Agent and jq
    (cd policy && go mod tidy -diff && go mod verify && go vet ./... && tests '^Test' ./...)
}

suite_lint() { # static analysis
    make lint
}

if [[ ${1:-} == --list ]]; then
    for s in "${suites[@]}"; do
        printf '%-12s %s\n' "$s" "$(sed -n "s/^suite_$s() { # //p" "$0")"
    done
    exit
fi
if [[ ${1:-} == --one ]]; then # a process of its own, so that set -e holds in it
    "suite_$2"
    exit
fi

selected=("$@")
((${#selected[@]})) || selected=("${suites[@]}")
required=" ${DESCOPE_MGMT_REQUIRE_SUITES:-} "
CHECK_NOTE=$(mktemp)
export CHECK_NOTE
passed=0 failed=0 skips=0 report=()

for s in "${selected[@]}"; do
    if ! declare -F "suite_$s" >/dev/null; then
        echo "no suite $s; the suites are: ${suites[*]}" >&2
        exit 2
    fi
    printf '\n=== %s: %s\n' "$s" "$(sed -n "s/^suite_$s() { # //p" "$0")"
    start=$SECONDS status=0
    bash "$0" --one "$s" </dev/null || status=$?
    result=passed note=
    if ((status == skipped)); then
        note=$(<"$CHECK_NOTE")
        result=skipped
        if [[ $required == *" $s "* || $required == *" all "* ]]; then
            result=FAILED note="must not be skipped: $note"
        fi
    elif ((status)); then
        result=FAILED note="exit $status"
    fi
    case $result in
    passed) passed=$((passed + 1)) ;;
    skipped) skips=$((skips + 1)) ;;
    *) failed=$((failed + 1)) ;;
    esac
    report+=("$(printf '%-12s %-8s %4d s  %s' "$s" "$result" $((SECONDS - start)) "$note")")
done

printf '\n%s\n' "=== summary ($SECONDS s)"
printf '%s\n' "${report[@]}"
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skips"
((failed == 0))
