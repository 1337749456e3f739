# Who is where, and who tells whom.

locals {
  consuls = local.is_small ? 1 : 3
}

module "consul" {
  source    = "../../../modules/service"
  name      = "consul"
  namespace = local.namespace
  image     = "hashicorp/consul:1.21"
  stateful  = true
  replicas  = local.consuls
  ports     = { http = 8500, dns = 8600 }
  storage   = { size = local.size[10], path = "/consul/data" }
  requests  = local.light
  check     = { exec = ["consul", "members"] }

  args = [
    "agent", "-server", "-ui", "-client=0.0.0.0",
    "-bootstrap-expect=${local.consuls}",
    "-retry-join=consul-0.consul.${local.namespace}.svc",
  ]
}

module "nats" {
  source    = "../../../modules/service"
  name      = "nats"
  namespace = local.namespace
  image     = "nats:2.11-alpine"
  stateful  = true
  ports     = { client = 4222, monitor = 8222, cluster = 6222 }
  storage   = { size = local.size[10], path = "/data" }
  requests  = local.light
  args      = ["--jetstream", "--store_dir=/data", "--http_port=8222"]
  check     = { http = { path = "/healthz", port = 8222 } }
}

module "mosquitto" {
  source    = "../../../modules/service"
  name      = "mosquitto"
  namespace = local.namespace
  image     = "eclipse-mosquitto:2.0"
  ports     = { mqtt = 1883, websocket = 9001 }
  requests  = { cpu = "100m", memory = "256Mi" }
  command   = ["mosquitto", "-c", "/mosquitto-no-auth.conf"]

  # Who can hear the broker's own messages can subscribe.
  check = { exec = ["mosquitto_sub", "-t", "$SYS/broker/uptime", "-C", "1", "-W", "3"] }
}
