# Objects that do not get ready on the lab's cluster, each for another reason.

locals {
  namespace = "NAMESPACE"
}

resource "kubernetes_deployment_v1" "big" {
  metadata {
    name      = "big"
    namespace = local.namespace
  }
  timeouts {
    create = "10s"
  }
  spec {
    selector {
      match_labels = { app = "big" }
    }
    template {
      metadata {
        labels = { app = "big" }
      }
      spec {
        container {
          name  = "c"
          image = "nginx"
          resources {
            requests = { cpu = "100000", memory = "1Mi" }
          }
        }
      }
    }
  }
}

resource "kubernetes_deployment_v1" "nosa" {
  metadata {
    name      = "nosa"
    namespace = local.namespace
  }
  timeouts {
    create = "10s"
  }
  spec {
    selector {
      match_labels = { app = "nosa" }
    }
    template {
      metadata {
        labels = { app = "nosa" }
      }
      spec {
        service_account_name = "missing"
        container {
          name  = "c"
          image = "nginx"
          resources {
            requests = { memory = "1Mi" }
          }
        }
      }
    }
  }
}

resource "kubernetes_stateful_set_v1" "nosaset" {
  metadata {
    name      = "nosaset"
    namespace = local.namespace
  }
  timeouts {
    create = "10s"
  }
  spec {
    service_name = "nosaset"
    selector {
      match_labels = { app = "nosaset" }
    }
    template {
      metadata {
        labels = { app = "nosaset" }
      }
      spec {
        service_account_name = "missing"
        container {
          name  = "c"
          image = "nginx"
          resources {
            requests = { memory = "1Mi" }
          }
        }
      }
    }
  }
}

resource "kubernetes_stateful_set_v1" "db" {
  metadata {
    name      = "db"
    namespace = local.namespace
  }
  timeouts {
    create = "10s"
  }
  spec {
    service_name = "db"
    selector {
      match_labels = { app = "db" }
    }
    template {
      metadata {
        labels = { app = "db" }
      }
      spec {
        container {
          name  = "c"
          image = "nginx"
          resources {
            requests = { memory = "1Mi" }
          }
          volume_mount {
            name       = "data"
            mount_path = "/d"
          }
        }
      }
    }
    volume_claim_template {
      metadata {
        name = "data"
      }
      spec {
        access_modes       = ["ReadWriteOnce"]
        storage_class_name = "nosuch"
        resources {
          requests = { storage = "1Gi" }
        }
      }
    }
  }
}

resource "kubernetes_resource_quota_v1" "q" {
  metadata {
    name      = "q"
    namespace = local.namespace
  }
  spec {
    hard = { "requests.memory" = "1Gi" }
  }
}

resource "kubernetes_deployment_v1" "quota" {
  metadata {
    name      = "quota"
    namespace = local.namespace
  }
  timeouts {
    create = "10s"
  }
  spec {
    selector {
      match_labels = { app = "quota" }
    }
    template {
      metadata {
        labels = { app = "quota" }
      }
      spec {
        container {
          name  = "c"
          image = "nginx"
        }
      }
    }
  }
  depends_on = [kubernetes_resource_quota_v1.q]
}

resource "kubernetes_persistent_volume_claim_v1" "p" {
  metadata {
    name      = "unbound"
    namespace = local.namespace
  }
  timeouts {
    create = "5s"
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "nosuch"
    resources {
      requests = { storage = "1Gi" }
    }
  }
}

resource "kubernetes_service_v1" "lb" {
  metadata {
    name      = "lb"
    namespace = local.namespace
  }
  timeouts {
    create = "5s"
  }
  spec {
    type     = "LoadBalancer"
    selector = { a = "b" }
    port {
      port = 80
    }
  }
}

resource "kubernetes_job_v1" "fail" {
  metadata {
    name      = "fail"
    namespace = local.namespace
  }
  timeouts {
    create = "5s"
  }
  wait_for_completion = true
  spec {
    template {
      metadata {
        annotations = { "lab.infra/hold" = "1" }
      }
      spec {
        restart_policy = "Never"
        container {
          name  = "c"
          image = "x"
          resources {
            requests = { memory = "1Mi" }
          }
        }
      }
    }
  }
}
