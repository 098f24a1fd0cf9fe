#!/usr/bin/env bash
# A constant that is packed by pack4xI8Clamp becomes 127 where naga's SPIR-V meets SwiftShader.
#
# One would have sworn that pack4xI8Clamp(vec4(x, 3, -3, 0)) keeps 3, −3 and 0, which need no clamping. Where the device has no
# 8-bit integers, naga writes a signed clamp whose operand and result are declared unsigned: SPIR-V allows that, and the
# operation alone says what is signed. SwiftShader clamps operands that are known constants as if they were unsigned, between
# 4,294,967,168 and 127, which gives 127 whatever the constant; the lane that is not known until run time is clamped rightly,
# so that a test with all numbers from a buffer passes. The same program is right on lavapipe, and pack4xU8Clamp on both.
#
# Seen with wgpu-py 0.32.0 (naga 29) on SwiftShader 5.0.0 out of @sparticuz/chromium 153.0.0: −200 from the buffer and the
# constants 3, −3 and 0 pack to 0x7f7f7f80 (right: 0x00fd0380). Chromium's own compiler, Tint, has it right on SwiftShader.
#
# Why it matters here: SwiftShader is what wgpu programs are tested on where lavapipe is not, padding in zeros is what kernels
# on packed 8-bit weights or pixels do at a map's edge, and a zero that becomes 127 there is the largest value there is. It
# needs a Vulkan loader (Debian: libvulkan1) and npm.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check \
    'wgpu==0.32.0' 'cffi==2.1.1' 'rendercanvas==2.7.2' 'brotli==1.2.1'
(
    cd "$folder"
    npm pack --silent '@sparticuz/chromium@153.0.0' >/dev/null
    tar -xzf sparticuz-chromium-153.0.0.tgz package/bin/swiftshader.tar.br
    "$folder/env/bin/python" -c 'import brotli, sys; sys.stdout.buffer.write(brotli.decompress(open(sys.argv[1], "rb").read()))' \
        package/bin/swiftshader.tar.br | tar -x
)

export VK_DRIVER_FILES=$folder/vk_swiftshader_icd.json VK_ICD_FILENAMES=$folder/vk_swiftshader_icd.json XDG_RUNTIME_DIR=$folder
"$folder/env/bin/python" - <<'PY'
import struct
import sys

import wgpu
from wgpu.utils import compute

adapter = wgpu.gpu.request_adapter_sync()
print("adapter:", adapter.info["vendor"], adapter.info["device"])
assert "SwiftShader" in adapter.info["device"], "another driver answered"


def run(expression, right):
    """What an expression of numbers from a buffer packs to: x = −200, y = 3, z = −3 and w = 0."""
    code = f"""
    @group(0) @binding(0) var<storage, read> given: vec4<i32>;
    @group(0) @binding(1) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(1) fn main() {{ let x = given.x; out[0] = {expression}; }}"""
    given = memoryview(struct.pack("4i", -200, 3, -3, 0))
    out = compute.compute_with_buffers({0: given}, {1: (1, "I")}, code, n=1)[1]
    value = memoryview(out).cast("B").cast("I")[0]
    print(f"{expression}: {value:#010x} (right: {right:#010x})")
    return value == right, value


known = [
    run("pack4xI8Clamp(vec4(x, 3, -3, 0))", 0x00FD0380),
    run("pack4xI8Clamp(vec4(x, x, x, 0))", 0x00808080),
]
right = [
    run("pack4xI8Clamp(given)", 0x00FD0380),
    run("pack4xI8(clamp(vec4(x, 3, -3, 0), vec4(-128), vec4(127)))", 0x00FD0380),
    run("pack4xU8Clamp(vec4(u32(x), 3u, 300u, 0u))", 0x00FF03FF),
]
if [value for _, value in known] != [0x7F7F7F80, 0x7F808080] or not all(fits for fits, _ in right):
    sys.exit("changed: pack4xI8Clamp no longer makes 127 of constants on SwiftShader, or more than that is wrong")
print("as described: constants become 127, numbers from a buffer are right")
PY
