resource "kubernetes_deployment" "this" {
  count = var.stateful ? 0 : 1

  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    replicas = var.replicas

    selector {
      match_labels = { app = var.name }
    }

    template {
      metadata {
        labels      = local.labels
        annotations = local.annotations
      }

      spec {
        container {
          name              = var.name
          image             = var.image
          image_pull_policy = "IfNotPresent"
          command           = var.command
          args              = var.args

          dynamic "port" {
            for_each = var.ports
            content {
              name           = port.key
              container_port = port.value
            }
          }

          dynamic "env" {
            for_each = var.env
            content {
              name  = env.key
              value = env.value
            }
          }

          dynamic "env_from" {
            for_each = kubernetes_secret.this
            content {
              secret_ref {
                name = env_from.value.metadata[0].name
              }
            }
          }

          resources {
            requests = var.requests
            limits   = local.limits
          }

          readiness_probe {
            initial_delay_seconds = var.check.delay
            timeout_seconds       = 5

            dynamic "exec" {
              for_each = var.check.exec == null ? [] : [var.check.exec]
              content {
                command = var.check.exec
              }
            }

            dynamic "http_get" {
              for_each = var.check.http[*]
              content {
                path = http_get.value.path
                port = http_get.value.port
              }
            }

            dynamic "tcp_socket" {
              for_each = var.check.tcp[*]
              content {
                port = tcp_socket.value
              }
            }
          }

          # The same question, asked with more patience: who does not answer for a minute is started again.
          liveness_probe {
            initial_delay_seconds = var.check.delay + 30
            period_seconds        = 20
            timeout_seconds       = 10

            dynamic "exec" {
              for_each = var.check.exec == null ? [] : [var.check.exec]
              content {
                command = var.check.exec
              }
            }

            dynamic "http_get" {
              for_each = var.check.http[*]
              content {
                path = http_get.value.path
                port = http_get.value.port
              }
            }

            dynamic "tcp_socket" {
              for_each = var.check.tcp[*]
              content {
                port = tcp_socket.value
              }
            }
          }

          dynamic "volume_mount" {
            for_each = var.files[*]
            content {
              name       = "files"
              mount_path = volume_mount.value.path
            }
          }
        }

        dynamic "volume" {
          for_each = kubernetes_config_map.this
          content {
            name = "files"
            config_map {
              name = volume.value.metadata[0].name
            }
          }
        }
      }
    }
  }

  timeouts {
    create = "10m"
    update = "10m"
  }
}
