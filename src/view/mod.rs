//! Pictures of plans, states, values, diagnostics and events: text in Terraform's notation and Terraform's JSON formats.
//!
//! In: data and a [`Style`]. Out: strings. Everything here is pure: the same data gives the same text, on every run and at
//! every parallelism. Not here: printing and the terminal (`cli`), what is to be done (`plan`).
//!
//! What is marked sensitive is never drawn. The formats that exist to hand over values do so when asked by name:
//! `output NAME`, `output -json`, `output -raw` and the documents of `show -json`, as under Terraform.

mod action;
mod board;
mod change;
mod diagnostics;
mod diff;
mod document;
mod done;
mod literal;
mod modules;
mod outputs;
mod overtaken;
mod picture;
mod plan;
mod product;
mod progress;
mod recovery;
mod schemas;
mod snippet;
mod state;
mod stream;
mod style;
mod testing;
mod types;
mod values;

pub use board::Board;
pub use diagnostics::{diagnostic, diagnostic_json, diagnostics, validation_json};
pub use document::{TERRAFORM_VERSION, plan_json, state_json};
pub use done::{approval, generated, next_step, no_outputs, workspace_made};
pub use literal::{console, quoted};
pub use modules::{modules_json, modules_tree};
pub use outputs::{ShownOutput, output, output_json, output_raw, outputs, outputs_json};
pub use overtaken::overtaken;
pub use picture::{graph_dot, graph_mermaid, graph_plan_dot};
pub use plan::{Heading, counts, heading, plan, plan_in_pieces};
pub use product::Product;
pub use progress::{Lines, PhaseEnd, PhaseSummary, applied, phase_table};
pub use recovery::recovered;
pub use schemas::{functions_json, provider_schemas_json, providers_tree};
pub use state::{ShownObject, object, state};
pub use stream::Stream;
pub use style::{Ink, Style};
pub use testing::{TestLines, TestText, junit};
pub use types::console_type;

/// A length of time as gates are written: `90s`, `5m`, `1h`.
fn duration_words(seconds: u64) -> String {
    match seconds {
        0 => "0s".into(),
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}
