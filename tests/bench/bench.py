"""Times the engine beside PyTorch and onnxruntime in one run: A B A B ..., medians, one table.

    ./dev bench [CASE...] [--threads 1|2] [--turns N] [--json FILE] [--list]

A CASE is the beginning of a name in the list. Every contestant of a case is a process of its own
that stays warm; they take turns, so that a clock that drifts or a busy machine hits all alike. Ratios
are the peer's median over the engine's: above 1 the engine is faster. GFLOP/s count a convolution by
its direct sum whatever way it is computed, so Winograd's may pass the machine's peak, which is
measured first. Peers that are missing are named; `./dev bench --setup` installs them.
"""
import argparse
import json
import os
import selectors
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILT = os.path.join(ROOT, "build/release/tests")
SHARED = os.path.join(os.environ.get("LUCIDA_SHARED") or "../shared", "models")
EXPORTS = os.path.join(ROOT, "build/bench")
START_S = 120  # for a peer to load and warm up


class Case:
    """`fast`: the plan that methods making pictures use, Winograd's convolutions included."""

    def __init__(self, name, network, height, width, batch=1, mode="forward", fast="strict"):
        self.name, self.network, self.mode, self.fast = name, network, mode, fast
        self.size = [str(height), str(width), str(batch)]

    def file(self):
        for folder in (SHARED, EXPORTS):
            path = os.path.join(folder, self.network + ".onnx")
            if os.path.exists(path):
                return path
        return None


CASES = [
    Case("resnet50", "resnet50", 224, 224),
    Case("resnet50-fast", "resnet50", 224, 224, fast="fast"),
    Case("resnet50-gradient", "resnet50", 224, 224, mode="gradient"),
    Case("resnet50-batch32", "resnet50", 224, 224, batch=32),
    Case("squeezenet", "squeezenet1_1", 224, 224),
    Case("squeezenet-batch32", "squeezenet1_1", 224, 224, batch=32),
    Case("mobilenet", "mobilenet", 224, 224),
    Case("alexnet-fc", "alexnet_fc", 48, 64),
    Case("vgg19-224", "vgg19_features", 224, 224, fast="fast"),
    Case("vgg19-512", "vgg19_features", 512, 512, fast="fast"),
    Case("vgg19-512-gradient", "vgg19_features", 512, 512, mode="gradient", fast="fast"),
    Case("johnson-512", "style_candy", 512, 512, fast="fast"),
    Case("johnson-1024", "style_candy", 1024, 1024, fast="fast"),
]


