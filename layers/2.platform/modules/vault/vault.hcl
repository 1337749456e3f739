ui            = true
disable_mlock = true
api_addr      = "http://vault.platform.svc:8200"
cluster_addr  = "http://vault.platform.svc:8201"

listener "tcp" {
  address     = "[::]:8200"
  tls_disable = true
}

storage "raft" {
  path = "/vault/data"
}
