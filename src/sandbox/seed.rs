//! What a new sandbox holds: the namespaces, node, classes and service that every cluster has.

use serde_json::json;

use super::cluster::make;
use super::store::{Key, State};

/// Puts the first objects.
pub fn plant(state: &mut State) {
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        let body = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "labels": { "kubernetes.io/metadata.name": name } },
            "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active" },
        });
        make(state, Key::new("namespaces", "", name), body);
    }
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "sandbox.infra/local",
        "metadata": { "annotations": { "storageclass.kubernetes.io/is-default-class": "true" } },
        "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate", "allowVolumeExpansion": true,
    });
    make(state, Key::new("storageclasses.storage.k8s.io", "", "local-path"), class);
    let ingress = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": { "generation": 1 },
        "spec": { "controller": "traefik.io/ingress-controller" },
    });
    make(state, Key::new("ingressclasses.networking.k8s.io", "", "traefik"), ingress);
    let node = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "labels": { "kubernetes.io/hostname": "sandbox", "kubernetes.io/os": "linux" } },
        "spec": {},
        "status": {
            "conditions": [{ "type": "Ready", "status": "True", "reason": "Sandbox", "message": "nothing runs here" }],
            "nodeInfo": { "kubeletVersion": "v1.34.4+sandbox" }, "capacity": { "cpu": "64", "memory": "256Gi", "pods": "1000" },
            "addresses": [{ "type": "InternalIP", "address": "127.0.0.1" }],
        },
    });
    make(state, Key::new("nodes", "", "sandbox"), node);
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "labels": { "component": "apiserver", "provider": "kubernetes" } },
        "spec": {
            "type": "ClusterIP", "clusterIP": "10.43.0.1", "clusterIPs": ["10.43.0.1"],
            "ports": [{ "name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443 }],
        },
        "status": { "loadBalancer": {} },
    });
    make(state, Key::new("services", "default", "kubernetes"), service);
}
