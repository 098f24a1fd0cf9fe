#!/usr/bin/env python3
"""Times PyTorch on the reference networks of `afterimage bench`.

    pip install torch                                                         with CUDA, where there is a GPU
    pip install torch --index-url https://download.pytorch.org/whl/cpu        without
    python3 peer_torch.py --nets D,M --seconds 2

Prints one line for each network, mode and kind of work; with --json one object, after a first one about the machine.

work  langevin   energy, its gradient in x, x <- x - step * gradient + noise
      train      energies of data and noise together, logistic loss, its gradient in the weights, Adam
mode  eager, channels_last (eager in that memory format), compile (torch.compile),
      graph (CUDA graph of ten Langevin steps, channels_last; only with --device cuda)

With --device cuda everything is measured twice: precision fp32, and tf32 for convolutions and matrix products.
A combination that does not run is named on stderr and left out.
"""

import argparse
import json
import platform
import statistics
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn.functional import softplus
except ImportError:
    sys.exit(
        "error: PyTorch is missing: run  pip install torch --index-url https://download.pytorch.org/whl/cpu"
        "  (or plain  pip install torch  for CUDA) with this Python, or name another Python"
    )

MODES = ["eager", "channels_last", "compile", "graph"]
# Steps between two waits for a GPU: no sampler waits after each.
CUDA_STEPS = 10
STEP_SIZE, NOISE, RATE = 1e-3, 0.005, 1e-4


def network(name):
    """The layers of a reference network, and the shape of its batch."""
    if name == "D":
        convolutions, dense, shape = [(1, 32, 3, 1, 1), (32, 64, 3, 2, 1), (64, 64, 3, 2, 1)], [256, 1], (128, 1, 8, 8)
    elif name == "M":
        convolutions = [(1, 16, 5, 2, 4), (16, 32, 3, 2, 1), (32, 64, 3, 2, 1), (64, 64, 3, 2, 1)]
        dense, shape = [256, 64, 1], (128, 1, 28, 28)
    elif name == "C":
        convolutions = [(3, 64, 3, 1, 1), (64, 128, 4, 2, 1), (128, 256, 4, 2, 1), (256, 512, 4, 2, 1), (512, 1, 4, 1, 0)]
        dense, shape = [], (64, 3, 32, 32)
    elif name == "P":
        convolutions, dense, shape = [], [2, 64, 64, 64, 64, 1], (1024, 2, 1, 1)
    else:
        sys.exit(f"error: no network is called '{name}': choose from D, M, C, P")
    layers = [nn.Conv2d(*arguments) for arguments in convolutions] + [nn.Flatten()]
    layers += [nn.Linear(*features) for features in zip(dense, dense[1:])]
    with_activations = []
    parametric = [layer for layer in layers if not isinstance(layer, nn.Flatten)]
    for layer in layers:
        with_activations.append(layer)
        if layer in parametric[:-1]:
            with_activations.append(nn.LeakyReLU(0.2) if name == "C" else nn.SiLU())
    return nn.Sequential(*with_activations), shape


def forward_flops(net, shape):
    """Floating-point operations of one forward pass over the batch, a multiply-add counted as two."""
    total, x = 0, torch.zeros(1, *shape[1:])
    for layer in net:
        x = layer(x)
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            total += 2 * x.numel() * layer.weight[0].numel()
    return total * shape[0]


def langevin(net, x, steps):
    """A function that takes `steps` Langevin steps of the batch x."""
    net.requires_grad_(False)
    state = x.clone()

    def run():
        for _ in range(steps):
            position = state.detach().requires_grad_(True)
            (gradient,) = torch.autograd.grad(net(position).sum(), position)
            with torch.no_grad():
                state.add_(gradient, alpha=-STEP_SIZE).add_(torch.randn_like(state), alpha=NOISE)

    return run


def train(net, x, memory_format):
    """A function that makes one update on the data x and as many noise samples."""
    optimiser = torch.optim.Adam(net.parameters(), RATE, fused=x.is_cuda)
    both = torch.cat([x, torch.rand_like(x)]).contiguous(memory_format=memory_format)
    count = x.shape[0]

    def run():
        energies = net(both).reshape(-1)
        loss = softplus(energies[:count]).mean() + softplus(-energies[count:]).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return run


def as_graph(run):
    """The work of `run` as a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def clock(run, device, seconds):
    """Seconds of each run, after two that warm up."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    for _ in range(2):
        run()
    wait()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        run()
        wait()
        times.append(time.perf_counter() - start)
    return times


def measure(name, mode, work, device, seconds):
    """One figure, or None where this mode does not have this work."""
    if mode == "graph" and (device != "cuda" or work != "langevin"):
        return None
    torch.manual_seed(0)
    net, shape = network(name)
    flops = forward_flops(net, shape)
    memory_format = torch.channels_last if mode in ("channels_last", "graph") else torch.contiguous_format
    net = net.to(device).to(memory_format=memory_format)
    x = torch.rand(shape, device=device).contiguous(memory_format=memory_format)
    called = torch.compile(net) if mode == "compile" else net
    if work == "langevin":
        steps, cost = CUDA_STEPS if device == "cuda" else 1, 2 * flops
        run = langevin(called, x, steps)
    else:
        steps, cost = 1, 6 * flops
        run = train(called, x, memory_format)
    if mode == "graph":
        run = as_graph(run)
    times = [seconds / steps for seconds in clock(run, device, seconds)]
    median = statistics.median(times)
    return {
        "net": name, "mode": mode, "work": work, "device": device, "batch": shape[0],
        "ms": median * 1e3, "ms_min": min(times) * 1e3, "per_s": 1 / median,
        "gflops": cost / median / 1e9, "runs": len(times),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", default="D,M,C")
    parser.add_argument("--modes", default="eager,channels_last", help=f"of {', '.join(MODES)}")
    parser.add_argument("--work", default="langevin,train")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to measure each, at least")
    parser.add_argument("--threads", type=int, help="CPU threads; default: PyTorch's own choice")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args()
    unknown = set(arguments.modes.split(",")) - set(MODES) | set(arguments.work.split(",")) - {"langevin", "train"}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("this PyTorch finds no CUDA device")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    header = {
        "kind": "header", "torch": torch.__version__, "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if arguments.device == "cuda" else "cpu",
    }  # fmt: skip
    print(json.dumps(header) if arguments.json else ", ".join(f"{k} {v}" for k, v in header.items() if k != "kind"))

    torch.backends.cudnn.benchmark = True
    for precision in ["fp32", "tf32"] if arguments.device == "cuda" else ["fp32"]:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        for name in arguments.nets.split(","):
            for mode in arguments.modes.split(","):
                for work in arguments.work.split(","):
                    try:
                        figure = measure(name, mode, work, arguments.device, arguments.seconds)
                    except Exception as error:  # a backend may lack a compiler, memory or a kernel
                        print(f"{name} {mode} {work} did not run: {str(error).splitlines()[:1]}", file=sys.stderr)
                        continue
                    if figure is None:
                        continue
                    figure["precision"] = precision
                    if arguments.json:
                        line = json.dumps(figure)
                    else:
                        line = (
                            f"{name}  {mode:14}{work:10}{precision}  {figure['ms']:10.3f} ms (min {figure['ms_min']:.3f})"
                            f"{figure['per_s']:11.1f}/s{figure['gflops']:10.1f} GFLOP/s"
                        )
                    print(line, flush=True)


if __name__ == "__main__":
    main()
