#!/usr/bin/env bash
# Posts a document on the pull or merge request of the job, once: a further one takes the
# place of the one before, which is found by the marker in its first line among the
# comments of the same author, since others can write the marker as well.
#
#   comment.sh FILE
#
#   GitHub: gh, GH_TOKEN (pull-requests: write), DESCOPE_CI_PULL_REQUEST, GITHUB_REPOSITORY
#   GitLab: curl, jq, GITLAB_TOKEN (scope api), and what the job knows: CI_API_V4_URL,
#           CI_PROJECT_ID, CI_MERGE_REQUEST_IID
#
# Without a request or a token it says so, and is no failure.
set -euo pipefail
file=$1
marker=$(head -n 1 "$file")
[[ $marker == '<!-- descope-mgmt:'*' -->' ]] || {
    echo "descope-mgmt: the first line of $file is no marker" >&2
    exit 5
}
# Two configurations in one repository have comments of their own.
directory=${DESCOPE_CI_DIRECTORY:-.}
if [[ $directory != . && $directory != ./ ]]; then
    marker="${marker% -->}:$(tr -c 'A-Za-z0-9._\n' '_' <<<"$directory") -->"
    document=$(mktemp)
    { echo "$marker" && tail -n +2 "$file"; } >"$document"
    file=$document
fi

not_posted() {
    echo "descope-mgmt: no comment was posted: $1" >&2
    exit 0
}

github() {
    [[ ${DESCOPE_CI_PULL_REQUEST:-} =~ ^[0-9]+$ ]] || not_posted 'this job belongs to no pull request'
    [[ ${GH_TOKEN:-} ]] || not_posted 'there is no token (input github-token)'
    command -v gh >/dev/null || not_posted 'gh is not installed on this runner'
    local id
    # shellcheck disable=SC2016 # variables of GraphQL and jq
    id=$(MARKER=$marker gh api graphql --paginate \
        -f owner="${GITHUB_REPOSITORY%%/*}" -f name="${GITHUB_REPOSITORY#*/}" -F number="$DESCOPE_CI_PULL_REQUEST" \
        -f query='query($owner: String!, $name: String!, $number: Int!, $endCursor: String) {
            repository(owner: $owner, name: $name) { pullRequest(number: $number) {
                comments(first: 100, after: $endCursor) {
                    nodes { databaseId viewerDidAuthor body }
                    pageInfo { hasNextPage endCursor }
        } } } }' \
        --jq '.data.repository.pullRequest.comments.nodes[]
            | select(.viewerDidAuthor and ((.body | split("\n")[0] | rtrimstr("\r")) == env.MARKER)) | .databaseId' | head -n 1)
    if [[ $id ]]; then
        gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F body=@"$file"
    else
        gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$DESCOPE_CI_PULL_REQUEST/comments" -F body=@"$file"
    fi
}

# gitlab METHOD PATH [CURL ARGUMENT…]. The token goes by a file, not by an argument.
gitlab_call() {
    curl --fail-with-body --silent --show-error --request "$1" --header @"$headers" "${@:3}" "$CI_API_V4_URL/$2"
}

gitlab() {
    [[ ${CI_MERGE_REQUEST_IID:-} =~ ^[0-9]+$ ]] || not_posted 'this job belongs to no merge request'
    [[ ${GITLAB_TOKEN:-} ]] || not_posted 'there is no GITLAB_TOKEN'
    command -v jq >/dev/null || not_posted 'jq is not installed on this runner'
    headers=$(mktemp)
    printf 'PRIVATE-TOKEN: %s\n' "$GITLAB_TOKEN" >"$headers"
    trap 'rm -f "$headers"' EXIT
    local notes="projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes" me page=1 found id=
    me=$(gitlab_call GET user | jq .id)
    while [[ ! $id ]]; do
        found=$(gitlab_call GET "$notes?per_page=100&page=$page")
        id=$(jq -r --arg marker "$marker" --argjson me "$me" \
            '[.[] | select(.author.id == $me and ((.body | split("\n")[0]) == $marker)) | .id][0] // empty' <<<"$found")
        (($(jq length <<<"$found") == 100)) || break
        page=$((page + 1))
    done
    if [[ $id ]]; then
        gitlab_call PUT "$notes/$id" --data-urlencode body@"$file" >/dev/null
    else
        gitlab_call POST "$notes" --data-urlencode body@"$file" >/dev/null
    fi
}

if [[ ${GITHUB_ACTIONS:-} ]]; then
    github
elif [[ ${GITLAB_CI:-} ]]; then
    gitlab
else
    not_posted 'this is neither GitHub nor GitLab'
fi
