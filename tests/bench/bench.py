"""Times the engine beside PyTorch and onnxruntime in one run: A B A B ..., medians, peak memory.

    [LUCIDA_FAST=1] ./dev bench [--turns N] [--threads N] [--only TEXT] [--json FILE]

Every contestant of a case is a process of its own that stays warm; they take turns, so that a
clock that drifts or a busy machine hits all alike. The ratio is the engine's time over the better
of PyTorch's two layouts. Memory is VmHWM: the whole process, runtime and weights included.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CASES = [("squeezenet1_1", 224, "forward"), ("squeezenet1_1", 224, "gradient"),
         ("resnet50", 224, "forward"), ("resnet50", 224, "gradient"),
         ("vgg19_features", 512, "forward"), ("vgg19_features", 512, "gradient")]


class Contestant:
    def __init__(self, name, argv, env, pause):
        self.name, self.ms, self.pause, self.peak, self.p = name, [], pause, None, None
        try:
            self.p = subprocess.Popen(argv, cwd=ROOT, env=dict(os.environ, **env), text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        except OSError as e:
            self.note = "left out: %s" % e
            return
        line = self.p.stdout.readline().strip()
        if line.startswith("ready"):
            self.note = line[6:]
        else:
            self.note = "left out: " + (self.p.communicate()[1].strip().split("\n")[-1] or "no answer")
            self.p = None

    def turn(self):
        if self.p:
            time.sleep(self.pause)  # lets the last one's spinning threads go to sleep
            self.p.stdin.write("\n")
            self.p.stdin.flush()
            self.ms.append(float(self.p.stdout.readline()))

    def end(self):
        if self.p:
            out, _ = self.p.communicate()
            self.peak = int(out.split()[-1]) / 1024


def contestants(case, threads, pause):
    name, size, mode = case
    rest = [name, str(size), mode, str(threads)]
    torch_env = {"OPENBLAS_CORETYPE": "SkylakeX", "OPENBLAS_NUM_THREADS": "1",
                 "OMP_NUM_THREADS": str(threads)}
    yield Contestant("lucida", [os.path.join(ROOT, "build/release/tests/bench_net")] + rest, {}, pause)
    for layout in ("plain", "channels_last"):
        yield Contestant("PyTorch " + layout,
                         ["/usr/bin/python3", os.path.join(HERE, "peer_torch.py")] + rest + [layout],
                         torch_env, pause)
    if mode == "forward":
        yield Contestant("onnxruntime", ["node", os.path.join(HERE, "peer_ort.js")] + rest,
                         {"NODE_PATH": os.path.join(ROOT, "build/bench/node_modules")}, pause)


def run_case(case, args):
    print("\n%s %d %s, %d threads (load %.2f)" % (*case, args.threads, os.getloadavg()[0]))
    field = list(contestants(case, args.threads, args.pause))
    for _ in range(args.turns):
        for c in field:
            c.turn()
    for c in field:
        c.end()
    engine = statistics.median(field[0].ms) if field[0].ms else None
    torch = [c.ms for c in field if c.ms and "PyTorch" in c.name]
    print("  %-24s %10s %10s %10s %12s" % ("", "median ms", "best", "worst", "peak MiB"))
    for c in field:
        if c.ms:
            print("  %-24s %10.2f %10.2f %10.2f %12.0f   %s" % (
                c.name, statistics.median(c.ms), min(c.ms), max(c.ms), c.peak, c.note))
        else:
            print("  %-24s %s" % (c.name, c.note))
    if engine and torch:
        print("  lucida takes %.2f of PyTorch's time (best turns: %.2f)" % (
            engine / min(statistics.median(ms) for ms in torch),
            min(field[0].ms) / min(min(ms) for ms in torch)))
    if os.getloadavg()[0] > args.threads + 1:
        print("  the machine is busy: medians mean little, best turns a little more")
    return {"case": "%s %d %s" % case, "load": os.getloadavg()[0],
            "runs": [{"name": c.name, "ms": c.ms, "peak_mib": c.peak, "note": c.note} for c in field]}


def main():
    p = argparse.ArgumentParser(prog="./dev bench")
    p.add_argument("--turns", type=int, default=15)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--pause", type=float, default=0.02, help="seconds between turns")
    p.add_argument("--only", default="", help="cases whose name contains this")
    p.add_argument("--json", help="write every time here")
    args = p.parse_args()
    results = [run_case(c, args) for c in CASES if args.only in "%s %d %s" % c]
    if args.json:
        with open(args.json, "w") as f:
            json.dump(results, f, indent=1)
    return 0 if results and all(r["runs"][0]["ms"] for r in results) else 1


sys.exit(main())
