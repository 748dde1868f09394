#!/usr/bin/env bash
# Installs descope-mgmt for a job: from an archive of a release, whose checksum is checked,
# or from source. Says where it is in the last line of its output.
#
#   DESCOPE_CI_VERSION   v1.2.3; latest; source: build the checkout that this script is
#                        in, with Go; path: what is on the PATH already (default: source)
#   DESCOPE_CI_RELEASES  address below which the archives of releases are, for example
#                        https://github.com/OWNER/descope-mgmt/releases
#   DESCOPE_CI_BIN       directory to install into (default: a new one)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
    echo "descope-mgmt: $1" >&2
    exit 5
}

version=${DESCOPE_CI_VERSION:-source}
if [[ $version == path ]]; then
    command -v descope-mgmt || fail 'there is no descope-mgmt on the PATH; set the version to a release, to latest or to source'
    exit
fi
bin=${DESCOPE_CI_BIN:-$(mktemp -d)}
mkdir -p "$bin"
bin=$(cd "$bin" && pwd)

build() {
    command -v go >/dev/null || fail 'building from source needs Go; set it up first, or set the version to a release'
    (cd "$here/.." && CGO_ENABLED=0 go build -trimpath -o "$bin/" ./cmd/descope-mgmt)
}

platform() {
    local os arch
    case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    MINGW* | MSYS* | CYGWIN*) os=windows ;;
    *) fail "there is no archive for $(uname -s); set the version to source" ;;
    esac
    case $(uname -m) in
    x86_64 | amd64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "there is no archive for $(uname -m); set the version to source" ;;
    esac
    echo "${os}_$arch"
}

fetch() { curl --fail --silent --show-error --location --proto '=https' --retry 3 --output "$2" "$1" || fail "cannot fetch $1"; }

digest() {
    if command -v sha256sum >/dev/null; then
        sha256sum "$1"
    else
        shasum -a 256 "$1"
    fi | cut -d ' ' -f 1
}

download() {
    local from work platform name want
    [[ ${DESCOPE_CI_RELEASES:-} == https://* ]] || fail 'DESCOPE_CI_RELEASES must be the https address of the releases'
    case $version in
    latest) from=$DESCOPE_CI_RELEASES/latest/download ;;
    v[0-9]* | [0-9]*) from=$DESCOPE_CI_RELEASES/download/v${version#v} ;;
    *) fail "version $version: allowed are v1.2.3, latest, source and path" ;;
    esac
    platform=$(platform)
    work=$(mktemp -d)
    fetch "$from/checksums.txt" "$work/checksums.txt"
    # "DIGEST  descope-mgmt_VERSION_OS_ARCH.tar.gz": the name tells the version of "latest".
    read -r want name < <(grep -E "^[0-9a-f]{64} [ *]descope-mgmt_[0-9A-Za-z.+-]+_$platform\.(tar\.gz|zip)$" "$work/checksums.txt") ||
        fail "the release at $from has no archive for $platform"
    name=${name#\*}
    fetch "$from/$name" "$work/$name"
    [[ $(digest "$work/$name") == "$want" ]] || fail "$name is not what checksums.txt says; nothing was installed"
    case $name in
    *.zip) unzip -q "$work/$name" -d "$work/content" ;;
    *) mkdir "$work/content" && tar -xzf "$work/$name" -C "$work/content" ;;
    esac
    find "$work/content" -type f \( -name descope-mgmt -o -name descope-mgmt.exe \) -exec cp {} "$bin/" \;
    rm -rf "$work"
}

case $version in
source) build ;;
*) download ;;
esac
[[ -x $bin/descope-mgmt || -x $bin/descope-mgmt.exe ]] || fail 'the archive does not hold the program'
if [[ ${GITHUB_PATH:-} ]]; then
    echo "$bin" >>"$GITHUB_PATH"
fi
"$bin/descope-mgmt" --version >&2
echo "$bin/descope-mgmt"
