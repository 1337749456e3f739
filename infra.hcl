# One platform in four layers, from a bare host to running applications.
#
#   infra apply -env dev        everything, in the embedded sandbox, state in state/
#   infra apply -env staging    everything, on a host of one's own, state in a bucket
#
# Phases run one after another, what is inside one runs in parallel, and a phase is done when its gates have passed.

project {
  name = "blueprint"

  env = [
    "R2_BUCKET", "R2_ACCOUNT_ID", "AWS_ENDPOINT_URL_S3",                # where state lies
    "BASE_DOMAIN", "DOMAIN_PREFIX",                                     # names in DNS
    "POSTGRES_PASSWORD", "REDIS_PASSWORD", "ARANGODB_PASSWORD",         # secrets, until Vault hands them out
  ]
}

state "s3" {
  bucket         = env("R2_BUCKET")
  key            = "k3s/${layer.name}-${environment.name}.tfstate"
  region         = "auto"
  endpoints      = { s3 = try(env("AWS_ENDPOINT_URL_S3"), "https://${env("R2_ACCOUNT_ID")}.r2.cloudflarestorage.com") }
  use_path_style = true
}

# --- environments ---------------------------------------------------------------------------------------------------------

environment "dev" { # a developer's machine
  var_files = ["envs/dev.tfvars"]
  state     = "local"
  sandbox   = true
}

environment "ci" { # the automatic check of a change, thrown away afterwards
  var_files = ["envs/ci.tfvars"]
  state     = "local"
  sandbox   = true
}

environment "test" { # a preview on a throw-away host
  var_files = ["envs/test.tfvars"]
}

environment "staging" { # as prod, with a copy of its data
  var_files = ["envs/staging.tfvars"]
}

environment "prod" {
  var_files = ["envs/prod.tfvars"]
}

# --- layers, lower ones first ---------------------------------------------------------------------------------------------

layer "bootstrap" {
  source = "layers/1.bootstrap"
}

layer "platform" {
  source = "layers/2.platform"
}

layer "data" {
  source = "layers/3.data"
}

layer "apps" {
  source = "layers/4.apps"
}

# One cluster serves them all. It is the one that the first layer makes, or, where that is switched off, the sandbox.
provider "kubernetes" {
  config_raw = layer.bootstrap.kubeconfig
}

# --- phase 0: the ground ----------------------------------------------------------------------------------------------------

phase "0.1" {
  include = [layer.bootstrap.module.k3s]

  gate "kubernetes_api" {
    kubernetes {
      ready = true
    }
  }
}

phase "0.2" {
  include = [layer.bootstrap.module.platform_postgresql]

  gate "platform_postgresql_answers" {
    timeout = "5m"
    postgresql {
      service  = "platform/postgresql"
      database = "platform"
      username = "platform"
      password = layer.bootstrap.platform_postgresql_password
      query    = "SELECT 1"
    }
  }
}

phase "0.3" {
  include = [layer.platform.module.vault]

  gate "vault_is_up" {
    enabled = layer.platform.vault_enabled
    kubernetes {
      api_version = "apps/v1"
      kind        = "StatefulSet"
      namespace   = "platform"
      name        = "vault"
      rollout     = true
    }
  }
}

# --- phase 1: what people and applications lean on -------------------------------------------------------------------------

phase "1" {
  include = [
    layer.platform.module.dashboard,
    layer.data.module.postgresql,
    layer.apps.module.kubero,
  ]

  gate "postgresql_answers" { # a ready pod is not enough: both must answer a query
    timeout = "5m"
    postgresql {
      service         = "data/postgresql"
      replica_service = layer.data.postgres_replica ? "data/postgresql-replica" : null
      database        = "app"
      username        = "app"
      password        = layer.data.postgresql_password
      query           = "SELECT 1"
    }
  }

  gate "dashboard_is_up" {
    kubernetes {
      api_version = "apps/v1"
      kind        = "Deployment"
      namespace   = "kubernetes-dashboard"
      name        = "dashboard"
      rollout     = true
    }
  }

  gate "kubero_is_up" {
    kubernetes {
      api_version = "apps/v1"
      kind        = "Deployment"
      namespace   = "kubero"
      name        = "kubero"
      rollout     = true
    }
  }
}

# --- phase 2: data ----------------------------------------------------------------------------------------------------------

phase "2" {
  include = [
    layer.data.module.redis,
    layer.data.module.clickhouse,
    layer.data.module.arangodb,
    layer.data.module.infrastructure,
  ]

  gate "redis_answers" {
    timeout = "2m"
    redis {
      service  = "data/redis"
      password = layer.data.redis_password
    }
  }

  gate "clickhouse_answers" {
    enabled = layer.data.clickhouse_enabled
    http {
      service  = "data/clickhouse:8123"
      path     = "/ping"
      contains = "Ok."
    }
  }

  gate "arangodb_answers" {
    enabled = layer.data.arangodb_enabled
    http {
      service = "data/arangodb:8529"
      path    = "/_admin/server/availability"
      status  = 200
    }
  }
}

# --- phase 3: seeing what happens -------------------------------------------------------------------------------------------

phase "3" {
  include = [layer.apps.module.signoz, layer.apps.module.openpanel]

  gate "signoz_answers" {
    enabled = layer.apps.observability_enabled
    http {
      service = "observability/signoz:8080"
      path    = "/api/v1/health"
      status  = 200
    }
  }

  gate "openpanel_answers" {
    enabled = layer.apps.observability_enabled
    http {
      service = "observability/openpanel:3000"
      status  = 200
    }
  }
}

# --- phase 999: applications ------------------------------------------------------------------------------------------------

phase "999" {
  include = [layer.apps.module.relay, layer.apps.module.application]

  gate "relay_is_healthy" {
    http {
      service = "apps/relay:8080"
      path    = "/health"
      status  = 200
    }
  }

  gate "relay_is_configured" {
    kubernetes {
      api_version = "v1"
      kind        = "ConfigMap"
      namespace   = "apps"
      name        = "relay"
      exists      = true
    }
  }

  gate "relay_is_reachable" {
    kubernetes {
      api_version = "networking.k8s.io/v1"
      kind        = "Ingress"
      namespace   = "apps"
      name        = "relay"
      exists      = true
    }
  }
}
