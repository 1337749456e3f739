//! What users see: golden plans beside the real Terraform's, and whole commands.

mod actions;
mod bad_input;
mod bad_world;
mod checks;
mod commands;
mod documented;
mod durable;
mod ephemeral;
mod formatting;
mod imports;
mod keyed_providers;
mod modules;
mod moves;
mod overtaken;
mod plan_text;
mod program;
mod progress;
mod projects;
mod properties;
mod provisioners;
mod segments;
mod staging;
mod stop;
mod testing;
mod triggers;
