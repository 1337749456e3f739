#!/usr/bin/env bash
# Runs a real Kubernetes control plane (etcd, kube-apiserver, kube-controller-manager, kube-scheduler) with one kwok node
# in the foreground, until it is killed or one of its programs ends.
#
#   kubernetes.sh FOLDER
#
# In: FOLDER for keys, data and logs, and these variables
#   LAB_TOOLS      folder with bin/, stages/ and crds/ as tests/lab/install.sh makes it
#   LAB_NODE_IP    an address of this machine that is not loopback: kwok listens there for exec, logs and port-forward
#   LAB_BIND       the address that the API server listens on (127.0.0.1)
#   LAB_NAMES      further names and addresses for its certificate, comma-separated
#   LAB_NODE       name of the node (lab-node)
#   LAB_RULES      folder of further objects of kwok, in JSON, named KIND.NAME.json with the plural kind
#   LAB_KUBECONFIG, LAB_KUBECONFIG_MODE   where to put a copy of the kubeconfig, and its mode (600)
#   LAB_API_PORT LAB_ETCD_PORT LAB_PEER_PORT LAB_KWOK_PORT   (6443, 2379, 2380, 10250)
# Out: FOLDER/ready once a node is ready and a volume claim would be served; FOLDER/kubeconfig.yaml with client
#   certificate, FOLDER/token for the same rights by bearer token; logs in FOLDER/log/.
#
# Pods turn ready without a container behind them. Where exec, logs and port-forward lead is said by kwok's own objects
# (ClusterExec, ClusterPortForward, …), which can be created at any time; from the start exec runs the command here.
# A pod with the annotation lab.infra/hold stays as the scheduler left it. Volume claims of class local-path are served
# by the controller manager's host path provisioner.
set -euo pipefail

folder=$1
tools=$LAB_TOOLS
bind=${LAB_BIND:-127.0.0.1}
node=${LAB_NODE:-lab-node}
api_port=${LAB_API_PORT:-6443}
etcd_port=${LAB_ETCD_PORT:-2379}
peer_port=${LAB_PEER_PORT:-2380}
kwok_port=${LAB_KWOK_PORT:-10250}
pki=$folder/pki
mkdir -p "$pki" "$folder/log" "$folder/etcd"
rm -f "$folder/ready"
umask 077

# One authority, the server's certificate and an administrator's, as k3s makes them.
issue() { # name, subject, extensions
  [ -s "$pki/$1.crt" ] && return
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$pki/$1.key" -out "$pki/$1.csr" 2>/dev/null
  printf '%b' "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n$3\n" >"$pki/$1.ext"
  openssl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 3650 \
    -extfile "$pki/$1.ext" -out "$pki/$1.crt" 2>/dev/null
}
names() {
  local name
  printf 'DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1,IP:%s' "$LAB_NODE_IP"
  for name in ${LAB_NAMES//,/ }; do
    if [[ $name =~ ^[0-9.]+$|: ]]; then printf ',IP:%s' "$name"; else printf ',DNS:%s' "$name"; fi
  done
}
LAB_NAMES=${LAB_NAMES:-}
if [ ! -s "$pki/ca.crt" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=lab-ca -days 3650 \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$pki/ca.key" -out "$pki/ca.crt" 2>/dev/null
fi
issue server /CN=kube-apiserver "extendedKeyUsage=serverAuth\nsubjectAltName=$(names)"
issue admin /O=system:masters/CN=system:admin "extendedKeyUsage=clientAuth"
if [ ! -s "$pki/sa.key" ]; then
  openssl genrsa -out "$pki/sa.key" 2048 2>/dev/null
  openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2>/dev/null
  openssl rand -hex 24 >"$folder/token"
fi
token=$(cat "$folder/token")
echo "$token,lab-admin,lab-admin,\"system:masters\"" >"$pki/tokens.csv"

cat >"$folder/kubeconfig.yaml" <<YAML
apiVersion: v1
kind: Config
current-context: default
clusters:
- name: default
  cluster:
    server: https://127.0.0.1:$api_port
    certificate-authority-data: $(base64 -w0 <"$pki/ca.crt")
contexts:
- name: default
  context:
    cluster: default
    user: default
users:
- name: default
  user:
    client-certificate-data: $(base64 -w0 <"$pki/admin.crt")
    client-key-data: $(base64 -w0 <"$pki/admin.key")
YAML

if [ -n "${LAB_KUBECONFIG:-}" ]; then
  install -m "${LAB_KUBECONFIG_MODE:-600}" "$folder/kubeconfig.yaml" "$LAB_KUBECONFIG"
fi

# kwok's stages, with a way for a test to keep a pod from turning ready.
for stage in "$tools"/stages/*.yaml; do
  echo ---
  case $stage in
    */pod-ready.yaml)
      sed '/^    matchExpressions:$/a\    - key: '"'"'.metadata.annotations["lab.infra/hold"]'"'"'\n      operator: DoesNotExist' "$stage"
      ;;
    *) cat "$stage" ;;
  esac
done >"$folder/kwok.yaml"
grep -q lab.infra/hold "$folder/kwok.yaml" || { echo "the stage pod-ready of kwok has another shape" >&2; exit 1; }

