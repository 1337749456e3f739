#!/usr/bin/env python3
"""Times apply, no-op plan and destroy of Kubernetes objects on a real API server, beside kubectl, and beside terraform with its own
provider where a mirror of that is at hand.

usage: kubernetes.py [--kubeconfig FILE] [--maps 1000] [--mixed 300] [--repeat 3]

Without --kubeconfig a control plane of the lab is started (`./test --install` says which variables lead to its parts) and stopped
again. INFRA_BENCH_MIRROR names a filesystem mirror that holds hashicorp/kubernetes; without it, or without terraform on the PATH,
terraform is left out. Requests are what the API server counted for the kinds of the shape, controllers included.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from run import COMMON, HERE, timed

LAB = HERE.parent / "tests" / "lab" / "kubernetes.sh"
PROVIDER = """terraform {
  required_providers {
    kubernetes = {
      source = "hashicorp/kubernetes"
    }
  }
}

provider "kubernetes" {
  config_path = "%s"
}

resource "kubernetes_namespace_v1" "n" {
  metadata {
    name = "%s"
  }
}
"""
META = """  metadata {{
    name      = "{name}-${{count.index}}"
    namespace = kubernetes_namespace_v1.n.metadata[0].name
  }}
"""
# Of each kind: resource type, its body, the same object for kubectl, its plural.
KINDS = {
    "map": ("kubernetes_config_map_v1", '  data = { a = "1", b = "two" }\n',
            {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "b": "two"}}, "configmaps"),
    "secret": ("kubernetes_secret_v1", '  data = { password = "hidden" }\n',
               {"apiVersion": "v1", "kind": "Secret", "stringData": {"password": "hidden"}}, "secrets"),
    "account": ("kubernetes_service_account_v1", "", {"apiVersion": "v1", "kind": "ServiceAccount"}, "serviceaccounts"),
    "service": ("kubernetes_service_v1", """  spec {
    selector = { app = "web" }
    port {
      port = 80
    }
  }
""", {"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}, "services"),
    "web": ("kubernetes_deployment_v1", """  spec {
    selector {
      match_labels = { app = "web-${count.index}" }
    }
    template {
      metadata {
        labels = { app = "web-${count.index}" }
      }
      spec {
        container {
          name  = "c"
          image = "nginx:1"
        }
      }
    }
  }
