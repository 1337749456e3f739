//! `infra` reads Terraform's language, builds one dependency graph over all layers of a platform, compares it with stored
//! state, and applies the difference in parallel.
//!
//! The map of the rooms, lowest rank first (a room imports lower ranks only; `tests/arrows.rs` holds it to that):
//!
//! | rank | rooms |
//! | --- | --- |
//! | 0 | [`addr`], [`diag`], [`value`], [`schema`], [`change`], [`event`], [`text`]: plain data, no I/O |
//! | 1 | [`lang`]: text to AST to values; [`provider`]: the contracts and the registry; [`client`]: protocols |
//! | 2 | [`config`], [`install`], [`state`], [`gate`], [`providers`], [`provision`], [`sandbox`] |
//! | 3 | [`graph`] |
//! | 4 | [`plan`] |
//! | 5 | [`apply`] |
//! | 6 | [`ops`]: whole use cases; [`view`]: text and JSON from plans, states and events |
//! | 7 | [`cli`] |

pub mod addr;
pub mod apply;
pub mod change;
pub mod cli;
pub mod client;
pub mod config;
pub mod diag;
pub mod event;
pub mod gate;
pub mod graph;
pub mod install;
pub mod lang;
pub mod ops;
pub mod plan;
pub mod provider;
pub mod providers;
pub mod provision;
pub mod sandbox;
pub mod schema;
pub mod state;
pub mod text;
pub mod threads;
pub mod value;
pub mod view;
