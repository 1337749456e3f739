//! The platform that is shipped with the program.

use std::path::Path;

use super::*;
use crate::lang::functions::DirFiles;

fn shipped(environment: &str) -> LoadOptions {
    let mut options = LoadOptions::new(env!("CARGO_MANIFEST_DIR"), Arc::new(DirFiles));
    options.environment = Some(environment.into());
    let env =
        ["R2_BUCKET", "R2_ACCOUNT_ID", "BASE_DOMAIN", "DOMAIN_PREFIX", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    options.process_env.extend(env.map(|name| (name.to_owned(), "x".to_owned())));
    options
}

#[test]
fn every_environment_loads_without_a_word() {
    for environment in ["dev", "ci", "test", "staging", "prod"] {
        let (config, said) = loaded(&shipped(environment));
        assert!(said.is_empty(), "{environment}: {}", draw(&said, &config.sources));
        assert_eq!(config.layers.len(), 4);
        assert_eq!(config.sandbox, matches!(environment, "dev" | "ci"));
        let phases: Vec<&str> = config.phases.iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(phases, ["0.1", "0.2", "0.3", "1", "2", "3", "999"]);
        assert!(config.phases.iter().flat_map(|phase| &phase.gates).count() >= 10);
    }
}

#[test]
fn a_layers_folder_means_the_whole_project() {
    let mut options = shipped("dev");
    options.working_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("layers/3.data");
    let (config, _) = loaded(&options);
    assert_eq!(config.layers.len(), 4);
}

#[test]
fn dev_needs_nothing_of_its_surroundings() {
    let mut options = shipped("dev");
    options.process_env.clear();
    let (config, _) = loaded(&options);
    for layer in &config.layers {
        for variable in layer.root.variables.values() {
            let assigned = layer.assigned(variable);
            assert!(assigned.as_ref().is_none_or(|value| !value.has_errors()), "{}: {assigned:?}", variable.name);
            assert!(assigned.is_some() || variable.default.is_some(), "{} has no value", variable.name);
        }
    }
}
