#!/usr/bin/env bash
# On lavapipe a compensated sum is a plain sum: Mesa simplifies (a + b) − a to b, as if floats were numbers.
#
# One would have sworn that a driver's compiler leaves the order of additions alone where exact cancellation is their whole
# point: WGSL allows reassociation, but the other software driver, SwiftShader, does what is written. Under lavapipe the
# correction of Kahan's sum is 0 at every step, the error term of Møller and Knuth's two-sum is 0, and 2²⁴ + 1 − 2²⁴ is 1,
# which no sum of floats gives. That is silent, and deceives both ways: (a + b) − a is *better* than right there, so a test of
# how an expression cancels passes on lavapipe and fails elsewhere. What is spared: Neumaier's variant, whose branch hides the
# pattern, and any sum that goes through an exclusive-or with a zero that comes from a buffer.
#
# Seen with Debian 12's mesa-vulkan-drivers 22.3.6-1+deb12u2 (LLVM 15) through wgpu-py 0.32.0 (naga 29): 1 and a thousand
# times 1e-8 summed by Kahan's method are 1.0 (right: 1.00001); the same in Debian 13's Mesa 25.0.7, tried by hand.
#
# Why it matters here: running means of energies and weights, log Z along thousands of snapshots and pixels that move by
# less than their last digit are where a compensated sum in 32-bit floats pays, and lavapipe is where kernels are tested. It
# needs Debian 12 on x86-64, whose packages are unpacked into the temporary folder.

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
import struct
import sys

import wgpu
from wgpu.utils import compute

adapter = wgpu.gpu.request_adapter_sync()
print("adapter:", adapter.info["device"], adapter.info["description"])
assert "22.3.6" in adapter.info["description"], "another driver answered"

def run(name, body, right):
    """The first float that a shader leaves; numbers come from a buffer, so that no compiler knows them."""
    code = f"""
    @group(0) @binding(0) var<storage, read> given: array<f32>;
    @group(0) @binding(1) var<storage, read_write> out: array<f32>;
    fn keep(x: f32) -> f32 {{ return bitcast<f32>(bitcast<u32>(x) ^ bitcast<u32>(given[3])); }}
    @compute @workgroup_size(1) fn main() {{ let one = given[0]; let tiny = given[1]; let large = given[2]; {body} }}"""
    given = memoryview(struct.pack("4f", 1.0, 1e-8, 16777216.0, 0.0))
    out = compute.compute_with_buffers({0: given}, {1: (1, "f")}, code, n=1)[1]
    value = memoryview(out).cast("B").cast("f")[0]
    print(f"{name}: {value:.9g} (as written: {right:.9g})")
    return value


turns = "for (var i = 0; i < 1000; i++)"
kahan = "var s = one; var c = 0.0; {} {{ let y = tiny - c; let t = {}(s + y); c = (t - s) - y; s = t; }} out[0] = s;"
plain = run("plain sum of 1 and a thousand times 1e-8", f"var s = one; {turns} {{ s += tiny; }} out[0] = s;", 1.0)
compensated = run("Kahan's sum", kahan.format(turns, ""), 1.00001)
kept = run("Kahan's sum through an exclusive-or", kahan.format(turns, "keep"), 1.00001)
neumaier = run("Neumaier's sum", f"""var s = one; var c = 0.0; {turns} {{ let t = s + tiny;
    if (abs(s) >= abs(tiny)) {{ c += (s - t) + tiny; }} else {{ c += (tiny - t) + s; }} s = t; }} out[0] = s + c;""", 1.00001)
error = run("error of 1 + 1e-8 by two-sum",
            "let s = one + tiny; let b = s - one; out[0] = (one - (s - b)) + (tiny - b);", 1e-8)
cancelled = run("(2^24 + 1) - 2^24", "out[0] = (large + one) - large;", 0.0)

sums = plain == compensated == 1.0 and abs(kept - 1.00001) < 1e-6 and abs(neumaier - 1.00001) < 1e-6
if not (sums and error == 0.0 and cancelled == 1.0):
    sys.exit("changed: lavapipe no longer simplifies compensated sums away, or does so in other places")
print("as described: the compensation is simplified away")
PY
