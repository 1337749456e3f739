variable "ns" {
  type = string
}

resource "kubernetes_namespace_v1" "ns" {
  metadata {
    name   = var.ns
    labels = { team = "a", "pod-security.kubernetes.io/enforce" = "privileged" }
    annotations = { note = "x" }
  }
}

resource "kubernetes_config_map_v1" "cm" {
  metadata {
    name      = "cm"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
    labels    = { app = "x" }
  }
  data = { a = "1", b = "multi\nline\n", "c.yaml" = yamlencode({ x = [1, 2] }) }
  binary_data = { bin = "AP/+" }
}

resource "kubernetes_config_map_v1" "imm" {
  metadata {
    name      = "imm"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  immutable = true
  data = { a = "1" }
}

resource "kubernetes_secret_v1" "opaque" {
  metadata {
    name      = "s-opaque"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  data = { user = "admin", pass = "p@ss" }
}

resource "kubernetes_secret_v1" "tls" {
  metadata {
    name      = "s-tls"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  type = "kubernetes.io/tls"
  data = { "tls.crt" = file("tls.crt"), "tls.key" = file("tls.key") }
}

resource "kubernetes_secret_v1" "docker" {
  metadata {
    name      = "s-docker"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  type = "kubernetes.io/dockerconfigjson"
  data = { ".dockerconfigjson" = jsonencode({ auths = { "r.example" = { auth = base64encode("a:b") } } }) }
}

resource "kubernetes_secret_v1" "basic" {
  metadata {
    name      = "s-basic"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  type = "kubernetes.io/basic-auth"
  data = { username = "a", password = "b" }
}

resource "kubernetes_secret_v1" "satoken" {
  metadata {
    name      = "s-token"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
    annotations = { "kubernetes.io/service-account.name" = kubernetes_service_account_v1.sa.metadata[0].name }
  }
  type = "kubernetes.io/service-account-token"
}

resource "kubernetes_service_account_v1" "sa" {
  metadata {
    name      = "sa"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
    annotations = { "eks.amazonaws.com/role-arn" = "arn:aws:iam::1:role/x" }
  }
  image_pull_secret { name = "s-docker" }
  secret { name = "s-opaque" }
  automount_service_account_token = false
}

resource "kubernetes_service_v1" "clusterip" {
  metadata {
    name      = "svc"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }

  spec {
    selector = { app = "full" }
    port {
      name        = "http"
      port        = 80
      target_port = "http"
    }
    port {
      name        = "metrics"
      port        = 9090
      target_port = 9090
      app_protocol = "http"
    }
  }
}

resource "kubernetes_service_v1" "headless" {
  metadata {
    name      = "headless"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }

  spec {
    selector = { app = "full" }
    cluster_ip = "None"
    publish_not_ready_addresses = true
    port {
      name        = "http"
      port        = 80
      target_port = "http"
    }
    port {
      name        = "metrics"
      port        = 9090
      target_port = 9090
      app_protocol = "http"
    }
  }
}

resource "kubernetes_service_v1" "nodeport" {
  metadata {
    name      = "nodeport"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }

  spec {
    selector = { app = "full" }
    type = "NodePort"
    external_traffic_policy = "Local"
    port {
      name        = "http"
      port        = 80
      target_port = "http"
    }
    port {
      name        = "metrics"
      port        = 9090
      target_port = 9090
      app_protocol = "http"
    }
  }
}

resource "kubernetes_service_v1" "lb" {
  metadata {
    name      = "lb"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  wait_for_load_balancer = false

  spec {
    selector = { app = "full" }
    type = "LoadBalancer"
    load_balancer_source_ranges = ["10.0.0.0/8"]
    port {
      name        = "http"
      port        = 80
      target_port = "http"
    }
    port {
      name        = "metrics"
      port        = 9090
      target_port = 9090
      app_protocol = "http"
    }
  }
}

resource "kubernetes_service_v1" "ext" {
  metadata {
    name      = "ext"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    type          = "ExternalName"
    external_name = "db.example.com"
  }
}

resource "kubernetes_role_v1" "role" {
  metadata {
    name      = "role"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  rule {
    api_groups     = [""]
    resources      = ["pods"]
    resource_names = ["foo"]
    verbs          = ["get", "list", "watch"]
  }
  rule {
    api_groups = ["apps"]
    resources  = ["deployments"]
    verbs      = ["get", "list"]
  }
}

resource "kubernetes_role_binding_v1" "rb" {
  metadata {
    name      = "rb"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "Role"
    name      = "role"
  }
  subject {
    kind      = "User"
    name      = "admin"
    api_group = "rbac.authorization.k8s.io"
  }
  subject {
    kind      = "ServiceAccount"
    name      = "default"
    namespace = "kube-system"
  }
  subject {
    kind      = "Group"
    name      = "system:masters"
    api_group = "rbac.authorization.k8s.io"
  }
}

resource "kubernetes_cluster_role_v1" "cr" {
  metadata { name = "cr-${var.ns}" }
  rule {
    api_groups = [""]
    resources  = ["nodes"]
    verbs      = ["get"]
  }
  rule {
    non_resource_urls = ["/metrics"]
    verbs             = ["get"]
  }
}

resource "kubernetes_cluster_role_v1" "agg" {
  metadata {
    name = "agg-${var.ns}"
  }
  aggregation_rule {
    cluster_role_selectors {
      match_labels = { "rbac.authorization.k8s.io/aggregate-to-view" = "true" }
    }
  }
}

resource "kubernetes_cluster_role_binding_v1" "crb" {
  metadata { name = "crb-${var.ns}" }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = "cluster-admin"
  }
  subject {
    kind      = "ServiceAccount"
    name      = "sa"
    namespace = var.ns
  }
}

resource "kubernetes_deployment_v1" "min" {
  metadata {
    name      = "min"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    selector {
      match_labels = { app = "min" }
    }
    template {
      metadata {
        labels = { app = "min" }
      }
      spec {
        container {
          name  = "c"
          image = "nginx"
        }
      }
    }
  }
}

resource "kubernetes_deployment_v1" "full" {
  metadata {
    name      = "full"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
    labels    = { app = "full" }
  }
  spec {
    replicas                  = "2"
    revision_history_limit    = 3
    min_ready_seconds         = 0
    progress_deadline_seconds = 300
    strategy {
      type = "RollingUpdate"
      rolling_update {
        max_surge       = "25%"
        max_unavailable = "0"
      }
    }
    selector {
      match_labels = { app = "full" }
    }
    template {
      metadata {
        labels      = { app = "full" }
        annotations = { "prometheus.io/scrape" = "true" }
      }
      spec {
        service_account_name            = "default"
        automount_service_account_token = false
        termination_grace_period_seconds = 5
        priority_class_name = ""
        node_selector = { "kubernetes.io/os" = "linux" }
        security_context {
          run_as_user     = "1000"
          run_as_group    = "1000"
          fs_group        = "2000"
          run_as_non_root = true
          supplemental_groups = [3000]
          seccomp_profile { type = "RuntimeDefault" }
          sysctl {
            name  = "net.ipv4.ip_unprivileged_port_start"
            value = "0"
          }
        }
        toleration {
          key      = "dedicated"
          operator = "Equal"
          value    = "gpu"
          effect   = "NoSchedule"
        }
        affinity {
          node_affinity {
            preferred_during_scheduling_ignored_during_execution {
              weight = 10
              preference {
                match_expressions {
                  key      = "topology.kubernetes.io/zone"
                  operator = "In"
                  values   = ["a", "b"]
                }
              }
            }
          }
          pod_anti_affinity {
            preferred_during_scheduling_ignored_during_execution {
              weight = 100
              pod_affinity_term {
                topology_key = "kubernetes.io/hostname"
                label_selector {
                  match_labels = { app = "full" }
                }
              }
            }
          }
        }
        topology_spread_constraint {
          max_skew           = 1
          topology_key       = "kubernetes.io/hostname"
          when_unsatisfiable = "ScheduleAnyway"
          label_selector {
            match_labels = { app = "full" }
          }
        }
        init_container {
          name    = "init"
          image   = "busybox:1.36"
          command = ["sh", "-c", "true"]
        }
        container {
          name  = "app"
          image = "nginx:1.27"
          args  = ["-g", "daemon off;"]
          port {
            name           = "http"
            container_port = 8080
          }
          env {
            name  = "A"
            value = "1"
          }
          env {
            name  = "EMPTY"
            value = ""
          }
          env {
            name = "POD_IP"
            value_from {
              field_ref { field_path = "status.podIP" }
            }
          }
          env {
            name = "SECRET"
            value_from {
              secret_key_ref {
                name = "s-opaque"
                key  = "user"
              }
            }
          }
          env {
            name = "CPU"
            value_from {
              resource_field_ref {
                container_name = "app"
                resource       = "limits.cpu"
                divisor        = "1m"
              }
            }
          }
          env_from {
            config_map_ref { name = "cm" }
          }
          env_from {
            prefix = "P_"
            secret_ref { name = "s-opaque" }
          }
          resources {
            requests = { cpu = "0.1", memory = "128Mi" }
            limits   = { cpu = "1000m", memory = "1Gi" }
          }
          liveness_probe {
            http_get {
              path = "/healthz"
              port = "8080"
              http_header {
                name  = "X-A"
                value = "b"
              }
            }
            initial_delay_seconds = 3
            period_seconds        = 7
          }
          readiness_probe {
            tcp_socket { port = "http" }
            timeout_seconds = 2
          }
          startup_probe {
            exec { command = ["true"] }
            failure_threshold = 30
          }
          lifecycle {
            pre_stop {
              exec { command = ["sleep", "1"] }
            }
          }
          security_context {
            allow_privilege_escalation = false
            read_only_root_filesystem  = true
            capabilities {
              drop = ["ALL"]
              add  = ["NET_BIND_SERVICE"]
            }
          }
          volume_mount {
            name       = "config"
            mount_path = "/etc/app"
            read_only  = true
          }
          volume_mount {
            name       = "tmp"
            mount_path = "/tmp"
            sub_path   = "x"
          }
        }
        volume {
          name = "config"
          config_map {
            name         = "cm"
            default_mode = "0640"
            items {
              key  = "a"
              path = "a.txt"
            }
          }
        }
        volume {
          name = "sec"
          secret {
            secret_name = "s-opaque"
            optional    = true
          }
        }
        volume {
          name = "tmp"
          empty_dir {
            medium     = "Memory"
            size_limit = "64Mi"
          }
        }
        volume {
          name = "proj"
          projected {
            default_mode = "0400"
            sources {
              service_account_token {
                path               = "token"
                expiration_seconds = 3600
              }
            }
            sources {
              config_map { name = "cm" }
            }
            sources {
              downward_api {
                items {
                  path = "labels"
                  field_ref { field_path = "metadata.labels" }
                }
              }
            }
          }
        }
        volume {
          name = "host"
          host_path {
            path = "/var/log"
            type = "DirectoryOrCreate"
          }
        }

      }
    }
  }
  depends_on = [kubernetes_config_map_v1.cm, kubernetes_secret_v1.opaque]
}

resource "kubernetes_stateful_set_v1" "sts" {
  metadata {
    name      = "sts"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    service_name          = "headless"
    replicas              = 1
    pod_management_policy = "Parallel"
    selector {
      match_labels = { app = "sts" }
    }
    update_strategy {
      type = "RollingUpdate"
      rolling_update { partition = 0 }
    }
    template {
      metadata {
        labels = { app = "sts" }
      }
      spec {
        container {
          name  = "db"
          image = "postgres:17"
          volume_mount {
            name       = "data"
            mount_path = "/data"
          }
        }
      }
    }
    volume_claim_template {
      metadata { name = "data" }
      spec {
        access_modes       = ["ReadWriteOnce"]
        storage_class_name = "local-path"
        resources {
          requests = { storage = "1024Mi" }
        }
      }
    }
  }
}

resource "kubernetes_daemon_set_v1" "ds" {
  metadata {
    name      = "ds"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    selector {
      match_labels = { app = "ds" }
    }
    strategy {
      type = "RollingUpdate"
      rolling_update { max_unavailable = "1" }
    }
    template {
      metadata {
        labels = { app = "ds" }
      }
      spec {
        host_network = true
        toleration { operator = "Exists" }
        container {
          name  = "c"
          image = "fluent:1"
          security_context { privileged = true }
        }
      }
    }
  }
}

resource "kubernetes_job_v1" "job" {
  metadata {
    name      = "job"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  wait_for_completion = false
  spec {
    backoff_limit = 4
    completions   = 2
    parallelism   = 1
    ttl_seconds_after_finished = "3600"
    template {
      metadata {}
      spec {
        restart_policy = "Never"
        container {
          name    = "j"
          image   = "perl"
          command = ["perl", "-e", "1"]
        }
      }
    }
  }
}

resource "kubernetes_cron_job_v1" "cron" {
  metadata {
    name      = "cron"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    schedule                      = "*/5 * * * *"
    concurrency_policy            = "Forbid"
    timezone                      = "Etc/UTC"
    starting_deadline_seconds     = 10
    successful_jobs_history_limit = 1
    job_template {
      metadata {}
      spec {
        backoff_limit = 1
        template {
          metadata {}
          spec {
            restart_policy = "OnFailure"
            container {
              name  = "c"
              image = "busybox"
            }
          }
        }
      }
    }
  }
}

resource "kubernetes_ingress_v1" "ing" {
  metadata {
    name      = "ing"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
    annotations = { "nginx.ingress.kubernetes.io/rewrite-target" = "/" }
  }
  spec {
    ingress_class_name = "nginx-${var.ns}"
    tls {
      hosts       = ["a.example"]
      secret_name = "s-tls"
    }
    rule {
      host = "a.example"
      http {
        path {
          path      = "/api"
          path_type = "Prefix"
          backend {
            service {
              name = "svc"
              port { number = 80 }
            }
          }
        }
        path {
          path      = "/m"
          path_type = "Exact"
          backend {
            service {
              name = "svc"
              port { name = "metrics" }
            }
          }
        }
      }
    }
  }
}

resource "kubernetes_ingress_class_v1" "ingc" {
  metadata {
    name        = "nginx-${var.ns}"
    annotations = { "ingressclass.kubernetes.io/is-default-class" = "false" }
  }
  spec {
    controller = "k8s.io/ingress-nginx"
    parameters {
      api_group = "k.example.com"
      kind      = "IngressParameters"
      name      = "p"
    }
  }
}

resource "kubernetes_network_policy_v1" "np" {
  metadata {
    name      = "np"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    pod_selector {
      match_expressions {
        key      = "name"
        operator = "In"
        values   = ["webfront", "api"]
      }
    }
    ingress {
      ports {
        port     = "http"
        protocol = "TCP"
      }
      ports {
        port     = "8125"
        protocol = "UDP"
      }
      from {
        namespace_selector {
          match_labels = { name = "default" }
        }
      }
      from {
        ip_block {
          cidr   = "10.0.0.0/8"
          except = ["10.0.0.0/24", "10.0.1.0/24"]
        }
      }
    }
    egress {}
    policy_types = ["Ingress", "Egress"]
  }
}

resource "kubernetes_network_policy_v1" "deny" {
  metadata {
    name      = "deny"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    pod_selector {}
    policy_types = ["Ingress"]
  }
}

resource "kubernetes_persistent_volume_v1" "pv" {
  metadata {
    name   = "pv-${var.ns}"
    labels = { type = "local" }
  }
  spec {
    capacity           = { storage = "2Gi" }
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "manual-${var.ns}"
    persistent_volume_reclaim_policy = "Retain"
    persistent_volume_source {
      host_path { path = "/srv/pv" }
    }
  }
}

resource "kubernetes_persistent_volume_claim_v1" "pvc" {
  metadata {
    name      = "pvc"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "manual-${var.ns}"
    volume_name        = kubernetes_persistent_volume_v1.pv.metadata[0].name
    resources {
      requests = { storage = "1Gi" }
    }
  }
}

resource "kubernetes_persistent_volume_claim_v1" "wffc" {
  metadata {
    name      = "wffc"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  wait_until_bound = false
  spec {
    access_modes = ["ReadWriteOnce"]
    resources {
      requests = { storage = "1Gi" }
    }
  }
}

resource "kubernetes_storage_class_v1" "sc" {
  metadata { name = "sc-${var.ns}" }
  storage_provisioner    = "kubernetes.io/gce-pd"
  reclaim_policy         = "Retain"
  volume_binding_mode    = "WaitForFirstConsumer"
  allow_volume_expansion = false
  parameters             = { type = "pd-standard" }
  mount_options          = ["file_mode=0700", "dir_mode=0777"]
}

resource "kubernetes_priority_class_v1" "pc" {
  metadata { name = "pc-${var.ns}" }
  value       = 1000
  description = "d"
}

resource "kubernetes_limit_range_v1" "lr" {
  metadata {
    name      = "lr"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    limit {
      type = "PersistentVolumeClaim"
      min  = { storage = "24M" }
    }
    limit {
      type    = "Container"
      default = { cpu = "0.5", memory = "24Mi" }
      default_request = { cpu = "10m", memory = "24Mi" }
    }
  }
}

resource "kubernetes_resource_quota_v1" "rq" {
  metadata {
    name      = "rq"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    hard   = { pods = 50, "requests.cpu" = "1000m" }
    scopes = ["NotBestEffort"]
  }
}

resource "kubernetes_horizontal_pod_autoscaler_v2" "hpa" {
  metadata {
    name      = "hpa"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    min_replicas = 1
    max_replicas = 4
    scale_target_ref {
      api_version = "apps/v1"
      kind        = "Deployment"
      name        = "min"
    }
    metric {
      type = "Resource"
      resource {
        name = "cpu"
        target {
          type                = "Utilization"
          average_utilization = 70
        }
      }
    }
    metric {
      type = "External"
      external {
        metric {
          name = "latency"
          selector {
            match_labels = { lb = "x" }
          }
        }
        target {
          type  = "Value"
          value = "100"
        }
      }
    }
    behavior {
      scale_down {
        stabilization_window_seconds = 300
        select_policy                = "Min"
        policy {
          period_seconds = 120
          type           = "Pods"
          value          = 1
        }
      }
    }
  }
}

resource "kubernetes_pod_disruption_budget_v1" "pdb" {
  metadata {
    name      = "pdb"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
  }
  spec {
    max_unavailable = "20%"
    selector {
      match_labels = { app = "full" }
    }
  }
}

resource "kubernetes_pod_v1" "pod" {
  metadata {
    name      = "pod"
    namespace = kubernetes_namespace_v1.ns.metadata[0].name
    labels    = { app = "pod" }
  }
  spec {
    container {
      name  = "c"
      image = "nginx:1"
      env {
        name  = "E"
        value = "v"
      }
    }
    dns_config {
      nameservers = ["1.1.1.1"]
      option {
        name  = "ndots"
        value = 1
      }
    }
    dns_policy = "None"
  }
}

resource "kubernetes_manifest" "cm" {
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "man-cm"
      namespace = var.ns
      labels    = { a = "b" }
    }
    data = { foo = "bar" }
  }
  depends_on = [kubernetes_namespace_v1.ns]
}

resource "kubernetes_manifest" "dep" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "man-dep", namespace = var.ns }
    spec = {
      replicas = 1
      selector = { matchLabels = { app = "md" } }
      template = {
        metadata = { labels = { app = "md" } }
        spec = { containers = [{ name = "c", image = "nginx", resources = { limits = { cpu = "0.5" } } }] }
      }
    }
  }
  depends_on = [kubernetes_namespace_v1.ns]
}