# Each program dies with this one, however that ends. That all is ready is said here, not by the first of them.
wrapper=()
run() { # program, arguments
  local program=$1
  shift
  env -u NOTIFY_SOCKET setpriv --pdeathsig KILL "${wrapper[@]}" "$tools/bin/$program" "$@" >"$folder/log/$program.log" 2>&1 </dev/null &
}
api() { # method, path, [body on stdin]
  curl -sS --fail-with-body --cacert "$pki/ca.crt" -H "Authorization: Bearer $token" -H 'Content-Type: application/yaml' \
    -X "$1" "https://127.0.0.1:$api_port$2" "${@:3}"
}
# Waits until a command succeeds, as long as every program still runs.
until_ok() {
  local tries=0
  until "$@" >"$folder/log/wait.log" 2>&1; do
    tries=$((tries + 1))
    if [ "$(jobs -rp | wc -l)" -lt "$(jobs -p | wc -l)" ] || [ $tries -gt 600 ]; then
      echo "gave up waiting for: $*" >&2
      cat "$folder/log/wait.log" >&2
      tail -n 5 "$folder"/log/*.log >&2
      exit 1
    fi
    sleep 0.1
  done
}
# Creates an object that may be there from an earlier start.
create() { # path of the collection, name; body on stdin
  api GET "$1/$2" >/dev/null 2>&1 || api POST "$1" --data-binary @- >/dev/null
}

run etcd --name lab --data-dir "$folder/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
  --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
  --initial-cluster "lab=http://127.0.0.1:$peer_port"
run kube-apiserver --etcd-servers "http://127.0.0.1:$etcd_port" --bind-address "$bind" --secure-port "$api_port" \
  --advertise-address "$LAB_NODE_IP" --cert-dir "$pki" --tls-cert-file "$pki/server.crt" --tls-private-key-file "$pki/server.key" \
  --client-ca-file "$pki/ca.crt" --token-auth-file "$pki/tokens.csv" --authorization-mode RBAC --allow-privileged \
  --service-account-key-file "$pki/sa.pub" --service-account-signing-key-file "$pki/sa.key" \
  --service-account-issuer https://kubernetes.default.svc --service-cluster-ip-range 10.96.0.0/16
until_ok api GET /readyz

# The host path provisioner writes to a fixed place; what it writes shall vanish with the rest.
mkdir -p /tmp/hostpath_pv "$folder/volumes"
wrapper=(unshare --mount --propagation=private sh -c 'mount --bind "$0" /tmp/hostpath_pv && exec "$@"' "$folder/volumes")
run kube-controller-manager --kubeconfig "$folder/kubeconfig.yaml" --secure-port 0 --leader-elect=false \
  --service-account-private-key-file "$pki/sa.key" --root-ca-file "$pki/ca.crt" --use-service-account-credentials \
  --enable-hostpath-provisioner --concurrent-statefulset-syncs 10
wrapper=()
run kube-scheduler --kubeconfig "$folder/kubeconfig.yaml" --secure-port 0 --leader-elect=false

crd=/apis/apiextensions.k8s.io/v1/customresourcedefinitions
kinds=Exec,ClusterExec,PortForward,ClusterPortForward,Logs,ClusterLogs
for kind in ${kinds//,/ }; do
  plural=${kind,,}
  plural=${plural%s}s
  create $crd "$plural.kwok.x-k8s.io" <"$tools/crds/kwok.x-k8s.io_$plural.yaml"
done
for plural in execs clusterexecs portforwards clusterportforwards logs clusterlogs; do
  case $plural in cluster*) path=$plural ;; *) path=namespaces/default/$plural ;; esac
  until_ok api GET "/apis/kwok.x-k8s.io/v1alpha1/$path"
done
create /apis/kwok.x-k8s.io/v1alpha1/clusterexecs here <<'YAML'
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterExec
metadata: {name: here}
spec: {execs: [{local: {}}]}
YAML
for rule in "${LAB_RULES:-/nowhere}"/*.json; do
  [ -e "$rule" ] || continue
  name=$(basename "$rule" .json)
  create "/apis/kwok.x-k8s.io/v1alpha1/${name%%.*}" "${name#*.}" <"$rule"
done
create /apis/storage.k8s.io/v1/storageclasses local-path <<'YAML'
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: local-path
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: kubernetes.io/host-path
reclaimPolicy: Delete
volumeBindingMode: WaitForFirstConsumer
YAML
create /api/v1/nodes "$node" <<YAML
apiVersion: v1
kind: Node
metadata:
  name: $node
  labels: {kubernetes.io/os: linux, kubernetes.io/arch: amd64, kubernetes.io/hostname: $node}
YAML

run kwok --kubeconfig "$folder/kubeconfig.yaml" --manage-all-nodes=true --node-lease-duration-seconds 40 \
  --config "$folder/kwok.yaml" --enable-crds "$kinds" --cidr 10.244.0.0/16 \
  --node-ip "$LAB_NODE_IP" --node-port "$kwok_port" --server-address "$LAB_NODE_IP:$kwok_port" \
  --tls-cert-file "$pki/server.crt" --tls-private-key-file "$pki/server.key"

node_ready() { api GET "/api/v1/nodes/$node" | tr -d ' \n' | grep -q '"type":"Ready","status":"True"\|"status":"True"[^}]*"type":"Ready"'; }
default_account() { api GET /api/v1/namespaces/default/serviceaccounts/default; }
until_ok node_ready
until_ok default_account
until_ok curl -sS --insecure "https://$LAB_NODE_IP:$kwok_port/healthz"

touch "$folder/ready"
if [ -n "${NOTIFY_SOCKET:-}" ]; then systemd-notify --ready; fi
wait -n || true
echo "one of the programs ended" >&2
tail -n 5 "$folder"/log/*.log >&2
exit 1
