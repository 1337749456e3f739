//! What commands say around plans and applies: questions, how to go on, and that they are done.

use crate::plan::PlanMode;

use super::style::{Ink, Style};

/// A plan that has nothing to do.
pub(super) fn no_changes(mode: PlanMode, style: Style) -> String {
    let name = style.product.name();
    let (rest, detail) = match mode {
        PlanMode::Normal => (
            "Your infrastructure matches the configuration.",
            format!(
                "{name} has compared your real infrastructure against your configuration and found no differences, so no \
                 changes are needed."
            ),
        ),
        PlanMode::Destroy => (
            "No objects need to be destroyed.",
            format!(
                "Either you have not created any objects yet or the existing objects were already deleted outside of {name}."
            ),
        ),
        PlanMode::RefreshOnly => (
            "Your infrastructure still matches the configuration.",
            format!(
                "{name} has checked that the real remote objects still match the result of your most recent changes, and \
                 found no differences."
            ),
        ),
    };
    let first = style.paint(Ink::Green, &style.bold("No changes."));
    format!("{first} {}\n\n{}\n", style.bold(rest), style.prose(&detail))
}

/// The question whether a plan shall be carried out; `place` is where, such as ` in workspace "x"`.
pub fn approval(mode: PlanMode, place: &str, style: Style) -> String {
    let name = style.product.name();
    let (question, detail) = match mode {
        PlanMode::Normal => (
            format!("Do you want to perform these actions{place}?"),
            format!("{name} will perform the actions described above.\n  Only 'yes' will be accepted to approve."),
        ),
        PlanMode::Destroy => (
            format!("Do you really want to destroy all resources{place}?"),
            format!(
                "{name} will destroy all your managed infrastructure, as shown above.\n  There is no undo. Only 'yes' will be \
                 accepted to confirm."
            ),
        ),
        PlanMode::RefreshOnly => (
            format!("Would you like to update the {name} state to reflect these detected changes?"),
            format!(
                "{name} will write these changes to the state without modifying any real infrastructure.\n  There is no undo. \
                 Only 'yes' will be accepted to confirm."
            ),
        ),
    };
    format!("\n{}\n  {detail}\n\n  {} ", style.bold(&question), style.bold("Enter a value:"))
}

/// What is said below a plan that can be applied: where it was saved, or that it was not. Nothing in automation, where nobody
/// is told how to go on.
pub fn next_step(saved: Option<&str>, style: Style) -> String {
    let (name, command) = (style.product.name(), style.product.command());
    let text = match saved {
        Some(path) => format!(
            "Saved the plan to: {path}\n\nTo perform exactly these actions, run the following command to apply:\n    \
             {command} apply {path:?}\n"
        ),
        None => {
            let text = format!(
                "Note: You didn't use the -out option to save this plan, so {name} can't guarantee to take exactly these \
                 actions if you run \"{command} apply\" now."
            );
            format!("{}\n", style.prose(&text))
        }
    };
    format!("{}{text}", style.rule())
}

/// `workspace new`: a workspace was made, and holds this many objects.
pub fn workspace_made(name: &str, objects: usize, style: Style) -> String {
    let done = style.paint(Ink::Green, &style.bold(&format!("Created and switched to workspace \"{name}\"!")));
    let (product, command) = (style.product.name(), style.product.command());
    let next = match objects {
        0 => format!(
            "You're now on a new, empty workspace. Workspaces isolate their state,\nso if you run \"{command} plan\" {product} \
             will not see any existing state\nfor this configuration."
        ),
        1 => "Its state holds 1 object: a plan does not see the objects of other workspaces.".to_owned(),
        objects => format!("Its state holds {objects} objects: a plan does not see the objects of other workspaces."),
    };
    format!("{done}\n\n{next}\n")
}

/// `plan -generate-config-out`: what was written where.
pub fn generated(path: &str, style: Style) -> String {
    let text = format!(
        "{} has generated configuration and written it to {path}. Please review the configuration and edit it as necessary \
         before adding it to version control.",
        style.product.name()
    );
    format!("\n{}\n", style.prose(&text))
}

/// `output` where there is none: how one comes to be.
pub fn no_outputs(style: Style) -> String {
    let command = style.product.command();
    format!(
        "The state file either has no outputs defined, or all the defined outputs are empty. Please define an output in your \
         configuration with the `output` keyword and run `{command} refresh` for it to become available. If you are using \
         interpolation, please verify the interpolated value is not empty. You can use the `{command} console` command to \
         assist."
    )
}
