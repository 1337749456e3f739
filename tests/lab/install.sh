# shellcheck shell=bash
# Installs the real parts that the tests run against. Sourced by `test`, which says beforehand what is missing.
#
# In: $cache (the folder outside the checkout), $lab (this folder), Debian's package index and Go's module proxy.
# Out: $tools_dir with the built programs side by side, kwok's stages and object definitions beside them;
#      $host_dir with the root file system of a bare systemd host; $missing with the names of what is not there.
# Everything is made under another name and renamed when whole, under a file lock, so that an interrupted run leaves
# nothing half-made and two runs at once do not disturb each other.

# The programs of each Go-built part.
declare -A programs=(
  [etcd]="etcd"
  [kwok]="kwok"
  [minio]="minio"
  [kubernetes]="kube-apiserver kube-controller-manager kube-scheduler"
  [terraform-exec]="terraform-exec terraform-exec-suite"
)
parts=(etcd kwok minio kubernetes terraform-exec)
kubernetes_version=$(sed -n 's/^.*k8s.io\/kubernetes \(v[0-9.]*\).*$/\1/p' "$lab/tools/kubernetes/go.mod")

# Program on the PATH : Debian package that brings it.
debian=(
  initdb:postgresql redis-server:redis-server sshd:openssh-server ssh-keygen:openssh-client debootstrap:debootstrap
  systemd-nspawn:systemd-container ip:iproute2 openssl:openssl setpriv:util-linux curl:curl
  strace:strace
)

# Packages of the host that the tests reach over SSH.
host_suite=bookworm
host_packages=systemd,systemd-sysv,dbus,openssh-server,iproute2,curl,ca-certificates,sudo,openssl

# Debian keeps initdb and postgres out of the PATH, and a plain user's PATH may lack the sbin folders.
for folder in /usr/sbin /sbin /usr/lib/postgresql/*/bin; do
  if [ -d "$folder" ]; then PATH=$PATH:$folder; fi
done

have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" -eq 0 ]; }

digest() { sha256sum | cut -c1-12; }
# The key of a part is everything that it is built from.
part_dir() { echo "$cache/tools/$1-$(cat "$lab/tools/$1"/* | digest)"; }
tools_key() { for part in "${parts[@]}"; do basename "$(part_dir "$part")"; done | digest; }
host_key() { echo "$host_suite $host_packages $(declare -f finish_host)" | digest; }

# Whether KUBEBUILDER_ASSETS has every program of a part, so that nothing needs building.
assets_have() {
  [ -n "${KUBEBUILDER_ASSETS:-}" ] || return 1
  local program
  for program in ${programs[$1]}; do [ -x "$KUBEBUILDER_ASSETS/$program" ] || return 1; done
}

missing_packages() {
  local pair
  for pair in "${debian[@]}"; do have "${pair%%:*}" || echo "${pair##*:}"; done
}
missing_parts() {
  local part
  for part in "${parts[@]}"; do assets_have "$part" || [ -d "$(part_dir "$part")" ] || echo "$part"; done
}

install_packages() {
  local wanted
  wanted=$(missing_packages)
  [ -n "$wanted" ] || return 0
  # RUNLEVEL=1 keeps the packages from starting their servers: the tests start their own.
  # shellcheck disable=SC2086
  (
    flock 9
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $wanted >"$cache/apt.log" 2>&1
  ) 9>"$cache/apt.lock" || { tail -n 20 "$cache/apt.log" >&2; return 1; }
  for folder in /usr/lib/postgresql/*/bin; do
    if [ -d "$folder" ]; then PATH=$PATH:$folder; fi
  done
}

