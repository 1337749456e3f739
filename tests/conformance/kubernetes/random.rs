//! Random objects of every kind of the platform: made by us, read back, planned empty; changed by others at random, put right, planned
//! empty again. What a server refuses is not tried further: it is the server that knows which objects there can be.
//!
//! `INFRA_SEED=17 cargo test random_objects` tries that seed alone.

mod vary;

use std::collections::BTreeMap;

use infra::change::Action;
use infra::client::kube::Write;
use infra::client::kube::types::{Kind, find};
use infra::provider::{Applied, ApplyRequest, Now, PlanRequest, Planned};
use infra::schema::proposed;
use infra::value::{Value, from_json_typed, to_json};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value as Json;

use self::vary::{meddled, varied};
use super::platform::MAIN;
use super::whole::merge_patch;
use super::{Heard, Thing, World, assert_kept};

/// Where the objects of a resource type are in the API.
const KINDS: [(&str, &str, &str); 25] = [
    ("kubernetes_namespace_v1", "v1", "Namespace"),
    ("kubernetes_config_map_v1", "v1", "ConfigMap"),
    ("kubernetes_secret_v1", "v1", "Secret"),
    ("kubernetes_service_account_v1", "v1", "ServiceAccount"),
    ("kubernetes_service_v1", "v1", "Service"),
    ("kubernetes_role_v1", "rbac.authorization.k8s.io/v1", "Role"),
    ("kubernetes_role_binding_v1", "rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("kubernetes_cluster_role_v1", "rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("kubernetes_cluster_role_binding_v1", "rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("kubernetes_deployment_v1", "apps/v1", "Deployment"),
    ("kubernetes_stateful_set_v1", "apps/v1", "StatefulSet"),
    ("kubernetes_daemon_set_v1", "apps/v1", "DaemonSet"),
    ("kubernetes_job_v1", "batch/v1", "Job"),
    ("kubernetes_cron_job_v1", "batch/v1", "CronJob"),
    ("kubernetes_ingress_v1", "networking.k8s.io/v1", "Ingress"),
    ("kubernetes_ingress_class_v1", "networking.k8s.io/v1", "IngressClass"),
    ("kubernetes_network_policy_v1", "networking.k8s.io/v1", "NetworkPolicy"),
    ("kubernetes_persistent_volume_v1", "v1", "PersistentVolume"),
    ("kubernetes_persistent_volume_claim_v1", "v1", "PersistentVolumeClaim"),
    ("kubernetes_storage_class_v1", "storage.k8s.io/v1", "StorageClass"),
    ("kubernetes_priority_class_v1", "scheduling.k8s.io/v1", "PriorityClass"),
    ("kubernetes_limit_range_v1", "v1", "LimitRange"),
    ("kubernetes_resource_quota_v1", "v1", "ResourceQuota"),
    ("kubernetes_horizontal_pod_autoscaler_v2", "autoscaling/v2", "HorizontalPodAutoscaler"),
    ("kubernetes_pod_disruption_budget_v1", "policy/v1", "PodDisruptionBudget"),
];

/// A configuration to start from.
struct Base {
    resource: String,
    config: Json,
}

/// The blocks of the platform, each by itself: what they refer to is put in as text. Left out is what needs a controller's answer.
fn bases(world: &World) -> Vec<Base> {
    let mut found = Vec::new();
    for block in MAIN.split("\nresource \"").skip(1) {
        let (resource, rest) = block.split_once('"').unwrap();
        let (head, body) = rest.split_once("{\n").unwrap();
        let name = head.trim().trim_matches('"');
        if name == "satoken" || KINDS.iter().all(|(known, ..)| *known != resource) {
            continue;
        }
        let (body, _) = body.rsplit_once('}').unwrap();
        let lines = body.lines().filter(|line| !line.trim_start().starts_with("depends_on"));
        let body = lines
            .map(|line| {
                line.replace("kubernetes_namespace_v1.ns.metadata[0].name", "\"NAMESPACE\"")
                    .replace("kubernetes_service_account_v1.sa.metadata[0].name", "\"sa\"")
                    .replace("kubernetes_persistent_volume_v1.pv.metadata[0].name", "\"pv-NAMESPACE\"")
                    .replace("${var.ns}", "NAMESPACE")
                    .replace("= var.ns", "= \"NAMESPACE\"")
                    .replace("file(\"tls.crt\")", "\"a certificate\"")
                    .replace("file(\"tls.key\")", "\"its key\"")
            })
            .collect::<Vec<_>>()
            .join("\n");
        let config = world.config(resource, &body);
        let config = serde_json::from_str(&to_json(&config).unwrap()).unwrap();
        found.push(Base { resource: resource.to_owned(), config });
    }
    found
}

/// What became of the tries.
#[derive(Default)]
struct Counts {
    made: usize,
    refused: usize,
    meddled: usize,
}

/// One random object.
struct Try<'a> {
    world: &'a World,
    resource: &'a str,
    kind: &'static Kind,
    config: Value,
    /// Said with each failure.
    seed: u64,
}

impl Try<'_> {
    async fn plan(&self, prior: &Thing) -> Planned {
        let schema = &self.world.provider.schema().resources[self.resource];
        let request = PlanRequest {
            kind: self.resource.into(),
            prior: prior.value.clone(),
            proposed: proposed(&schema.block, &prior.value, &self.config),
            config: self.config.clone(),
            private: prior.private.clone(),
        };
        let outcome = self.world.configured.plan(request).await;
        assert!(!outcome.said.has_errors(), "{}: {}", self.what(), outcome.said);
        outcome.value.unwrap()
    }

    fn what(&self) -> String {
        format!("seed {}: {} {}", self.seed, self.resource, to_json(&self.config).unwrap())
    }

    async fn apply(&self, prior: &Thing, planned: Option<&Planned>) -> Applied {
        let action = match (&prior.value, planned) {
            (_, None) => Action::Delete,
            (Value::Null(_), Some(_)) => Action::Create,
            (_, Some(_)) => Action::Update,
        };
        let request = ApplyRequest {
            kind: self.resource.into(),
            action,
            prior: prior.value.clone(),
            planned: planned.map_or(Value::NULL, |planned| planned.value.clone()),
            config: if planned.is_some() { self.config.clone() } else { Value::NULL },
            private: planned.map_or_else(|| prior.private.clone(), |planned| planned.private.clone()),
            nonce: if action == Action::Create { "0123-nonce".into() } else { String::new() },
        };
        self.world.configured.apply(request, &Heard::default()).await
    }

    /// Makes it; `None` when the server refuses.
    async fn made(&self) -> Option<Thing> {
        let schema = &self.world.provider.schema().resources[self.resource];
        let none = Thing::none();
        if self.world.provider.validate(self.resource, false, &self.config).has_errors() {
            return None;
        }
        let request = PlanRequest {
            kind: self.resource.into(),
            prior: Value::NULL,
            proposed: proposed(&schema.block, &Value::NULL, &self.config),
            config: self.config.clone(),
            private: Vec::new(),
        };
        let planned = self.world.configured.plan(request).await.into_result().ok()?.0;
        let applied = self.apply(&none, Some(&planned)).await;
        match applied.now {
            Now::Is { value, private } if !applied.said.has_errors() => {
                assert_kept(&planned.value, &value, &self.what());
                Some(Thing { value, private })
            }
            Now::Is { value, private } => {
                // Made, but not ready in time.
                self.apply(&Thing { value, private }, None).await;
                None
            }
            Now::Unchanged | Now::Gone | Now::Unclear => None,
        }
    }

    /// Reads it, and sees that nothing is left to do.
    async fn settled(&self, thing: &Thing, when: &str) -> Thing {
        let read = self.world.read(self.resource, thing).await.unwrap();
        let planned = self.plan(&read).await;
        assert_eq!(planned.value, read.value, "{when}: {}", self.what());
        assert!(planned.replace.is_empty(), "{when}: {:?} {}", planned.replace, self.what());
        read
    }

    /// Somebody changes the object, and it is put right. Whether the server let them.
    async fn meddle(&self, thing: &mut Thing, dice: &mut StdRng) -> bool {
        let name = thing.at("/metadata/0/name").as_str().unwrap().to_owned();
        let namespace = thing.at("/metadata/0/namespace").as_str().map(str::to_owned);
        let live = self.world.kube.get(self.kind, namespace.as_deref(), &name).await.unwrap().unwrap();
        let Some(patch) = merge_patch(&live, &meddled(&live, dice)) else { return false };
        if self.world.kube.merge(self.kind, namespace.as_deref(), &name, &patch, &Write::by("meddler")).await.is_err() {
            return false;
        }
        let drifted = self.world.read(self.resource, thing).await.unwrap();
        let planned = self.plan(&drifted).await;
        let when = format!("after {patch}");
        if planned.value == drifted.value {
            *thing = drifted;
            return true;
        }
        let applied = if planned.replace.is_empty() {
            self.apply(&drifted, Some(&planned)).await
        } else {
            self.apply(&drifted, None).await;
            let planned = self.plan(&Thing::none()).await;
            self.apply(&Thing::none(), Some(&planned)).await
        };
        assert!(!applied.said.has_errors(), "{when}: {} {}", applied.said, self.what());
        *thing = Thing::of(applied);
        *thing = self.settled(thing, &when).await;
        if planned.replace.is_empty() {
            assert_kept(&planned.value, &thing.value, &format!("{when}: {}", self.what()));
        }
        true
    }
}

