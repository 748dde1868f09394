#!/usr/bin/env bash
# Makes a release of the work tree twice, without publishing it, and checks what is in it:
# every system and processor, checksums, the bill of materials, man pages, completions,
# the version; and that the second one has the same bytes. With SNAPSHOT_SHORT set, it has
# only the systems that "make check" builds anyhow.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "snapshot: $*" >&2
    exit 1
}

# has ARCHIVE LISTING PATTERN…: every pattern is in the listing.
has() {
    local pattern
    for pattern in "${@:3}"; do
        grep -qE "$pattern" <<<"$2" || fail "$1 lacks $pattern"
    done
}

make snapshot
(cd dist && sha256sum --quiet -c checksums.txt) || fail 'the checksums are wrong'
version=$(sed -nE 's/^[0-9a-f]+  descope-mgmt_(.*)_linux_amd64\.tar\.gz$/\1/p' dist/checksums.txt)
[[ $version ]] || fail 'checksums.txt names no archive for linux/amd64'

inside=('(^|/)README\.md$' 'man/man1/descope-mgmt-sync\.1$' 'completions/descope-mgmt\.bash$' 'completions/_descope-mgmt$' 'docs/recovery\.md$')
unix=(linux_amd64 darwin_arm64) windows=(windows_amd64) packaged=(amd64)
if ! [[ ${SNAPSHOT_SHORT:-} ]]; then
    unix+=(linux_arm64 darwin_amd64) windows+=(windows_arm64) packaged+=(arm64)
fi
for target in "${unix[@]}"; do
    archive=dist/descope-mgmt_${version}_$target.tar.gz
    has "$archive" "$(tar tzf "$archive")" '(^|/)descope-mgmt$' "${inside[@]}"
done
for target in "${windows[@]}"; do
    archive=dist/descope-mgmt_${version}_$target.zip
    has "$archive" "$(unzip -Z1 "$archive")" '(^|/)descope-mgmt\.exe$' "${inside[@]}"
done
for arch in "${packaged[@]}"; do
    deb=$(ls dist/*_"$arch".deb)
    has "$deb" "$(dpkg-deb -c "$deb")" '\./usr/bin/descope-mgmt$' 'man1/descope-mgmt-sync\.1' 'bash-completion/completions/descope-mgmt$'
    compgen -G "dist/*_$arch.rpm" >/dev/null || fail "no rpm for $arch"
done
boms=(dist/*.cdx.json)
((${#boms[@]} == ${#unix[@]} + ${#windows[@]})) || fail "${#boms[@]} bills of materials"
for bom in "${boms[@]}"; do
    jq -e '.bomFormat == "CycloneDX" and any(.components[]; .name == "cuelang.org/go")' "$bom" >/dev/null ||
        fail "$bom does not know what the program is made of"
done

unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
tar xzf "dist/descope-mgmt_${version}_linux_$(go env GOARCH).tar.gz" -C "$unpacked"
"$unpacked/descope-mgmt" version -o json | jq -e --arg version "$version" --arg commit "$(git rev-parse HEAD)" \
    '.version == $version and .commit == $commit and (.date | fromdate > 0) and (.schema | test("^sha256:[0-9a-f]{64}$"))' ||
    fail 'the version is wrong'

first=$(sort dist/checksums.txt)
make snapshot >/dev/null 2>&1
diff <(echo "$first") <(sort dist/checksums.txt) || fail 'made once more, the release has other bytes'
echo "snapshot: $(wc -l <dist/checksums.txt) files of $version, twice the same"
