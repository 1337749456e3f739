//! Provider blocks with `for_each`: which of the configurations one copy of a block uses.

use crate::addr::ProviderConfigAddr;
use crate::diag::{Diagnostic, Diagnostics};
use crate::graph::{Keyed, ModuleId, ProviderId};
use crate::lang::eval::evaluate;
use crate::value::{Type, Value, convert};

use super::scope::{ModuleScope, Surroundings};
use super::world::{CopyId, Repetition};

/// The configuration that the key chooses. `shown` is the address of what asks.
///
/// # Errors
/// When the key is no text that is known, or there is no configuration of it.
pub fn choose(
    around: Surroundings<'_>,
    keyed: &Keyed,
    copy: CopyId,
    repetition: &Repetition,
    shown: &dyn std::fmt::Display,
) -> Result<ProviderId, Diagnostics> {
    let own = ModuleScope { around, copy, repetition, this: None };
    let scope = keyed.call.and_then(|call| scope_of_call(around, copy, call)).unwrap_or(own);
    let (value, _) = evaluate(&keyed.key, &scope).into_result()?;
    let wrong =
        |detail: &str| Diagnostics::from(Diagnostic::error("Invalid provider instance key", detail).at(keyed.key.span));
    let (value, marks) = value.unmark();
    if !marks.is_none() {
        return Err(wrong("The key is sensitive, and every plan would show it."));
    }
    let key = convert(&value, &Type::String).ok();
    let Some(key) = key.as_ref().and_then(Value::as_str) else {
        return Err(wrong("The key is a text that is known when planning, not null."));
    };
    let wanted = || keyed.addr.with_key(Some(key.into()));
    keyed.by_key.get(key).copied().ok_or_else(|| absent_provider(shown, &wanted()).into())
}

/// What the `providers` argument of a call sees, for the copy that leads to this one.
fn scope_of_call(around: Surroundings<'_>, copy: CopyId, call: ModuleId) -> Option<ModuleScope<'_>> {
    let mut at = copy;
    loop {
        let this = around.world.copy(at);
        let parent = this.parent?;
        if this.module == call {
            return Some(ModuleScope { around, copy: parent, repetition: &this.repetition, this: None });
        }
        at = parent;
    }
}

/// The error of something whose provider configuration is not (any more) one of a block with `for_each`.
pub(super) fn absent_provider(shown: &dyn std::fmt::Display, wanted: &ProviderConfigAddr) -> Diagnostic {
    let detail = format!(
        "{shown} needs the provider configuration {wanted}, and the for_each of that block has no such key. A configuration must \
         outlive what was made with it: put the key back, let the object go first, and then take the key out. For that the \
         for_each of the provider block must be able to have more keys than that of the resource."
    );
    Diagnostic::error("Provider instance not present", detail)
}
