//! What users see: golden plans beside the real Terraform's, and whole commands.

mod commands;
mod documented;
mod overtaken;
mod plan_text;
mod program;
mod progress;
mod projects;
