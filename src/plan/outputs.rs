//! Changes of the root outputs.

use crate::change::Action;
use crate::value::Value;

use super::model::OutputChange;
use super::walk::Walk;

impl Walk<'_> {
    /// Changes of the root outputs.
    pub(super) fn outputs(&self) -> Vec<OutputChange> {
        let graph = self.input.graph;
        let mut outputs: Vec<OutputChange> = Vec::new();
        for (index, root) in graph.roots.iter().enumerate() {
            if !self.is_selected_layer(index) {
                continue;
            }
            let begin = outputs.len();
            let stored = &self.input.states[index].outputs;
            let module = graph.module(*root);
            let copy = self.world.copies_of(*root)[0];
            let destroy = self.is_destroy();
            let selection = &self.input.options.selection;
            let targeted = !selection.targets.is_empty() || !selection.excludes.is_empty();
            for (name, output) in &module.module.outputs {
                let Some(offset) = module.shape.output(name) else { continue };
                if self.is_broken(graph.at(*root, offset)) {
                    continue;
                }
                // A null stands for what was gone when somebody looked: there is no value to compare with.
                let before = stored.get(name).map(|output| output.value.clone()).filter(|value| !value.is_null());
                let takes_part = self.selected[graph.at(*root, offset).index()];
                if targeted && (destroy || !takes_part) {
                    continue;
                }
                let after = match self.world.get(copy, offset) {
                    Some(_) if destroy => None,
                    Some(value) if takes_part && !value.is_null() => Some(value.clone()),
                    Some(_) if takes_part => None,
                    Some(_) | None => before.clone(),
                };
                let mut change = output_change(&graph.layers[index], name, before, after, output.sensitive);
                if let (Some(change), Some(stored)) = (&mut change, stored.get(name))
                    && change.action == Action::NoOp
                    && takes_part
                    && stored.sensitive != output.sensitive
                {
                    // State is to know that it must not be shown, or may be.
                    change.action = Action::Update;
                }
                outputs.extend(change);
            }
            if targeted {
                continue;
            }
            for (name, old) in stored {
                if !module.module.outputs.contains_key(name) {
                    let change =
                        output_change(&graph.layers[index], name, Some(old.value.clone()), None, old.sensitive);
                    outputs.extend(change);
                }
            }
            outputs[begin..].sort_by(|a, b| a.name.cmp(&b.name));
        }
        outputs
    }
}

fn output_change(
    layer: &crate::addr::LayerName,
    name: &crate::addr::Name,
    before: Option<Value>,
    after: Option<Value>,
    sensitive: bool,
) -> Option<OutputChange> {
    let bare = after.clone().map(|value| value.unmark_deep().0);
    let action = match (&before, &bare) {
        (None, None) => return None,
        (None, Some(_)) => Action::Create,
        (Some(_), None) => Action::Delete,
        (Some(before), Some(after)) if before == after => Action::NoOp,
        (Some(_), Some(_)) => Action::Update,
    };
    Some(OutputChange {
        layer: layer.clone(),
        name: name.clone(),
        action,
        before: before.unwrap_or_default(),
        after: after.unwrap_or_default(),
        sensitive,
    })
}
