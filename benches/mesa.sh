#!/usr/bin/env bash
# Runs a command under another Mesa's lavapipe, inside a small Debian that has it, with binaries as they were built here:
#
#   benches/mesa.sh trixie target/release/afterimage bench --nets D --brief     Debian 13's Mesa 25.0
#   benches/mesa.sh sid target/release/afterimage devices                       Debian unstable's Mesa, 26.2 or later
#
# Needs root, on Debian or its like: debootstrap is installed where it is missing. The first use of a suite fetches some
# 150 MB and takes minutes; it is kept, in 500 MB, below AFTERIMAGE_MESA_ROOTS, by default /var/tmp/afterimage-mesa, and
# fetched anew once its folder is deleted. The repository, /tmp and, if cargo has one elsewhere, its target folder are the
# same inside; the home folder, and so what drivers keep in it, is the suite's own. Ends with 125 where it could not start
# the command, else as the command does.

set -euo pipefail

give_up() {
    printf 'mesa.sh: %s\n' "$*" >&2
    exit 125
}

[ $# -ge 2 ] || give_up 'usage: benches/mesa.sh trixie|sid COMMAND [ARGUMENT…]'
suite=$1
case $suite in
    trixie | sid) ;;
    *) give_up "no suite '$suite': trixie or sid" ;;
esac
[ "$(id -u)" -eq 0 ] || give_up 'only root can mount and change the root folder'

# In a mount namespace of its own, so that the mounts below end with the command.
if [ "${AFTERIMAGE_MESA_INSIDE:-}" != "$$" ]; then
    command -v unshare >/dev/null || give_up 'there is no unshare, of util-linux'
    unshare --mount true 2>/dev/null || give_up 'no mount namespaces here'
    # `exec` keeps the number of the process: the second time it is known.
    AFTERIMAGE_MESA_INSIDE=$$ exec unshare --mount --propagation private "${BASH_SOURCE[0]}" "$@"
fi
unset AFTERIMAGE_MESA_INSIDE

roots=${AFTERIMAGE_MESA_ROOTS:-/var/tmp/afterimage-mesa}
root=$roots/$suite

install_debootstrap() {
    command -v debootstrap >/dev/null && return
    command -v apt-get >/dev/null || return
    apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            debootstrap debian-archive-keyring >/dev/null
}

# Two that start at once must not both fetch.
mkdir -p "$roots"
exec 9>"$roots/$suite.lock"
flock 9
if [ ! -e "$root" ]; then
    install_debootstrap >&2 || give_up 'debootstrap could not be installed'
    rm -rf "$root.part"
    # Beside the driver what the tests call.
    debootstrap --variant=minbase --include=mesa-vulkan-drivers,libvulkan1,procps,mount "$suite" "$root.part" \
        https://deb.debian.org/debian >&2 || give_up "debootstrap could not fetch $suite"
    rm -rf "$root.part"/var/cache/apt/archives/*.deb
    mv "$root.part" "$root"
fi
exec 9>&-

bind() {
    mkdir -p "$root$1"
    mount --rbind "$1" "$root$1"
}
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for folder in /proc /sys /dev /tmp "$repository" ${CARGO_TARGET_DIR:+"$(realpath -m "$CARGO_TARGET_DIR")"}; do
    bind "$folder"
done
version=$(chroot "$root" dpkg-query --show --showformat='${Version}' mesa-vulkan-drivers)
printf 'mesa.sh: Mesa %s\n' "$version" >&2
# No other driver, of this machine or of that suite; and there is no browser inside, and no Python that has TensorBoard.
exec env --unset=LD_LIBRARY_PATH --unset=VK_DRIVER_FILES --unset=VK_ICD_FILENAMES --unset=XDG_CACHE_HOME \
    --unset=AFTERIMAGE_BROWSER --unset=AFTERIMAGE_TENSORBOARD VK_LOADER_DRIVERS_SELECT='lvp*' NODEVICE_SELECT=1 HOME=/root \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    chroot "$root" env --chdir="$PWD" "${@:2}"
