#!/usr/bin/env bash
# Builds the page into target/page, which any server of files can serve: `web/build.sh`. Where rustup has the target
# wasm32-unknown-unknown it is used, else Debian's (web/debian.sh). Ends with 125 where neither is to be had.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

page=target/page
# Not cargo's usual one, whose build scripts may be another compiler's.
built=target/web

give_up() {
    printf 'build.sh: %s\n' "$*" >&2
    exit 125
}

with_tools=()
if [ ! -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ]; then
    web/debian.sh true || give_up 'no Rust for WebAssembly: rustup target add wasm32-unknown-unknown'
    with_tools=(web/debian.sh)
fi

# The one that the crate of the lock file speaks with.
version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
export PATH=$PWD/target/wasm-tools/bin:$PATH
if [ "$(wasm-bindgen --version 2>/dev/null)" != "wasm-bindgen $version" ]; then
    # Its lock file names what not every mirror has.
    cargo install --quiet --locked wasm-bindgen-cli --version "$version" --root target/wasm-tools ||
        cargo install --quiet wasm-bindgen-cli --version "$version" --root target/wasm-tools ||
        give_up "wasm-bindgen $version could not be installed"
fi

"${with_tools[@]}" cargo build --profile web --target wasm32-unknown-unknown --package afterimage-web --target-dir "$built"
rm -rf "$page"
mkdir -p "$page"
wasm-bindgen --target web --no-typescript --out-dir "$page" "$built/wasm32-unknown-unknown/web/afterimage_web.wasm"
if "${with_tools[@]}" wasm-opt --version >/dev/null 2>&1; then
    "${with_tools[@]}" wasm-opt -Oz --strip-debug --strip-producers "$page/afterimage_web_bg.wasm" -o "$page/smaller.wasm"
    mv "$page/smaller.wasm" "$page/afterimage_web_bg.wasm"
else
    printf 'build.sh: there is no wasm-opt (binaryen), so the page is larger than it need be\n' >&2
fi
cp web/page/* "$page"

# What a visitor downloads, as servers compress it.
total=0
for file in "$page"/*; do
    bytes=$(gzip -9 <"$file" | wc -c)
    total=$((total + bytes))
    printf '%8d bytes compressed: %s\n' "$bytes" "$file"
done
printf '%8d bytes compressed in all\n' "$total"
[ "$total" -le 2000000 ] || {
    printf 'build.sh: the page is to take at most 2 MB to download\n' >&2
    exit 1
}
