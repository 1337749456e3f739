//! What the server thinks of a change before it is made: a dry run while planning, so that a refusal shows in the plan, and so does a field that
//! only a new object can have otherwise.

use super::MANAGER;
use super::configured::Cluster;
use super::identity::Place;
use super::object::{self, Look};
use super::table::{Field, Fields, Resource, What};
use super::write::{Change, merge_patch};
use crate::client::kube::{FieldProblem, KubeError, Write};
use crate::diag::Diagnostics;
use crate::provider::PlanRequest;
use crate::value::{Path, Step, Value};

/// Asks about a new object. Only what breaks the rules of its kind is reported: whatever else keeps the server from taking it (a namespace
/// or a definition that is not there yet, a quota) may be different when it is made.
pub async fn new(cluster: &Cluster, resource: &Resource, config: &Value, planned: &Value) -> Diagnostics {
    // What has no `spec` has hardly a rule that is not checked here already, and is made by the thousand.
    if resource.fields.entry("spec").is_none() || !config.is_wholly_known() {
        return Diagnostics::none();
    }
    let Some(place) = Place::of_block(planned, resource.kind) else { return Diagnostics::none() };
    let wanted = object::build(resource, config, planned, &place);
    match cluster.kube.create(resource.kind, place.namespace.as_deref(), &wanted, &Write::dry_run(MANAGER)).await {
        Err(error @ KubeError::Invalid { .. }) => {
            error.diagnostic(&format!("create {}", place.title(resource.kind))).into()
        }
        _ => Diagnostics::none(),
    }
}

/// Asks about a change. Gives the paths at which it needs a new object.
///
/// # Errors
/// What the server has against it.
pub async fn change(
    cluster: &Cluster,
    resource: &Resource,
    request: &PlanRequest,
    planned: &Value,
) -> Result<Vec<Path>, Diagnostics> {
    let (kind, ignored) = (resource.kind, &cluster.ignored);
    let Some(place) = Place::of_block(&request.prior, kind) else { return Ok(Vec::new()) };
    let namespace = place.namespace.as_deref();
    // Whatever keeps the server from answering is reported when it is asked to do it.
    let Ok(Some(live)) = cluster.kube.get(kind, namespace, &place.name).await else { return Ok(Vec::new()) };
    let before = object::read(resource, &live, &place, Look::Shared(&request.prior, ignored));
    let change = Change { before: &before, planned, config: &request.config };
    let wanted = object::changed(resource, &live, change);
    let Some(patch) = merge_patch(&live, &wanted) else { return Ok(Vec::new()) };
    match cluster.kube.merge(kind, namespace, &place.name, &patch, &Write::dry_run(MANAGER)).await {
        Err(KubeError::Invalid { fields, .. }) if !fields.is_empty() && fields.iter().all(is_immutable) => {
            Ok(fields.iter().map(|problem| path_of(&resource.fields, &problem.field)).collect())
        }
        Err(error @ (KubeError::Invalid { .. } | KubeError::Forbidden(_) | KubeError::Refused { .. })) => {
            Err(error.diagnostic(&format!("change {}", place.title(kind))).into())
        }
        _ => Ok(Vec::new()),
    }
}

/// Whether the server wants a field to be as it was made. It has several ways to say so. What it says of a claim (`is immutable after
/// creation`) is left out: a new claim is another volume, which nobody asks for by a greater size.
pub fn is_immutable(problem: &FieldProblem) -> bool {
    ["field is immutable", "may not be changed"].iter().any(|words| problem.message.contains(words))
        || problem.message.contains("updates to") && problem.message.contains("are forbidden")
        || problem.message.contains("pod updates may not change fields")
}

/// The path in configuration of a field in the API, as far as configuration has it.
pub fn path_of(fields: &Fields, field: &str) -> Path {
    fn walk(fields: &Fields, steps: &[&str], path: &mut Path) -> Path {
        let Some((step, rest)) = steps.split_first() else { return path.clone() };
        let (name, index) = match step.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse().unwrap_or(0)),
            None => (*step, 0),
        };
        let named = |field: &Option<Field>| matches!(field, Some(Field::Named(one)) if one == name);
        let Some(entry) = fields.entries.iter().find(|entry| named(&entry.field)) else { return path.clone() };
        path.inside(Step::Attribute(entry.name.into()), |path| match &entry.what {
            What::Attribute { .. } => path.clone(),
            What::Block { .. } if rest.is_empty() => path.clone(),
            What::Block { fields, .. } => path.inside(Step::Index(index), |path| walk(fields, rest, path)),
        })
    }
    let steps: Vec<&str> = field.split('.').collect();
    walk(fields, &steps, &mut Path::root())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::providers::kubernetes::table::table;

    #[test]
    fn fields_of_the_api_are_named_as_in_configuration() {
        for (kind, field, path) in [
            ("kubernetes_deployment_v1", "spec.selector", "spec[0].selector"),
            ("kubernetes_stateful_set_v1", "spec", "spec"),
            ("kubernetes_job_v1", "spec.template", "spec[0].template"),
            ("kubernetes_pod_v1", "spec.containers[1].image", "spec[0].container[1].image"),
            ("kubernetes_role_binding_v1", "roleRef", "role_ref"),
            ("kubernetes_service_v1", "spec.clusterIPs[0]", "spec[0].cluster_ips"),
            ("kubernetes_config_map_v1", "data", "data"),
            ("kubernetes_config_map_v1", "status.phase", ""),
        ] {
            let resource = table().resources.get(kind).unwrap();
            assert_eq!(path_of(&resource.fields, field).to_string(), path, "{kind} {field}");
        }
    }
}
