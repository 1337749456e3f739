#!/usr/bin/env python3
"""Times plan, apply, no-op plan and destroy of generated modules, beside terraform where it is on the PATH.

usage: run.py [--sizes 1000,2000,10000,50000] [--shapes linked,chain,modules,foreach,wide] [--repeat 3] [--no-peer]

Prints Markdown tables: wall seconds, peak memory and bytes written of each whole process; of ours the median of --repeat
runs. terraform runs in the same run on the same files, once each, and is stopped at 180 s: then "> n×" is what is known of
the ratio. Its no-op plan reads the state that ours wrote. Runs the binary in target/release (or
$CARGO_TARGET_DIR/release): build it first. The temporary folder should lie on a real disk, where a sync costs what it costs.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

LIMIT = 180
HERE = pathlib.Path(__file__).resolve().parent
COMMON = ["-input=false", "-no-color"]


@dataclass
class Figures:
    """What one process took; `seconds` is None when it was stopped at the limit."""

    seconds: float | None
    mebibytes: float
    written: float


def timed(argv, folder, env, limit=LIMIT):
    """Runs a command to its end; anything but success, or the limit, ends the benchmark."""
    with tempfile.TemporaryFile() as error:
        began = time.monotonic()
        process = subprocess.Popen(argv, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=error)
        stopped = threading.Event()
        alarm = threading.Timer(limit, lambda: (stopped.set(), process.kill()))
        alarm.start()
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        figures = Figures(None if stopped.is_set() else took, usage.ru_maxrss / 1024, usage.ru_oublock * 512 / 1e6)
        if process.returncode != 0 and not stopped.is_set():
            error.seek(0)
            sys.exit(f"{argv} failed in {folder}:\n{error.read().decode()[-2000:]}")
    return figures


def median(runs):
    return Figures(*(statistics.median(getattr(run, name) for run in runs) for name in ("seconds", "mebibytes", "written")))


def cell(figures):
    if figures is None:
        return "–"
    seconds = f"> {LIMIT} s" if figures.seconds is None else f"{figures.seconds:.2f} s"
    return f"{seconds}, {figures.mebibytes:.0f} MiB, {figures.written:.1f} MB"


def ratio(ours, theirs):
    if theirs is None:
        return "–"
    more = "> " if theirs.seconds is None else ""
    speed = (theirs.seconds or LIMIT) / ours.seconds
    return f"{more}{speed:.0f}× faster, {more}1/{theirs.mebibytes / ours.mebibytes:.0f} memory"


class Bench:
    def __init__(self, ours, peer, root, repeat):
        self.ours, self.peer, self.root, self.repeat = ours, peer, root, repeat
        empty = root / "terraformrc"
        empty.write_text("")
        self.env = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": str(empty), "NO_COLOR": "1"}

    def mine(self, argv, folder, before=lambda: None):
        runs = []
        for _ in range(self.repeat):
            before()
            runs.append(timed([self.ours, *argv], folder, self.env))
        return median(runs)

    def theirs(self, argv, folder, wanted):
        return timed([self.peer, *argv], folder, self.env) if self.peer and wanted else None

    def shape(self, shape, size):
        """One row a step; the seconds of ours by step."""
        folder = self.root / f"{shape}-{size}"
        subprocess.run([sys.executable, HERE / "gen.py", str(size), folder, shape], check=True)
        linked = shape == "linked"
        plans, applies = (10_000, 2_000) if linked else (1_000, 1_000)
        if self.peer and size <= plans:
            subprocess.run([self.peer, "init", "-input=false"], cwd=folder, env=self.env, check=True, stdout=subprocess.DEVNULL)

        def clear():
            for left in folder.glob("terraform.tfstate*"):
                left.unlink()

        took = {}

        def row(step, ours, theirs):
            took[step] = ours.seconds
            print(f"| {shape} | {size} | {step} | {cell(ours)} | {cell(theirs)} | {ratio(ours, theirs)} |", flush=True)

        plan, apply = ["plan", *COMMON], ["apply", "-auto-approve", *COMMON]
        row("plan", self.mine(plan, folder), self.theirs(plan, folder, size <= plans))
        theirs = self.theirs(apply, folder, size <= applies)
        row("apply", self.mine(apply, folder, clear), theirs)
        row("no-op plan", self.mine(plan, folder), self.theirs(plan, folder, size <= plans))
        destroyed = timed([self.ours, "destroy", "-auto-approve", *COMMON], folder, self.env)
        row("destroy", destroyed, None)
        shutil.rmtree(folder)
        return took

    def small(self):
        """`infra version`, and an apply of the shipped development platform that changes nothing."""
        folder = self.root / "platform"
        folder.mkdir()
        for part in ("infra.hcl", "envs", "layers"):
            source = HERE.parent / part
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
        apply = ["apply", "-env", "dev", "-auto-approve"]
        first = timed([self.ours, *apply], folder, self.env)
        again = median([timed([self.ours, *apply], folder, self.env) for _ in range(11)])
        version = median([timed([self.ours, "version"], folder, self.env) for _ in range(51)])
        print("\n| command | time | memory |\n| --- | --- | --- |")
        for name, figures in (("infra version", version), ("first apply of dev", first), ("apply of dev that changes nothing", again)):
            print(f"| {name} | {figures.seconds * 1000:.0f} ms | {figures.mebibytes:.0f} MiB |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="1000,2000,10000,50000")
    parser.add_argument("--shapes", default="linked,chain,modules,foreach,wide")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--folder", help="where to work; a temporary folder by default")
    options = parser.parse_args()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    ours = target / "release" / "infra"
    if not ours.exists():
        sys.exit(f"{ours} is missing: cargo build --release")
    peer = None if options.no_peer else shutil.which("terraform")
    with tempfile.TemporaryDirectory(dir=options.folder) as root:
        bench = Bench(str(ours), peer, pathlib.Path(root), options.repeat)
        print("| shape | N | step | infra | terraform | ratio |\n| --- | --- | --- | --- | --- | --- |")
        took = {}
        for shape in options.shapes.split(","):
            for size in map(int, options.sizes.split(",")):
                took[shape, size] = bench.shape(shape, size)
        if "10000" in options.sizes.split(",") and "50000" in options.sizes.split(","):
            print("\n| shape | " + " | ".join(f"{step}, 50k : 10k" for step in ("plan", "apply", "no-op plan", "destroy")) + " |")
            print("| --- | --- | --- | --- | --- |")
            for shape in options.shapes.split(","):
                steps = took[shape, 10_000]
                times = " | ".join(f"{took[shape, 50_000][step] / steps[step]:.2f}" for step in steps)
                print(f"| {shape} | {times} |")
        bench.small()


if __name__ == "__main__":
    main()
