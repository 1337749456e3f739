//! Objects that a gate names and nothing in the project makes: looked for once before the gate is tried, since waiting for what nobody
//! makes ends in a time-out that says nothing of the wrong name.

use crate::client::kube::{Kube, KubeError};

use super::check::Failure;
use super::subject::ObjectName;

/// An object that a gate names, and that nothing in the project is known to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The object.
    pub object: ObjectName,
    /// ` Did you mean "apps/web"?`, or empty.
    pub hint: String,
    /// What that is known from.
    pub known_from: KnownFrom,
}

/// What it is known from that nothing makes an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownFrom {
    /// A plan of everything: it is in no state, and is not planned.
    Plan,
    /// State alone: a later apply may make it.
    State,
}

/// Fails when one of the objects is not in the cluster either. A cluster that does not answer proves nothing: the check itself will say so.
pub(super) async fn look_for(absent: &[Absent], cluster: &Kube) -> Result<(), Failure> {
    for Absent { object, hint, known_from } in absent {
        if !matches!(find(object, cluster).await, Ok(false)) {
            continue;
        }
        let of_others = "If something else makes it, such as a chart or an operator, say in the gate what that belongs to: for = [layer.NAME.module.NAME]";
        return Err(Failure::fatal(match known_from {
            KnownFrom::Plan => format!(
                "{object} does not exist, and nothing in this project makes it, so that waiting would not help.{hint}\nWrite the name of \
                 what the gate is to look at. {of_others}"
            ),
            KnownFrom::State => format!(
                "{object} does not exist, and no object in state is that one, so that waiting would not help.{hint}\nAn infra apply makes \
                 what the project describes, and checks the gate then. {of_others}"
            ),
        }));
    }
    Ok(())
}

async fn find(object: &ObjectName, cluster: &Kube) -> Result<bool, KubeError> {
    let kind = cluster.kind(&object.api_version, &object.kind).await?;
    let namespace = kind.namespaced.then(|| object.namespace.as_deref().unwrap_or("default"));
    Ok(cluster.get(&kind, namespace, &object.name).await?.is_some())
}
