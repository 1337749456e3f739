output "postgresql_password" {
  value     = module.postgresql.password
  sensitive = true
}

output "postgresql_url" {
  value     = module.postgresql.url
  sensitive = true
}

output "postgres_replica" {
  value = var.enable_postgres_replica
}

output "redis_password" {
  value     = module.redis.password
  sensitive = true
}

output "redis_url" {
  value     = module.redis.url
  sensitive = true
}

output "clickhouse_enabled" {
  value = var.enable_clickhouse
}

output "clickhouse_host" {
  value = one(module.clickhouse[*].host)
}

output "arangodb_enabled" {
  value = var.enable_arangodb
}
