#!/usr/bin/env bash
# Runs one command of a job and tells the forge of it.
#
#   run.sh plan    shows what a merge would change: comment.md, plan.json, the comment
#   run.sh apply   applies the configuration, or exactly a saved plan
#   run.sh drift   compares the project with the configuration; exits 2 if they differ
#
#   DESCOPE_CI_ENVIRONMENT      environment; a list (dev,staging) or "all" for plan and drift
#   DESCOPE_MANAGEMENT_KEY      or any other variable that descope-mgmt reads the key from
#   DESCOPE_CI_CONFIRM_PROJECT  project id, which confirms an apply in a protected environment
#   DESCOPE_CI_PLAN             apply: a saved plan, to be applied as it is
#   DESCOPE_CI_ARGUMENTS        further flags, separated by spaces
#   DESCOPE_CI_CONFIG           the configuration, if it is not found from the working directory
#   DESCOPE_CI_DIRECTORY        the working directory
#   DESCOPE_CI_OUT              directory for what is written (default: a new one)
#   DESCOPE_CI_COMMENT          false: no comment
#
# Exits as descope-mgmt does, but for plan, where changes are no failure. Keys come from the
# environment alone: arguments can be read by everybody on the machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
    echo "descope-mgmt: $1" >&2
    exit 5
}

command=${1:-}
[[ ${DESCOPE_CI_ENVIRONMENT:-} ]] || fail 'no environment is named (DESCOPE_CI_ENVIRONMENT, or the input env)'
environment=$DESCOPE_CI_ENVIRONMENT
unset DESCOPE_CI_ENVIRONMENT
# Variables that were given as nothing must not hide what a file or another variable says.
for name in DESCOPE_MANAGEMENT_KEY DESCOPE_PROJECT_ID DESCOPE_STATE_DIR; do
    [[ ${!name:-} ]] || unset "$name"
done

out=${DESCOPE_CI_OUT:-$(mktemp -d)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "${DESCOPE_CI_DIRECTORY:-.}"

arguments=()
if [[ $environment == all ]]; then
    arguments+=(--all)
else
    arguments+=(--env "$environment")
fi
if [[ ${DESCOPE_CI_CONFIG:-} ]]; then
    arguments+=(--config "$DESCOPE_CI_CONFIG")
fi
read -ra further <<<"${DESCOPE_CI_ARGUMENTS:-}"
arguments+=("${further[@]}")

# output NAME VALUE: for later steps of the job.
output() {
    if [[ ${GITHUB_OUTPUT:-} ]]; then
        echo "$1=$2" >>"$GITHUB_OUTPUT"
    fi
}

# summary FILE: the page of the job.
summary() {
    if [[ ${GITHUB_STEP_SUMMARY:-} ]]; then
        cat "$1" >>"$GITHUB_STEP_SUMMARY"
    fi
}

# failed CODE: what is posted where there is no plan, so that nobody reads an old one.
failed() {
    printf '<!-- descope-mgmt:plan:%s -->\n## Plan\n\n**There is no plan: descope-mgmt ended with exit code %d.** The log of the job says why.\n' \
        "$(tr -cd 'A-Za-z0-9._,-' <<<"$environment")" "$1"
}

code=0
case $command in
plan)
    flags=(--detailed-exitcode -o markdown)
    if [[ $environment != all && $environment != *,* ]]; then
        flags+=(--out "$out/plan.json")
        output plan-file "$out/plan.json"
    fi
    descope-mgmt plan "${arguments[@]}" "${flags[@]}" >"$out/comment.md" || code=$?
    changes=false
    case $code in
    0) ;;
    2) code=0 changes=true ;;
    *) [[ -s $out/comment.md ]] || failed "$code" >"$out/comment.md" ;;
    esac
    output changes "$changes"
    output comment-file "$out/comment.md"
    summary "$out/comment.md"
    if [[ ${DESCOPE_CI_COMMENT:-true} != false ]]; then
        "$here/comment.sh" "$out/comment.md"
    fi
    ;;
apply)
    [[ $environment != all ]] || fail 'apply takes one environment after the other: name them, as in dev,staging'
    flags=(--yes)
    if [[ ${DESCOPE_CI_CONFIRM_PROJECT:-} ]]; then
        flags+=(--confirm-project "$DESCOPE_CI_CONFIRM_PROJECT")
    fi
    if [[ ${DESCOPE_CI_PLAN:-} ]]; then
        flags+=(--plan "$DESCOPE_CI_PLAN")
    fi
    descope-mgmt sync "${arguments[@]}" "${flags[@]}" | tee "$out/apply.txt" || code=${PIPESTATUS[0]}
    {
        printf '## Apply to %s: exit code %d\n\n' "$(tr -cd 'A-Za-z0-9._,-' <<<"$environment")" "$code"
        head -c 500000 "$out/apply.txt" | sed 's/^/    /' # a block that nothing in it can end
    } >"$out/apply.md"
    summary "$out/apply.md"
    ;;
drift)
    descope-mgmt drift "${arguments[@]}" -o markdown >"$out/drift.md" || code=$?
    changes=false
    if ((code == 2)); then
        changes=true
        echo 'descope-mgmt: the project differs from its configuration; the page of the job shows how' >&2
    fi
    output changes "$changes"
    output comment-file "$out/drift.md"
    summary "$out/drift.md"
    ;;
*) fail "command ${command:-(none)}: allowed are plan, apply and drift" ;;
esac
output exit-code "$code"
exit "$code"