/// A JSON configuration without waits, of a name of its own.
fn prepared(mut config: Json, at: usize) -> Json {
    let name = config["metadata"][0]["name"].as_str().unwrap().to_owned();
    config["metadata"][0]["name"] = format!("{name}-{at}").into();
    for (name, part) in config.as_object_mut().unwrap() {
        if name.starts_with("wait_") {
            *part = false.into();
        }
        if name == "timeouts" {
            *part = Json::Null;
        }
    }
    config
}

/// So many random objects from a seed on.
async fn random(world: &World, first: u64, count: usize, meddlings: usize) -> Counts {
    let one = std::env::var("INFRA_SEED").ok().and_then(|seed| seed.parse().ok());
    let (first, count) = one.map_or((first, count), |seed| (seed, 1));
    let bases = bases(world);
    let kinds: BTreeMap<&str, &'static Kind> =
        KINDS.iter().map(|(resource, version, kind)| (*resource, &**find(version, kind).unwrap())).collect();
    let mut counts = Counts::default();
    for at in 0..count {
        let seed = first + at as u64;
        let mut dice = StdRng::seed_from_u64(seed);
        let base = &bases[dice.random_range(0..bases.len())];
        let block = &world.provider.schema().resources[&*base.resource].block;
        let config = prepared(varied(block, &base.config, &mut dice), at);
        let config = from_json_typed(config.to_string().as_bytes(), &block.ty()).unwrap();
        let resource = base.resource.as_str();
        let tried = Try { world, resource, kind: kinds[resource], config, seed };
        let Some(thing) = tried.made().await else {
            counts.refused += 1;
            continue;
        };
        counts.made += 1;
        let mut thing = tried.settled(&thing, "made").await;
        for _ in 0..meddlings {
            counts.meddled += usize::from(tried.meddle(&mut thing, &mut dice).await);
        }
        let gone = tried.apply(&thing, None).await;
        assert!(matches!(gone.now, Now::Gone), "{} {}", gone.said, tried.what());
    }
    if one.is_none() {
        assert!(counts.made * 3 > count, "only {} of {count} were made, {} refused", counts.made, counts.refused);
        assert!(counts.meddled > 0 || meddlings == 0);
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn random_objects_are_planned_empty() {
    random(&World::sandbox().await, 1, 120, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_objects_that_others_change_are_put_right() {
    random(&World::sandbox().await, 1001, 60, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long; just soak"]
async fn soak_random_objects() {
    let mut worlds = vec![World::sandbox().await];
    worlds.extend(World::real().await);
    for world in &worlds {
        let counts = random(world, 10_001, 1500, 3).await;
        eprintln!("{} made, {} refused, {} changes by others", counts.made, counts.refused, counts.meddled);
    }
}