# Builds one part from the module in tools/NAME into the cache.
build_part() (
  name=$1
  out=$(part_dir "$name")
  mkdir -p "$cache/tools"
  exec 9>"$cache/tools/$name.lock"
  flock 9
  [ -d "$out" ] && exit 0
  # The lock is ours, so a leftover of an interrupted run belongs to nobody.
  rm -rf "$cache/tools/$name"-*.part
  part=$out.part
  mkdir -p "$part/bin"
  stamp=""
  if [ "$name" = kubernetes ]; then
    version=k8s.io/component-base/version
    minor=${kubernetes_version#v1.}
    stamp="-X $version.gitVersion=$kubernetes_version -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*}"
  fi
  cd "$lab/tools/$name" || exit 1
  echo "building $name"
  export CGO_ENABLED=0 GOFLAGS=-mod=readonly
  # A part without tool lines is a program of ours.
  what=tool
  grep -q '^tool' go.mod || what=.
  nice go build -trimpath -ldflags "-s -w $stamp" -o "$part/bin/" "$what" || exit 1
  case $name in
    terraform-exec)
      # The suite reads folders beside its source.
      suite=github.com/hashicorp/terraform-exec/tfexec/internal/e2etest
      folder=$(go list -f '{{.Dir}}' "$suite") || exit 1
      nice go test -c -o "$part/bin/terraform-exec-suite" "$suite" || exit 1
      mkdir "$part/terraform-exec" && cp -r "$folder/testdata" "$part/terraform-exec/" && chmod -R u+w "$part" || exit 1
      ;;
    # The package path ends in server/v3, which is what Go names the program after.
    etcd) mv "$part/bin/server" "$part/bin/etcd" ;;
    kwok)
      module=$(go list -m -f '{{.Dir}}' sigs.k8s.io/kwok) || exit 1
      mkdir "$part/stages" "$part/crds"
      stage=$module/kustomize/stage
      cp "$stage"/node/fast/node-*.yaml "$stage"/node/heartbeat-with-lease/node-*.yaml "$stage"/pod/fast/pod-*.yaml \
        "$part/stages/" && cp "$module"/kustomize/crd/bases/*.yaml "$part/crds/" && chmod -R u+w "$part" || exit 1
      ;;
  esac
  for program in ${programs[$name]}; do [ -x "$part/bin/$program" ] || { echo "$name built no $program" >&2; exit 1; }; done
  mv "$part" "$out"
)

# Puts the programs of all parts side by side, as hard links so that the folder can be shown to a container by itself.
gather_tools() (
  mkdir -p "$cache/tools"
  exec 9>"$cache/tools/gather.lock"
  flock 9
  out=$1
  if [ ! -d "$out" ]; then
    rm -rf "$cache/tools"/all-*.part
    mkdir -p "$out.part"
    for part in "${parts[@]}"; do
      dir=$(part_dir "$part")
      if [ -d "$dir" ]; then
        cp -al "$dir/." "$out.part/"
      else
        mkdir -p "$out.part/bin"
        for program in ${programs[$part]}; do cp "$KUBEBUILDER_ASSETS/$program" "$out.part/bin/" || exit 1; done
      fi
    done
    mv "$out.part" "$out"
  fi
)

# The root file system of a bare host: systemd, sshd, no keys and no name of its own. The tests lay a folder over it.
install_host() (
  out=$1
  mkdir -p "$cache/host"
  exec 9>"$cache/host/lock"
  flock 9
  [ -d "$out" ] && exit 0
  rm -rf "$cache/host"/*.part
  part=$out.part
  echo "making the root file system of a bare host ($host_suite)"
  debootstrap --variant=minbase --include="$host_packages" "$host_suite" "$part" >"$cache/host/log" 2>&1 ||
    { tail -n 20 "$cache/host/log" >&2; exit 1; }
  finish_host "$part"
  mv "$part" "$out"
)

# What differs between a freshly unpacked root file system and a host that waits for its first administrator.
finish_host() {
  rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/machine-id "$1"/var/cache/apt/archives/*.deb
  : >"$1/etc/machine-id"
  echo bare-host >"$1/etc/hostname"
  printf '127.0.0.1 localhost bare-host\n::1 localhost\n' >"$1/etc/hosts"
  printf 'PermitRootLogin prohibit-password\nPasswordAuthentication no\nUseDNS no\n' >"$1/etc/ssh/sshd_config.d/lab.conf"
  # Nothing here waits for a network manager, a terminal or a timer; the units would only keep the boot from settling.
  local unit
  for unit in systemd-networkd-wait-online.service systemd-resolved.service systemd-timesyncd.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    console-getty.service systemd-udev-trigger.service systemd-udevd.service; do
    ln -sf /dev/null "$1/etc/systemd/system/$unit"
  done
}
