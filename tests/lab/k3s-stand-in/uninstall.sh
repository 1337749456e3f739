#!/bin/sh
# STAND-IN for k3s-uninstall.sh, for tests: removes what install.sh beside it installed.
set -eu
echo "[STAND-IN for k3s] uninstalling"
systemctl disable --now k3s
rm -rf /etc/systemd/system/k3s.service /etc/systemd/system/k3s.service.env /etc/rancher/k3s /var/lib/rancher/k3s
systemctl daemon-reload
systemctl reset-failed k3s 2>/dev/null || true
rm -f /usr/local/bin/k3s /usr/local/bin/k3s-uninstall.sh
