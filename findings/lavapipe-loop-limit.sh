#!/usr/bin/env bash
# On lavapipe, Mesa's Vulkan driver for the CPU, all loops of a shader together get 65,535 turns; after that each loop that is
# entered makes one turn and ends, in silence.
#
# One would have sworn that a loop with a bound known at run time makes as many turns as its bound says, or that the device
# is lost. Instead a counter in the driver counts down over all loops that an invocation enters, whether nested, one after
# the other or in functions, and is never filled up again: a loop of 100,000 turns makes 65,535 of them; of two loops of
# 40,000 the second makes 25,534, and a third one, of ten turns, makes 1. No error, no lost device, no message, and no limit
# that a device could be asked for says so. The same shader makes all its turns under SwiftShader.
#
# Seen with Debian 12's mesa-vulkan-drivers 22.3.6-1+deb12u2 (LLVM 15) through wgpu-py 0.32.0 (naga 29), figures above.
# Debian 13's 25.0.7 (LLVM 19), tried by hand, makes all turns.
#
# Why it matters here: lavapipe is what kernels are tested on where there is no GPU. A whole Langevin chain in one dispatch,
# or a weight gradient summed over a batch's pixels (128 pictures of 28 × 28 are 100,352), is over the limit at once, and the
# result is a plausible smaller number. It needs Debian 12 on x86-64, whose packages are unpacked into the temporary folder.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check 'wgpu==0.32.0' 'cffi==2.1.1' 'rendercanvas==2.7.2'
mkdir "$folder/packages"
(
    cd "$folder/packages"
    apt-get -qq -o APT::Sandbox::User=root download mesa-vulkan-drivers=22.3.6-1+deb12u2 libllvm15=1:15.0.6-4+b1 libvulkan1=1.3.239.0-1 \
        libdrm2 libxcb-dri3-0 libxcb-present0 libxcb-xfixes0 libxcb-sync1 libxcb-randr0 libxcb-shm0 libxcb1 libx11-xcb1 \
        libxau6 libxdmcp6 libbsd0 libmd0 libxshmfence1 libwayland-client0 libexpat1 libffi8 libedit2 libz3-4 libxml2 libicu72
)
for package in "$folder"/packages/*.deb; do dpkg-deb -x "$package" "$folder/mesa"; done
libraries=$folder/mesa/usr/lib/x86_64-linux-gnu
sed "s|/usr/lib/x86_64-linux-gnu|$libraries|" "$folder/mesa/usr/share/vulkan/icd.d/lvp_icd.x86_64.json" >"$folder/lavapipe.json"

export LD_LIBRARY_PATH=$libraries VK_DRIVER_FILES=$folder/lavapipe.json VK_ICD_FILENAMES=$folder/lavapipe.json
export MESA_SHADER_CACHE_DISABLE=true XDG_RUNTIME_DIR=$folder
"$folder/env/bin/python" - <<'PY'
import sys

import wgpu
from wgpu.utils import compute

adapter = wgpu.gpu.request_adapter_sync()
print("adapter:", adapter.info["device"], adapter.info["description"])
assert "22.3.6" in adapter.info["description"], "another driver answered"


def run(name, body, functions=""):
    """What the shader leaves in its first numbers; bounds come from a buffer, so that no compiler knows them."""
    code = f"""
    @group(0) @binding(0) var<storage, read> bound: array<u32>;
    @group(0) @binding(1) var<storage, read_write> out: array<u32>;
    fn count(turns: u32) -> u32 {{ var n = 0u; for (var i = 0u; i < turns; i++) {{ n += bound[3]; }} return n; }}
    @compute @workgroup_size(1) fn main() {{ {body} }}"""
    bounds = memoryview(b"".join(n.to_bytes(4, "little") for n in (100_000, 40_000, 1_000, 1, 10)))
    out = compute.compute_with_buffers({0: bounds}, {1: (3, "I")}, code, n=1)[1]
    turns = list(memoryview(out).cast("B").cast("I"))
    print(f"{name}:", *turns)
    return turns


one = run("one loop of 100,000 turns", "out[0] = count(bound[0]);")
three = run("loops of 40,000, 40,000 and 10 turns, one after the other",
            "out[0] = count(bound[1]); out[1] = count(bound[1]); out[2] = count(bound[4]);")
nested = run("1,000 times 1,000 turns, nested: inner ones, outer ones",
             "for (var i = 0u; i < bound[2]; i++) { out[0] += count(bound[2]); out[1] += 1u; }")

if (one[0], three) != (65_535, [40_000, 25_534, 1]) or nested[0] >= 66_000 or nested[1] >= 1_000:
    sys.exit("changed: loops of a shader are no longer cut off at 65,535 turns together")
print("as described: 65,535 turns for all loops together, then one turn each")
PY
