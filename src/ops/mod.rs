//! Whole use cases: open a project, plan, apply segment after segment, look at state.
//!
//! In: what the user asked for, as data. Out: plans, reports, diagnostics. Not here: arguments and drawing (`cli`, `view`).
//! `ops` neither prints nor asks: whoever calls it hands in an [`Approve`] and hears events.

mod apply;
mod approval;
mod console;
mod from_module;
mod gates;
mod global;
mod import;
mod initialise;
mod lock_file;
mod locks;
mod modules;
mod move_out;
mod overtaken;
mod plan;
mod push;
mod recovery;
mod saved;
mod session;
mod settle;
mod state_files;
mod states;
mod stored;
mod surgery;
mod testing;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
mod undeclared;
mod workspaces;

pub use apply::{Applied, Ended, INCOMPLETE, apply, apply_saved};
pub use approval::{Answer, Approval, Approve, Question};
pub use console::{Console, Evaluated, console};
pub use from_module::copy_module;
pub use gates::run_gate;
pub use import::import;
pub use initialise::{BackendEvent, Confirmation, Consent, InitialiseHost, InitialiseOptions, initialise};
pub use lock_file::{Locking, lock_providers, read_lock_file};
pub use modules::{Installation, install};
pub use move_out::move_out;
pub use overtaken::{Overtaken, Settled, overtaken, settle_overtaken};
pub use plan::plan;
pub use push::push;
pub use saved::{SavedPlan, parse_saved, read_saved, write_saved};
pub use session::{Identity, RunOptions, Session, SessionOptions};
pub use settle::{Settlement, Uncertain, settle, uncertain};
pub use state_files::{Backup, StateFiles, is_same_file};
pub use states::{force_unlock, init, outputs, validate};
pub use surgery::{NO_INSTANCE, Surgery, Treated, rehearsal, surgery};
pub use testing::{TestEvent, TestEvents, TestOptions, TestStop, load_tests, test};
pub use workspaces::{make_workspace, remove_workspace, workspaces};
