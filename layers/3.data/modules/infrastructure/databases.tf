# Everything that keeps data.

module "redis" {
  source    = "../../../modules/service"
  name      = "redis"
  namespace = local.namespace
  image     = "redis:7.4"
  stateful  = true
  ports     = { redis = 6379 }
  storage   = { size = local.size[10], path = "/data" }
  requests  = local.light
  args      = ["redis-server", "/etc/redis/redis.conf"]
  check     = { exec = ["redis-cli", "ping"] }

  files = {
    path    = "/etc/redis"
    content = { "redis.conf" = "appendonly yes\nmaxmemory-policy allkeys-lru\n" }
  }
}

module "postgresql" {
  source    = "../../../modules/postgresql"
  namespace = local.namespace
  database  = "isa"
  storage   = local.size[20]
}

module "minio_password" {
  source = "../../../modules/password"
}

module "minio" {
  source    = "../../../modules/service"
  name      = "minio"
  namespace = local.namespace
  image     = "minio/minio:RELEASE.2025-09-07T16-13-09Z"
  stateful  = true
  ports     = { api = 9000, console = 9001 }
  storage   = { size = local.size[50], path = "/data" }
  requests  = local.heavy
  args      = ["server", "/data", "--console-address", ":9001"]
  secrets   = { MINIO_ROOT_USER = "minio", MINIO_ROOT_PASSWORD = module.minio_password.value }

  check = {
    exec = ["sh", "-c", "mc alias set local http://127.0.0.1:9000 \"$MINIO_ROOT_USER\" \"$MINIO_ROOT_PASSWORD\""]
  }
}

module "qdrant" {
  source    = "../../../modules/service"
  name      = "qdrant"
  namespace = local.namespace
  image     = "qdrant/qdrant:v1.15.4"
  stateful  = true
  ports     = { http = 6333, grpc = 6334 }
  storage   = { size = local.size[20], path = "/qdrant/storage" }
  requests  = local.heavy
  check     = { http = { path = "/readyz", port = 6333 } }
}

module "neo4j_password" {
  source = "../../../modules/password"
}

module "neo4j" {
  source    = "../../../modules/service"
  name      = "neo4j"
  namespace = local.namespace
  image     = "neo4j:5.26-community"
  stateful  = true
  ports     = { http = 7474, bolt = 7687 }
  storage   = { size = local.size[25], path = "/data" }
  requests  = local.heavy
  limits    = { memory = "2Gi" }
  secrets   = { NEO4J_AUTH = "neo4j/${module.neo4j_password.value}" }
  check     = { http = { path = "/", port = 7474 }, delay = 20 }
}
