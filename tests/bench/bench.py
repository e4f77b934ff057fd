"""Times the engine beside PyTorch and onnxruntime in one run: A B A B ..., medians, one table.

    ./dev bench [CASE...] [--threads 1,2] [--turns N] [--markdown] [--json FILE] [--list]

A CASE is the beginning of a name in the list. Every contestant of a case is a process of its own
that stays warm; they take turns, so that a clock that drifts or a busy machine hits all alike. Ratios
are the peer's median over the engine's: above 1 the engine is faster; the goal is for the fastest
peer. A best far below its median means that the machine was busy. GFLOP/s count a convolution by its
direct sum whatever way it is computed, so Winograd's may pass the machine's peak, which is measured
first. Peers that are missing are named; `./dev bench --setup` installs them.
"""
import argparse
import json
import os
import selectors
import statistics
import subprocess
import sys
import time

from bench_cases import BUILT, CASES, ROOT, SHARED

START_S = 120  # for a peer to load and warm up
REST_S = 0.1   # between turns: onnxruntime's threads spin for 45 ms after theirs
NAMES = {"torch": "PyTorch", "ort": "onnxruntime"}
COLUMNS = ("", "thr", "lucida ms", "(best)", "torch ms", "(best)", "ort ms", "(best)", "x torch",
           "x ort", "goal", "met", "GFLOP/s", "peak")
WIDTHS = (20, 3, 9, 9, 9, 9, 9, 9, 7, 7, 5, 3, 7, 6)


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
            time.sleep(REST_S)
            self.p.stdin.write("\n")
            self.p.stdin.flush()
            self.ms.append(float(self.answer()))

    def end(self):
        if self.p:
            self.peak = int(self.p.communicate()[0].split()[-1]) / 1024

    def median(self):
        return statistics.median(self.ms) if self.ms else None


def run_case(case, threads, args, missing):
    """A result for the table, or None with the reason in `missing`."""
    if not case.runnable():
        missing.add("%s: there is no %s.onnx in %s or build/bench" % (case.name, case.network, SHARED))
        return None
    field = [Contestant(*c) for c in case.contestants(threads, args.peers.split(","))]
    for _ in range(min(args.turns, case.turns or args.turns)):
        for c in field:
            c.turn()
    for c in field:
        c.end()
        if c.why:
            missing.add("%s: %s: %s" % (case.name, NAMES.get(c.name, c.name), c.why))
    fastest = {}  # of each name: PyTorch runs with two layouts
    for c in field:
        if c.ms and (c.name not in fastest or c.median() < fastest[c.name].median()):
            fastest[c.name] = c
    return {"case": case.name, "threads": threads, "goal": case.goal,
            "medians": {n: c.median() for n, c in fastest.items()},
            "bests": {n: min(c.ms) for n, c in fastest.items()},
            "gflop": field[0].about.get("gflop"), "load": os.getloadavg()[0],
            "runs": [{"name": c.name, "ms": c.ms, "peak_mib": c.peak, "about": c.about}
                     for c in field]}


def number(value, form="%.2f"):
    return "-" if not value else form % value


def cells(r, peak):
    m, b = r["medians"], r["bests"]
    ours = m.get("lucida")
    rate = r["gflop"] / ours * 1e3 if ours and r["gflop"] else None
    over = {n: m[n] / ours for n in NAMES if ours and m.get(n)}
    met = ("yes" if min(over.values()) >= r["goal"] else "no") if over else "-"
    return [r["case"], str(r["threads"]), number(ours), number(b.get("lucida")),
            number(m.get("torch")), number(b.get("torch")), number(m.get("ort")),
            number(b.get("ort")), number(over.get("torch"), "%.2fx"),
            number(over.get("ort"), "%.2fx"), "%gx" % r["goal"], met, number(rate, "%.0f"),
            number(100 * rate / peak if rate and peak else None, "%.0f %%")]


def print_row(row, markdown):
    if markdown:
        print("| " + " | ".join(row) + " |", flush=True)
    else:
        print(" ".join([row[0].ljust(WIDTHS[0])] +
                       [c.rjust(w) for c, w in zip(row[1:], WIDTHS[1:])]), flush=True)


def measure_peak(threads):
    try:
        out = subprocess.run([os.path.join(BUILT, "bench_peak"), str(threads)], text=True,
                             capture_output=True, check=True).stdout
        return json.loads(out)
    except (OSError, subprocess.CalledProcessError, ValueError) as e:
        print("bench: the machine's peak could not be measured: %s" % e, file=sys.stderr)
        return {}


def read_arguments():
    p = argparse.ArgumentParser(prog="./dev bench")
    p.add_argument("cases", nargs="*", metavar="CASE")
    p.add_argument("--turns", type=int, default=11, help="of each contestant; whole maps take 3")
    p.add_argument("--threads", default=",".join(str(n + 1) for n in range(min(2, os.cpu_count()))),
                   help="how many, or several numbers: 1,2")
    p.add_argument("--peers", default="torch,ort", help="which to run beside: torch,ort")
    p.add_argument("--markdown", action="store_true", help="the table as Markdown")
    p.add_argument("--json", help="write every time here")
    p.add_argument("--list", action="store_true", help="only say which cases there are")
    args = p.parse_args()
    try:
        args.threads = [int(n) for n in args.threads.split(",")]
    except ValueError:
        p.error("--threads takes numbers: 1,2")
    unknown = [n for n in args.cases if not any(c.name.startswith(n) for c in CASES)]
    if unknown:
        p.error("no case begins with %s; there are: %s" % (unknown[0], ", ".join(c.name for c in CASES)))
    return args


def choose(names):
    exact = [c for c in CASES if c.name in names]
    if exact and len(exact) == len(names):  # whole names mean just these
        return exact
    return [c for c in CASES if not names or any(c.name.startswith(n) for n in names)]


def main():
    args = read_arguments()
    chosen = choose(args.cases)
    if args.list:
        print("\n".join(c.name for c in chosen))
        return 0
    peaks = {n: measure_peak(n) for n in args.threads}
    for n, peak in peaks.items():
        print("%d threads: peak %s GFLOP/s in float32, %s GB/s from memory; load %.1f; %d turns" % (
            n, peak.get("gflops", "-"), peak.get("gb_per_s", "-"), os.getloadavg()[0], args.turns))
    if args.markdown:
        print()
    print_row(list(COLUMNS), args.markdown)
    if args.markdown:
        print_row(["---"] + ["--:"] * (len(COLUMNS) - 1), True)
    missing, results = set(), []
    for case in chosen:
        for n in args.threads:
            r = run_case(case, n, args, missing)
            if r:
                results.append(r)
                print_row(cells(r, peaks[n].get("gflops")), args.markdown)
    if args.markdown:
        print()
    for line in sorted(missing):
        print("missing: " + line)
    if any(n in line for line in missing for n in NAMES.values()):
        print("./dev bench --setup installs the peers and exports their networks")
    if args.json:
        with open(args.json, "w") as f:
            json.dump({"peaks": peaks, "results": results}, f, indent=1)
    return 0 if results and all(r["medians"].get("lucida") for r in results) else 1


sys.exit(main())