""", {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"matchLabels": {"app": "NAME"}}, "template": {
        "metadata": {"labels": {"app": "NAME"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}}}, "deployments"),
}


def shape(counts, namespace):
    """The configuration, and the same objects for kubectl."""
    text, objects = "", [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}]
    for name, count in counts.items():
        resource, body, like, _ = KINDS[name]
        text += f'\nresource "{resource}" "{name}" {{\n  count = {count}\n{META.format(name=name)}{body}}}\n'
        for at in range(count):
            own = json.loads(json.dumps(like).replace("NAME", f"{name}-{at}"))
            objects.append({**own, "metadata": {"name": f"{name}-{at}", "namespace": namespace}})
    return text, {"apiVersion": "v1", "kind": "List", "items": objects}


class Cluster:
    """An API server, and what it counts."""

    def __init__(self, kubeconfig):
        self.kubeconfig = kubeconfig
        self.kubectl = shutil.which("kubectl") or sys.exit("kubectl is not on the PATH")

    def call(self, *args):
        command = [self.kubectl, "--kubeconfig", self.kubeconfig, *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def requests(self, plurals):
        total = 0
        for line in self.call("get", "--raw", "/metrics").splitlines():
            found = re.match(r'apiserver_request_total\{.*resource="([a-z]+)".*verb="([A-Z]+)".*\} (\S+)', line)
            if found and found[1] in plurals and found[2] != "WATCH":
                total += int(float(found[3]))
        return total


@contextlib.contextmanager
def control_plane(kubeconfig):
    """The cluster to work on: the given one, or one of the lab for as long as this lasts."""
    if kubeconfig:
        yield Cluster(kubeconfig)
        return
    tools = os.environ.get("INFRA_TOOLS") or sys.exit("no --kubeconfig, and INFRA_TOOLS is not set: ./test --install")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
        ports = [str(one.getsockname()[1]) for one in sockets]
        for one in sockets:
            one.close()
        names = ("LAB_API_PORT", "LAB_ETCD_PORT", "LAB_PEER_PORT", "LAB_KWOK_PORT")
        env = {**os.environ, "LAB_TOOLS": tools, "LAB_NODE_IP": "127.0.0.1", **dict(zip(names, ports))}
        log = stack.enter_context(open(folder / "log.txt", "wb"))
        process = subprocess.Popen(["bash", LAB, folder], env=env, stdout=log, stderr=log, start_new_session=True)
        stack.callback(lambda: (os.killpg(process.pid, signal.SIGTERM), process.wait()))
        until = time.monotonic() + 120
        while not (folder / "ready").exists():
            if process.poll() is not None or time.monotonic() > until:
                sys.exit((folder / "log.txt").read_text()[-2000:])
            time.sleep(0.1)
        yield Cluster(str(folder / "kubeconfig.yaml"))


class Bench:
    def __init__(self, ours, cluster, root, repeat):
        self.ours, self.cluster, self.root, self.repeat = ours, cluster, root, repeat
        self.namespaces = 0
        self.env = {**os.environ, "CHECKPOINT_DISABLE": "1", "NO_COLOR": "1"}
        mirror, self.peer = os.environ.get("INFRA_BENCH_MIRROR"), None
        if mirror and shutil.which("terraform"):
            settings = root / "terraformrc"
            settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
            self.env["TF_CLI_CONFIG_FILE"], self.peer = str(settings), shutil.which("terraform")

    def step(self, argv, folder, plurals):
        before = self.cluster.requests(plurals)
        figures = timed(argv, folder, self.env, 900)
        return figures.seconds, self.cluster.requests(plurals) - before

    def fresh(self, folder, counts):
        """Writes the configuration and the objects anew, for a namespace that never was: in one that was deleted a moment ago the API
        server looks the namespace up for every creation, and counts that too."""
        self.namespaces += 1
        namespace = f"bench-{self.namespaces}"
        text, objects = shape(counts, namespace)
        (folder / "main.tf").write_text(PROVIDER % (self.cluster.kubeconfig, namespace) + text)
        (folder / "objects.json").write_text(json.dumps(objects))
        return namespace

    def steps(self, program, folder, counts, plurals):
        self.fresh(folder, counts)
        apply, destroy = ["apply", "-auto-approve", *COMMON], ["destroy", "-auto-approve", *COMMON]
        return {step: self.step([program, *argv], folder, plurals)
                for step, argv in (("apply", apply), ("no-op plan", ["plan", *COMMON]), ("destroy", destroy))}

    def with_kubectl(self, folder, counts, plurals):
        namespace, rollouts = self.fresh(folder, counts), counts.get("web", 0)
        kubectl = [self.cluster.kubectl, "--kubeconfig", self.cluster.kubeconfig]
        if rollouts:
            wait = f"&& {' '.join(kubectl)} rollout status -n {namespace} --timeout=600s " + " ".join(f"deployment/web-{at}" for at in range(rollouts))
        else:
            wait = ""
        apply = ["bash", "-c", f"{' '.join(kubectl)} apply --server-side -f objects.json {wait}"]
        return {"apply": self.step(apply, folder, plurals), "no-op plan": None,
                "destroy": self.step([*kubectl, "delete", "-f", "objects.json"], folder, plurals)}

    def shape(self, name, counts):
        folder = self.root / name
        folder.mkdir()
        plurals = {KINDS[kind][3] for kind in counts} | {"namespaces"}
        runs = [self.steps(self.ours, folder, counts, plurals) for _ in range(self.repeat)]
        ours = {step: (statistics.median(run[step][0] for run in runs), runs[-1][step][1]) for step in runs[0]}
        theirs = None
        if self.peer:
            self.fresh(folder, counts)
            subprocess.run([self.peer, "init", "-input=false"], cwd=folder, env=self.env, check=True, stdout=subprocess.DEVNULL)
            theirs = self.steps(self.peer, folder, counts, plurals)
        plain = self.with_kubectl(folder, counts, plurals)
        for step, (seconds, requests) in ours.items():
            peer = theirs[step] if theirs else None
            ratio = f"{peer[0] / seconds:.1f}×" if peer else "–"
            print(f"| {name} | {step} | {cell((seconds, requests))} | {cell(peer)} | {cell(plain[step])} | {ratio} |", flush=True)


def cell(figures):
    return "–" if figures is None else f"{figures[0]:.2f} s, {figures[1]} requests"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig")
    parser.add_argument("--maps", type=int, default=1000)
    parser.add_argument("--mixed", type=int, default=300)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    ours = target / "release" / "infra"
    if not ours.exists():
        sys.exit(f"{ours} is missing: cargo build --release")
    sixth = options.mixed // 6
    mixed = {"web": sixth, "map": 2 * sixth, "secret": sixth, "account": sixth, "service": sixth}
    with tempfile.TemporaryDirectory() as root, control_plane(options.kubeconfig) as cluster:
        bench = Bench(str(ours), cluster, pathlib.Path(root), options.repeat)
        print("| objects | step | infra | terraform | kubectl | ratio |\n| --- | --- | --- | --- | --- | --- |")
        bench.shape(f"{options.maps} config maps", {"map": options.maps})
        bench.shape(f"{options.mixed} mixed, {sixth} rollouts", mixed)


if __name__ == "__main__":
    main()
