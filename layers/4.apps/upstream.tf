# What this layer takes from the layer below. Each of these names is an edge of the one graph: what needs the value waits
# for it, whichever layer and phase it comes from. (The only file here that is more than Terraform's own language.)

locals {
  clickhouse_host = layer.data.clickhouse_host
  postgresql_url  = layer.data.postgresql_url
  redis_url       = layer.data.redis_url
}
