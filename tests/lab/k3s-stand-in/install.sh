#!/bin/sh
# STAND-IN for the install script of k3s, for tests. It does not install k3s, which cannot be had without a download.
#
# It takes what the real script at get.k3s.io documents (INSTALL_K3S_VERSION, INSTALL_K3S_CHANNEL, INSTALL_K3S_EXEC and
# arguments, INSTALL_K3S_SKIP_START, INSTALL_K3S_SKIP_ENABLE, K3S_TOKEN, K3S_KUBECONFIG_MODE) and leaves behind what the
# real one leaves: the unit k3s.service, /usr/local/bin/k3s, k3s-uninstall.sh, and once started
# /etc/rancher/k3s/k3s.yaml. Behind the unit run a real etcd, kube-apiserver, kube-controller-manager and
# kube-scheduler, and kwok instead of a kubelet (tests/lab/kubernetes.sh, found under /opt/lab).
set -eu

lab=/opt/lab/scripts
bin=/usr/local/bin
unit=/etc/systemd/system/k3s.service

say() { echo "[STAND-IN for k3s] $*"; }
fail() { echo "[STAND-IN for k3s] $*" >&2; exit 1; }

say "this is a test double; no k3s is installed"
[ "$(id -u)" -eq 0 ] || fail "must be run as root"
[ -x "$lab/kubernetes.sh" ] || fail "$lab is not there: this script works on the hosts of tests/lab only"

# The version that is asked for must be the one that the programs are, as the real script would fetch just that one.
served=$(cat "$lab/k3s-stand-in/version")
version=${INSTALL_K3S_VERSION:-}
if [ -z "$version" ]; then
  channel=${INSTALL_K3S_CHANNEL:-stable}
  case $channel in
    stable | latest | "${served%.*}") version=$served ;;
    *) fail "channel $channel: this stand-in serves stable, latest and ${served%.*} (all $served)" ;;
  esac
fi
[ "$version" = "$served" ] || fail "version $version cannot be had; this stand-in is $served"

arguments="${INSTALL_K3S_EXEC:-} $*"
case " ${arguments# } " in
  " server "* | " -"* | "  ") ;;
  *) fail "only a server can be installed, not: $arguments" ;;
esac
arguments=$(echo "$arguments" | sed 's/^ *server//; s/^ *//; s/ *$//')

say "installing $version"
install -m 755 "$lab/k3s-stand-in/k3s" "$bin/k3s"
install -m 755 "$lab/k3s-stand-in/uninstall.sh" "$bin/k3s-uninstall.sh"
(
  umask 077
  {
    if [ -n "${K3S_TOKEN:-}" ]; then echo "K3S_TOKEN=$K3S_TOKEN"; fi
    if [ -n "${K3S_KUBECONFIG_MODE:-}" ]; then echo "K3S_KUBECONFIG_MODE=$K3S_KUBECONFIG_MODE"; fi
  } >"$unit.env"
)
cat >"$unit.new" <<UNIT
[Unit]
Description=STAND-IN for k3s (a Kubernetes control plane for tests)
After=network.target

[Service]
Type=notify
NotifyAccess=all
EnvironmentFile=-$unit.env
ExecStart=$bin/k3s server $arguments
KillMode=control-group
Restart=no
TimeoutStartSec=180

[Install]
WantedBy=multi-user.target
UNIT
mv "$unit.new" "$unit"
systemctl daemon-reload
if [ "${INSTALL_K3S_SKIP_ENABLE:-}" != true ]; then
  systemctl enable k3s
  if [ "${INSTALL_K3S_SKIP_START:-}" != true ]; then
    say "starting"
    systemctl restart k3s
  fi
fi
say "done"
