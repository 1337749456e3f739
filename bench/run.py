#!/usr/bin/env python3
"""Times plan, apply, no-op plan and destroy of generated modules, beside terraform where it is on the PATH.

usage: run.py [--sizes 1000,10000,50000] [--shapes linked,chain,modules,foreach,wide] [--peer-plan 10000] [--no-peer]

Prints a Markdown table: wall seconds and peak memory of each whole process. terraform runs in the same run on the same
files and is stopped at 180 s. Runs the binary in target/release (or $CARGO_TARGET_DIR/release): build it first.
"""
import argparse
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

LIMIT = 180
HERE = pathlib.Path(__file__).resolve().parent


def timed(argv, folder, env):
    """Wall seconds and peak MiB of one process; None seconds when it was stopped or failed."""
    began = time.monotonic()
    process = subprocess.Popen(argv, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0
    while True:
        try:
            _, error = process.communicate(timeout=0.02)
            break
        except subprocess.TimeoutExpired:
            try:
                text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                peak = max(peak, *(int(row.split()[1]) for row in text.splitlines() if row.startswith("VmHWM")), 0)
            except (OSError, ValueError):
                pass
            if time.monotonic() - began > LIMIT:
                process.kill()
                process.communicate()
                return None, peak / 1024
    took = time.monotonic() - began
    if process.returncode != 0:
        print(error.decode()[-2000:], file=sys.stderr)
        return None, peak / 1024
    return took, peak / 1024


def show(seconds, memory, other=None):
    if seconds is None:
        return f"> {LIMIT} s"
    ratio = ""
    if other is not None:
        ratio = f" ({other / seconds:.1f}×)"
    return f"{seconds:.2f} s, {memory:.0f} MiB{ratio}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="1000,10000,50000")
    parser.add_argument("--shapes", default="linked,chain,modules,foreach,wide")
    parser.add_argument("--peer-plan", type=int, default=10000)
    parser.add_argument("--peer-apply", type=int, default=2000)
    parser.add_argument("--no-peer", action="store_true")
    options = parser.parse_args()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    ours = target / "release" / "infra"
    if not ours.exists():
        sys.exit(f"{ours} is missing: cargo build --release")
    peer = None if options.no_peer else shutil.which("terraform")
    print("| shape | N | step | infra | terraform |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        empty = root / "terraformrc"
        empty.write_text("")
        env = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": str(empty), "NO_COLOR": "1"}
        for shape in options.shapes.split(","):
            for size in map(int, options.sizes.split(",")):
                folder = root / f"{shape}-{size}"
                subprocess.run([sys.executable, HERE / "gen.py", str(size), folder, shape], check=True)
                steps = [
                    ("plan", ["plan", "-input=false", "-no-color"]),
                    ("apply", ["apply", "-input=false", "-auto-approve", "-no-color"]),
                    ("no-op plan", ["plan", "-input=false", "-no-color"]),
                    ("destroy", ["destroy", "-input=false", "-auto-approve", "-no-color"]),
                ]
                small = 1000 if shape != "linked" else None
                other_ok = {
                    "plan": size <= (small or options.peer_plan),
                    "apply": size <= (small or options.peer_apply),
                    "no-op plan": size <= (small or options.peer_apply),
                    "destroy": False,
                }
                if peer:
                    subprocess.run([peer, "init", "-input=false"], cwd=folder, env=env, check=False, stdout=subprocess.DEVNULL)
                for name, argv in steps:
                    theirs = None
                    cell = "–"
                    state = folder / "terraform.tfstate"
                    if peer and other_ok[name]:
                        if name == "apply":
                            # Each applies from nothing; ours comes last, so that its state is the one read afterwards.
                            theirs, memory = timed([peer, *argv], folder, env)
                            for left in folder.glob("terraform.tfstate*"):
                                left.unlink()
                        else:
                            theirs, memory = timed([peer, *argv], folder, env)
                        cell = show(theirs, memory)
                    seconds, memory = timed([str(ours), *argv], folder, env)
                    print(f"| {shape} | {size} | {name} | {show(seconds, memory, theirs)} | {cell} |", flush=True)
                    if seconds is None:
                        break
                    if name == "apply":
                        print(f"| {shape} | {size} | bytes of state | {state.stat().st_size} | |", flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
