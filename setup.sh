#!/bin/sh
# Brings this machine to where `cargo run --release` works: checks for Rust and a C linker, and on Linux installs
# lavapipe, Mesa's Vulkan driver for the CPU, where no usable Vulkan driver is found. Silent when nothing is to be done.

set -eu

say() {
    printf 'setup: %s\n' "$*" >&2
}

fail() {
    say "$*"
    exit 1
}

check_tools() {
    if ! command -v cargo >/dev/null 2>&1; then
        # Right after rustup, the shell that ran it does not have cargo on its PATH yet.
        if [ -x "${HOME:-}/.cargo/bin/cargo" ]; then
            fail "cargo is installed but not on the PATH: run  . \"\$HOME/.cargo/env\"  and try again."
        fi
        fail "cargo is missing: install Rust from https://rustup.rs and try again."
    fi
    case $(uname -s) in
        # Rust on Windows usually links with Visual Studio's own linker.
        MINGW* | MSYS* | CYGWIN*) ;;
        *)
            command -v cc >/dev/null 2>&1 ||
                fail "the C linker cc is missing: install a C compiler (Debian: build-essential, macOS: xcode-select --install) and try again."
            ;;
    esac
}

# Whether the dynamic linker can find the library of this name.
has_library() {
    # ldconfig lives in /sbin, which users do not always have on their PATH; musl has none.
    if PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -qF "$(printf '\t%s ' "$1")"; then
        return 0
    fi
    (
        library=$1
        IFS=:
        set -f
        # shellcheck disable=SC2086 # the list is split at its colons
        set -- ${LD_LIBRARY_PATH:-}
        set +f
        for folder in "$@" /lib /usr/lib /lib64 /usr/lib64 /usr/lib/*-linux-* /usr/local/lib /run/opengl-driver/lib; do
            [ ! -e "$folder/$library" ] || exit 0
        done
        exit 1
    )
}

# Whether the kernel offers a GPU: a DRM render node, NVIDIA's own devices or, under WSL, the host's GPU.
has_gpu() {
    for node in /dev/dri/renderD* /dev/nvidia0 /dev/nvidiactl /dev/dxg; do
        [ ! -c "$node" ] || return 0
    done
    return 1
}

# Whether the driver that a manifest describes can work here. Container images carry manifests of drivers whose
# library or GPU is not there, so that a manifest exists says little.
is_usable() {
    [ -f "$1" ] || return 1
    case ${1##*/} in
        *lvp* | *lavapipe* | *swiftshader* | *llvmpipe*) ;; # these compute on the CPU
        *) has_gpu || return 1 ;;
    esac
    # The lines are joined because JSON lets a key and its value stand on two.
    library=$(tr '\n' ' ' 2>/dev/null <"$1" | sed -n 's/.*"library_path"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p')
    case $library in
        '') return 1 ;;
        /*) [ -f "$library" ] ;;
        */*) [ -f "$(dirname "$1")/$library" ] ;;
        *) has_library "$library" ;;
    esac
}

# Whether one of the files and folders of a colon-separated list is or holds a usable driver's manifest.
has_manifest() (
    IFS=:
    set -f
    # shellcheck disable=SC2086 # the list is split at its colons
    set -- $1
    set +f
    for place in "$@"; do
        [ -n "$place" ] || continue
        for manifest in "$place" "$place"/*.json; do
            case $manifest in
                *.json) ! is_usable "$manifest" || exit 0 ;;
            esac
        done
    done
    exit 1
)

# The variables with which a user replaces the loader's own search; the loader prefers the first.
named_manifests=${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-}}

has_driver() {
    if [ -n "$named_manifests" ]; then
        manifests=$named_manifests
    else
        # The loader's own search path, and where NixOS keeps drivers.
        manifests=${VK_ADD_DRIVER_FILES:-}:/usr/share/vulkan/icd.d:/etc/vulkan/icd.d:/usr/local/share/vulkan/icd.d
        manifests=$manifests:/usr/local/etc/vulkan/icd.d:${XDG_DATA_HOME:-${HOME:-}/.local/share}/vulkan/icd.d
        manifests=$manifests:/run/opengl-driver/share/vulkan/icd.d
    fi
    # Every driver is reached through the Vulkan loader.
    has_library libvulkan.so.1 && has_manifest "$manifests"
}

# Runs a line of shell as root, and shows it.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        say "running: $1"
        sh -c "$1"
    elif command -v sudo >/dev/null 2>&1; then
        say "running with sudo: $1"
        sudo sh -c "$1"
    else
        fail "installing needs root and there is no sudo: run  $1  as root and try again."
    fi
}

install_driver() {
    say "no usable Vulkan driver found; installing lavapipe, which computes on the CPU"
    if command -v apt-get >/dev/null 2>&1; then
        as_root "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mesa-vulkan-drivers libvulkan1"
    elif command -v dnf >/dev/null 2>&1; then
        as_root "dnf install -y mesa-vulkan-drivers vulkan-loader"
    elif command -v pacman >/dev/null 2>&1; then
        as_root "pacman -Sy --needed --noconfirm vulkan-swrast vulkan-icd-loader"
    elif command -v zypper >/dev/null 2>&1; then
        as_root "zypper --non-interactive install libvulkan_lvp libvulkan1"
    elif command -v apk >/dev/null 2>&1; then
        as_root "apk add mesa-vulkan-swrast vulkan-loader"
    else
        fail "found none of apt-get, dnf, pacman, zypper and apk: install Mesa's lavapipe and the Vulkan loader, and try again."
    fi || fail "the installation failed (see above): install Mesa's lavapipe and the Vulkan loader by hand, and try again."
}

check_tools
if [ "$(uname -s)" = Linux ] && ! has_driver; then
    if [ -n "$named_manifests" ] && ! has_manifest "$named_manifests"; then
        fail "VK_DRIVER_FILES or VK_ICD_FILENAMES names no driver that can work here ($named_manifests): correct or unset it and try again."
    fi
    install_driver
    has_driver || fail "still no usable Vulkan driver after the installation: install Mesa's lavapipe and the Vulkan loader by hand, and try again."
    say "done"
fi
