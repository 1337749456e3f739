//! What `infra init` says: Terraform's text, or the same as events.

use jiff::Timestamp;
use serde_json::json;

use crate::diag::{Diagnostics, SourceMap};
use crate::event::Stop;
use crate::ops::{BackendEvent, Confirmation, Consent, InitialiseHost, Locking};
use crate::view::Stream;

use super::terminal::Terminal;

/// Where the words of `init` go.
pub(super) struct InitOutput {
    terminal: Terminal,
    json: bool,
    /// Whether the user may be asked.
    input: bool,
}

impl InitOutput {
    /// As text, or with `json` as events.
    pub fn new(terminal: Terminal, json: bool, input: bool) -> Self {
        let output = InitOutput { terminal, json, input };
        if json {
            terminal.print(&Stream::new(false).version(Timestamp::now()));
        }
        output
    }

    /// A message with its code; text stands between empty lines where it has several lines.
    pub fn message(&self, code: &str, text: &str) {
        if self.json {
            self.event("init_output", Some(code), text.trim());
        } else {
            self.terminal.print(&format!("{text}\n"));
        }
    }

    /// The name of the program that is spoken as.
    pub fn name(&self) -> &'static str {
        self.terminal.style.product.name()
    }

    /// A line about one of many things.
    pub fn line(&self, text: &str) {
        if self.json { self.event("log", None, text.trim_end()) } else { self.terminal.print(text) }
    }

    fn event(&self, kind: &str, code: Option<&str>, text: &str) {
        let mut event = json!({
            "@level": "info",
            "@message": text,
            "@module": "terraform.ui",
            "@timestamp": Timestamp::now().to_string(),
        });
        if let Some(code) = code {
            event["message_code"] = json!(code);
        }
        event["type"] = json!(kind);
        self.terminal.print(&format!("{event}\n"));
    }

    /// Errors and warnings.
    pub fn tell(&self, said: &Diagnostics, sources: &SourceMap) {
        if !self.json {
            return self.terminal.say(said, sources);
        }
        for diagnostic in said.iter() {
            self.terminal.print(&Stream::new(false).diagnostic(diagnostic, sources, Timestamp::now()));
        }
    }

    /// What became of the lock file.
    pub fn locked(&self, locking: Locking) {
        let (name, command) = (self.name(), self.terminal.style.product.command());
        match locking {
            Locking::Same => {}
            Locking::Created => self.message(
                "lock_info",
                &format!("\n{name} has created a lock file .terraform.lock.hcl to record the provider\nselections it made above. Include \
                 this file in your version control repository\nso that {name} can guarantee to make the same selections by \
                 default when\nyou run \"{command} init\" in the future."),
            ),
            Locking::Changed => self.message(
                "dependencies_lock_changes_info",
                &format!("\n{name} has made some changes to the provider dependency selections recorded\nin the .terraform.lock.hcl file. \
                 Review those changes and commit them to your\nversion control system if they represent changes you intended to \
                 make."),
            ),
        }
    }

    /// That nothing more is to be done, and how to go on.
    pub fn done(&self) {
        let (name, command) = (self.name(), self.terminal.style.product.command());
        self.message("output_init_success_message", &format!("\n{name} has been successfully initialized!"));
        if self.terminal.hints {
            self.message(
                "output_init_success_cli_message",
                &format!("\nYou may now begin working with {name}. Try running \"{command} plan\" to see\nany changes that are required for your \
                 infrastructure. All {name} commands\nshould now work.\n\nIf you ever set or change modules or backend \
                 configuration for {name},\nrerun this command to reinitialize your working directory. If you forget, \
                 other\ncommands will detect it and remind you to do so if necessary."),
            );
        }
    }
}

impl InitialiseHost for InitOutput {
    fn report(&self, event: &BackendEvent<'_>) {
        let name = self.name();
        match event {
            BackendEvent::Changed => self.message(
                "backend_migrating_message",
                &format!("Backend configuration changed!\n\n{name} has detected that the configuration specified for the backend\nhas \
                 changed. {name} will now check for existing state in the backends.\n"),
            ),
            BackendEvent::Unsetting(kind) => self.message(
                "backend_migrate_local_message",
                &format!("{name} has detected you're unconfiguring your previously set {kind:?} backend."),
            ),
            BackendEvent::Configured(kind) => self.message(
                "backend_configured_success_message",
                &format!(
                    "\nSuccessfully configured the backend {kind:?}! {name} will automatically\nuse this backend unless the backend \
                     configuration changes."
                ),
            ),
            BackendEvent::Unset(kind) => self.message(
                "backend_configured_unset_message",
                &format!("\nSuccessfully unset the backend {kind:?}. {name} will now operate locally."),
            ),
            BackendEvent::Kept { workspace, path } => {
                self.line(&format!("A copy of the state of workspace {workspace:?} is kept in {}\n", path.display()));
            }
        }
    }

    fn confirm(&self, what: &Confirmation<'_>) -> Consent {
        if !self.input || self.json {
            return Consent::Disabled;
        }
        let question = format!("{}\n\n  Enter a value: ", question(what, self.name()));
        match self.terminal.ask(&question, &Stop::is_asked_here) {
            Some(answer) if answer == "yes" => Consent::Given,
            Some(_) => Consent::Refused,
            None => Consent::Missing,
        }
    }
}

fn question(what: &Confirmation<'_>, name: &str) -> String {
    match what {
        Confirmation::Workspaces { from, to } => format!(
            "Do you want to migrate all workspaces to {to:?}?\n  Both the existing {from:?} backend and the newly configured {to:?} \
             backend\n  support workspaces. When migrating between backends, {name} will copy\n  all workspaces (with the same \
             names). THIS WILL OVERWRITE any conflicting\n  states in the destination.\n\n  {name} initialization doesn't currently \
             migrate only select workspaces.\n  If you want to migrate a select number of workspaces, you must manually\n  pull and \
             push those states.\n\n  If you answer \"yes\", {name} will migrate all states. If you answer\n  \"no\", {name} will abort."
        ),
        Confirmation::Copy { from, to } => format!(
            "Do you want to copy existing state to the new backend?\n  Pre-existing state was found while migrating the previous \
             {from:?} backend to the\n  newly configured {to:?} backend. No existing state was found in the newly\n  configured \
             {to:?} backend. Do you want to copy this state to the new {to:?}\n  backend? Enter \"yes\" to copy and \"no\" to start \
             with an empty state."
        ),
        Confirmation::Overwrite { from, to, previous, present } => format!(
            "Do you want to copy existing state to the new backend?\n  Pre-existing state was found while migrating the previous \
             {from:?} backend to the\n  newly configured {to:?} backend. An existing non-empty state already exists in\n  the new \
             backend. The two states have been saved to temporary files that will be\n  removed after responding to this \
             query.\n\n  Previous (type {from:?}): {}\n  New      (type {to:?}): {}\n\n  Do you want to overwrite the state in the new \
             backend with the previous state?\n  Enter \"yes\" to copy and \"no\" to start with the existing state in the newly\n  \
             configured {to:?} backend.",
            previous.display(),
            present.display()
        ),
    }
}