class Contestant:
    def __init__(self, name, argv, env):
        self.name, self.ms, self.peak, self.about, self.p = name, [], None, {}, None
        self.why = ""
        try:
            self.p = subprocess.Popen(argv, cwd=ROOT, env=dict(os.environ, **env), text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        except OSError as e:
            self.why = str(e)
            return
        line = self.answer()
        if line.startswith("ready"):
            self.about = json.loads(line[6:])
        else:
            self.p.kill()
            self.why = self.p.communicate()[1].strip().split("\n")[-1] or "no answer"
            self.p = None

    def answer(self):
        with selectors.DefaultSelector() as s:
            s.register(self.p.stdout, selectors.EVENT_READ)
            return self.p.stdout.readline().strip() if s.select(START_S) else ""

    def turn(self):
        if self.p:
            time.sleep(0.02)  # lets the last one's spinning threads go to sleep
            self.p.stdin.write("\n")
            self.p.stdin.flush()
            self.ms.append(float(self.answer()))

    def end(self):
        if self.p:
            self.peak = int(self.p.communicate()[0].split()[-1]) / 1024

    def median(self):
        return statistics.median(self.ms) if self.ms else None


def torch_python():
    """Debian's Python, where python3-torch is; another Python on the PATH may not see it."""
    return "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def contestants(case, threads, wanted):
    path = case.file()
    rest = case.size + [case.mode]
    ours = "resnet50" if case.network == "resnet50" else path
    yield Contestant("lucida", [os.path.join(BUILT, "bench_net"), ours] + rest +
                     [case.fast, str(threads)], {})
    env = {"OPENBLAS_CORETYPE": "SkylakeX", "OPENBLAS_NUM_THREADS": "1",
           "OMP_NUM_THREADS": str(threads)}
    for layout in ("plain", "channels_last") if "torch" in wanted else ():
        yield Contestant("torch", [torch_python(), os.path.join(HERE, "peer_torch.py"),
                                   case.network if case.network == "resnet50" else path] + rest +
                         [str(threads), layout], env)
    if "ort" in wanted and case.mode == "forward":
        if not path:  # lucida reads the pulled network, onnxruntime its export
            path = os.path.join(EXPORTS, case.network + ".onnx")
        yield Contestant("ort", ["node", os.path.join(HERE, "peer_ort.js"), path] + rest +
                         [str(threads)], {"NODE_PATH": os.path.join(EXPORTS, "node_modules")})


def run_case(case, args, missing):
    """A result for the table, or None with the reason in `missing`."""
    if case.network != "resnet50" and not case.file():
        missing.add("%s: there is no %s.onnx in %s or build/bench" % (case.name, case.network, SHARED))
        return None
    field = list(contestants(case, args.threads, args.peers.split(",")))
    for _ in range(args.turns):
        for c in field:
            c.turn()
    for c in field:
        c.end()
        if c.why:
            missing.add("%s: %s: %s" % (case.name, {"torch": "PyTorch", "ort": "onnxruntime"}.get(
                c.name, c.name), c.why))
    medians = {}
    for c in field:
        if c.ms and (c.name not in medians or c.median() < medians[c.name]):
            medians[c.name] = c.median()
    return {"case": case.name, "medians": medians, "gflop": field[0].about.get("gflop"),
            "load": os.getloadavg()[0],
            "runs": [{"name": c.name, "ms": c.ms, "best": min(c.ms) if c.ms else None,
                      "peak_mib": c.peak, "about": c.about} for c in field]}


def number(value, form="%.2f"):
    return "-" if value is None else form % value


def print_row(r, peak):
    m = r["medians"]
    ours = m.get("lucida")
    best = {x["name"]: x["best"] for x in r["runs"]}.get("lucida")
    passes = 2 if r["case"].endswith("gradient") else 1
    rate = passes * r["gflop"] / ours * 1e3 if ours and r["gflop"] else None
    over = lambda peer: m[peer] / ours if ours and m.get(peer) else None
    print("%-20s %9s %9s %9s %9s %8s %8s %8s %6s" % (
        r["case"], number(ours), number(best), number(m.get("torch")), number(m.get("ort")),
        number(over("torch"), "%.2fx"), number(over("ort"), "%.2fx"), number(rate, "%.0f"),
        number(100 * rate / peak if rate and peak else None, "%.0f %%")), flush=True)


def measure_peak(threads):
    try:
        out = subprocess.run([os.path.join(BUILT, "bench_peak"), str(threads)], text=True,
                             capture_output=True, check=True).stdout
        return json.loads(out)
    except (OSError, subprocess.CalledProcessError, ValueError) as e:
        print("bench: the machine's peak could not be measured: %s" % e, file=sys.stderr)
        return {}


def main():
    p = argparse.ArgumentParser(prog="./dev bench")
    p.add_argument("cases", nargs="*", metavar="CASE")
    p.add_argument("--turns", type=int, default=11)
    p.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
    p.add_argument("--peers", default="torch,ort", help="which to run beside: torch,ort")
    p.add_argument("--json", help="write every time here")
    p.add_argument("--list", action="store_true", help="only say which cases there are")
    args = p.parse_args()
    chosen = [c for c in CASES if not args.cases or any(c.name.startswith(n) for n in args.cases)]
    exact = [c for c in CASES if c.name in args.cases]
    unknown = [n for n in args.cases if not any(c.name.startswith(n) for c in CASES)]
    if unknown:
        p.error("no case begins with %s; there are: %s" % (unknown[0], ", ".join(c.name for c in CASES)))
    if len(args.cases) == len(exact):  # whole names mean just these
        chosen = exact or chosen
    if args.list:
        print("\n".join(c.name for c in chosen))
        return 0
    peak = measure_peak(args.threads)
    print("%d threads; peak %s GFLOP/s in float32, %s GB/s from memory; load %.1f; %d turns" % (
        args.threads, peak.get("gflops", "-"), peak.get("gb_per_s", "-"), os.getloadavg()[0],
        args.turns))
    print("%-20s %9s %9s %9s %9s %8s %8s %8s %6s" % ("", "lucida ms", "(best)", "torch ms", "ort ms",
                                                   "x torch", "x ort", "GFLOP/s", "peak"), flush=True)
    missing, results = set(), []
    for case in chosen:
        r = run_case(case, args, missing)
        if r:
            results.append(r)
            print_row(r, peak.get("gflops"))
    for line in sorted(missing):
        print("missing: " + line)
    if any("PyTorch" in line or "onnxruntime" in line for line in missing):
        print("./dev bench --setup installs the peers and exports their networks")
    if args.json:
        with open(args.json, "w") as f:
            json.dump({"peak": peak, "threads": args.threads, "results": results}, f, indent=1)
    return 0 if results and all(r["medians"].get("lucida") for r in results) else 1


sys.exit(main())
