//! What users see: golden plans beside the real Terraform's, and whole commands.

mod commands;
mod plan_text;
mod program;
mod projects;
mod staging;
mod stop;
mod triggers;
