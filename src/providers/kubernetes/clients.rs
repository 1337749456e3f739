//! Connections for those who look at a cluster without managing objects in it: gates.

use std::sync::{Mutex, PoisonError};

use super::{Reach, config};
use crate::client::kube::{Kube, connect};
use crate::diag::Outcome;
use crate::provider::Boxed;
use crate::schema::Block;
use crate::value::Value;

/// Makes connections from configurations of the provider, each once.
#[derive(Default)]
pub struct Clients {
    schema: Block,
    fixed: Option<Reach>,
    made: Mutex<Vec<(Value, Kube)>>,
}

impl Clients {
    /// Over the clusters that configurations name, or over the one API that `fixed` opens.
    pub fn new(fixed: Option<Reach>) -> Self {
        Clients { schema: config::arguments(), fixed, made: Mutex::default() }
    }

    /// The schema of the provider's own arguments.
    pub fn schema(&self) -> &Block {
        &self.schema
    }

    /// A connection for a configuration, which is wholly known unless there is but one API.
    pub fn client(&self, config: Value) -> Boxed<'_, Outcome<Kube>> {
        Box::pin(async move {
            if let Some(reach) = &self.fixed {
                return said(reach().await);
            }
            let known = {
                let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
                made.iter().find(|(of, _)| *of == config).map(|(_, kube)| kube.clone())
            };
            if let Some(kube) = known {
                return Outcome::ok(kube);
            }
            let made = connect(&config::settings(&config)).await;
            if let Ok(kube) = &made {
                self.made.lock().unwrap_or_else(PoisonError::into_inner).push((config, kube.clone()));
            }
            said(made)
        })
    }
}

fn said(made: Result<Kube, crate::client::kube::KubeError>) -> Outcome<Kube> {
    match made {
        Ok(kube) => Outcome::ok(kube),
        Err(error) => Outcome::fail(error.diagnostic("connect to the cluster")),
    }
}
