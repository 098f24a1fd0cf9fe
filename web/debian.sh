#!/usr/bin/env bash
# Runs a command with Debian unstable's Rust for WebAssembly, where rustup can install no target:
#
#   web/debian.sh cargo build --release --target wasm32-unknown-unknown
#
# `rustc`, `wasm-ld` and `wasm-opt` are Debian's, with the loader and the libraries they came with; cargo and the linker of build
# scripts are this machine's. Needs apt-get, and no root. The first use fetches 300 MB; they are kept, in 1.2 GB, in
# AFTERIMAGE_WASM_TOOLS, by default /var/tmp/afterimage-wasm, and fetched anew once that folder is deleted. Ends with 125 where they
# cannot be had, else as the command does.

set -euo pipefail

give_up() {
    printf 'debian.sh: %s\n' "$*" >&2
    exit 125
}

[ $# -gt 0 ] || give_up 'usage: web/debian.sh COMMAND [ARGUMENT…]'
[ "$(uname -sm)" = 'Linux x86_64' ] || give_up 'these tools are for Linux on x86-64'
for tool in apt-get dpkg flock; do
    command -v "$tool" >/dev/null || give_up "there is no $tool"
done
place=${AFTERIMAGE_WASM_TOOLS:-/var/tmp/afterimage-wasm}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keys" ] || give_up "there is no $keys, by which packages are known to be Debian's"

# Fetches the packages and what they depend on, with lists and a state of their own, and unpacks them into a folder.
fetch() {
    local part=$1 options
    mkdir -p "$part/apt/lists/partial" "$part/apt/archives/partial" "$part/tree"
    printf 'deb [signed-by=%s] https://deb.debian.org/debian sid main\n' "$keys" >"$part/apt/sources.list"
    options=(-qq -o Dir::Etc::sourcelist="$part/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State="$part/apt" -o Dir::State::lists="$part/apt/lists" -o Dir::State::status=/dev/null
        -o Dir::Cache="$part/apt" -o Debug::NoLocking=1 -o APT::Sandbox::User=)
    apt-get "${options[@]}" update
    apt-get "${options[@]}" install -y --no-install-recommends --download-only rustc libstd-rust-dev-wasm32 lld binaryen
    local package
    for package in "$part"/apt/archives/*.deb; do
        dpkg --extract "$package" "$part/tree"
    done
    rm -rf "$part/apt"
}

# A command that starts one of the programs by the loader and the libraries it was linked against.
wrap() {
    local name=$1 program=$2
    shift 2
    {
        printf '#!/bin/sh\nexec %q --library-path %q %q' "$tree/usr/lib64/ld-linux-x86-64.so.2" "$libraries" "$program"
        [ $# -eq 0 ] || printf ' %q' "$@"
        printf ' "$@"\n'
    } >"$place/bin/$name"
    chmod +x "$place/bin/$name"
}

# Two that start at once must not both fetch.
mkdir -p "$place"
exec 9>"$place/lock"
flock 9
if [ ! -e "$place/tree" ]; then
    rm -rf "$place/part"
    fetch "$place/part" >&2 || give_up 'the packages could not be fetched'
    mv "$place/part/tree" "$place/tree"
fi
tree=$place/tree
libraries=$tree/usr/lib/x86_64-linux-gnu:$tree/usr/lib
mkdir -p "$place/bin"
wrap rustc "$tree/usr/bin/rustc" --sysroot "$tree/usr"
wrap wasm-ld "$(realpath "$tree/usr/bin/wasm-ld")"
wrap wasm-opt "$tree/usr/bin/wasm-opt"
exec 9>&-

export PATH=$place/bin:$PATH RUSTC=$place/bin/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$place/bin/wasm-ld
exec "$@"
