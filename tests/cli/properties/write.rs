//! A shape as configuration, and what is to be there once it is applied.

use std::fmt::Write as _;
use std::path::Path;

use super::generate::{Copies, Kind, Shape, Unit};

/// Writes the configuration into a folder that holds at most an older one.
pub fn write(shape: &Shape, folder: &Path) {
    for old in ["layers", "modules"] {
        if folder.join(old).exists() {
            std::fs::remove_dir_all(folder.join(old)).unwrap();
        }
    }
    let put = |path: String, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("given".to_owned(), "given");
    for (path, text) in texts(shape, folder) {
        put(path, &text);
    }
}

/// The files of a shape.
pub fn texts(shape: &Shape, folder: &Path) -> Vec<(String, String)> {
    let inner = "variable \"in\" {}\nresource \"terraform_data\" \"inner\" {\n  input = var.in\n}\nresource \"random_id\" \"key\" {\n  \
                 byte_length = 8\n  keepers     = { in = var.in }\n}\noutput \"out\" {\n  value = \
                 \"${terraform_data.inner.id}-${random_id.key.hex}\"\n}\n";
    let mut files = Vec::new();
    for layer in 0..shape.layers {
        let units = shape.units.iter().filter(|unit| unit.layer == layer);
        let text: String = units.map(|unit| block(shape, unit, folder)).collect();
        let text = text + &refactorings(shape, layer);
        let path = if shape.is_plain() { "main.tf".to_owned() } else { format!("layers/l{layer}/main.tf") };
        files.push((path, text));
    }
    if shape.is_plain() {
        files.push(("modules/inner/main.tf".to_owned(), inner.to_owned()));
    } else {
        files.push(("layers/modules/inner/main.tf".to_owned(), inner.to_owned()));
        files.push(("infra.hcl".to_owned(), project(shape)));
    }
    files
}

fn project(shape: &Shape) -> String {
    let mut text = format!("project {{\n  name = \"random\"\n}}\n{}", shape.state);
    if shape.sandbox {
        text.push_str("environment \"dev\" {\n  sandbox = true\n}\nprovider \"kubernetes\" {}\n");
    }
    for layer in 0..shape.layers {
        let _ = write!(text, "layer \"l{layer}\" {{\n  source = \"layers/l{layer}\"\n}}\n");
    }
    for phase in 0..shape.phases {
        let units = shape.units.iter().filter(|unit| unit.included && unit.phase == phase);
        let names: Vec<String> =
            units.map(|unit| format!("layer.l{}.{}.{}", unit.layer, unit.kind.type_name(), unit.name)).collect();
        let gate = match (shape.gates.contains(&phase), shape.sandbox) {
            (false, _) => String::new(),
            (true, false) => format!("  gate \"g{phase}\" {{\n    command {{ argv = [\"true\"] }}\n  }}\n"),
            (true, true) => format!("  gate \"g{phase}\" {{\n    kubernetes {{ ready = true }}\n  }}\n"),
        };
        let _ = write!(text, "phase \"{phase}\" {{\n  include = [{}]\n{gate}}}\n", names.join(", "));
    }
    text
}

/// What became of blocks that are called otherwise now, or are gone.
fn refactorings(shape: &Shape, layer: usize) -> String {
    let mut text = String::new();
    for moved in shape.moved.iter().filter(|moved| moved.layer == layer) {
        let kind = moved.kind.type_name();
        let _ = write!(text, "moved {{\n  from = {kind}.{}\n  to   = {kind}.{}\n}}\n", moved.from, moved.to);
    }
    for removed in shape.removed.iter().filter(|removed| removed.layer == layer) {
        let (kind, name, destroys) = (removed.kind.type_name(), &removed.name, removed.destroys);
        let _ =
            write!(text, "removed {{\n  from = {kind}.{name}\n  lifecycle {{\n    destroy = {destroys}\n  }}\n}}\n");
    }
    text
}

/// What belongs to a block beside it: the data source that depends on it, and where it comes from.
fn beside(unit: &Unit, folder: &Path) -> String {
    let Unit { label, name, kind, .. } = unit;
    let mut text = String::new();
    if unit.is_read {
        let given = folder.join("given");
        let _ = write!(
            text,
            "data \"local_file\" \"d_{label}\" {{\n  filename   = \"{}\"\n  depends_on = [{}.{name}]\n}}\n",
            given.display(),
            kind.type_name()
        );
    }
    let first = keys(unit).into_iter().next();
    if let Some(key) = first.filter(|_| unit.imported) {
        let _ = write!(text, "import {{\n  to = {}.{name}{key}\n  id = \"taken-over-{label}\"\n}}\n", kind.type_name());
    }
    text
}

fn block(shape: &Shape, unit: &Unit, folder: &Path) -> String {
    let Unit { label, name, kind, copies, .. } = unit;
    let mut text = match kind {
        Kind::Module => {
            let up = if shape.is_plain() { "./modules/inner" } else { "../modules/inner" };
            format!("module \"{name}\" {{\n  source = \"{up}\"\n")
        }
        _ => format!("resource \"{}\" \"{name}\" {{\n", kind.type_name()),
    };
    let key = match copies {
        Copies::One => "",
        Copies::Count(count) => {
            let _ = writeln!(text, "  count = {count}");
            "-${count.index}"
        }
        Copies::Open(_) => {
            let _ = writeln!(text, "  for_each = toset(split(\",\", terraform_data.{label}_keys.output))");
            "-${each.key}"
        }
        Copies::Each(keys) => {
            let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
            let _ = writeln!(text, "  for_each = toset([{}])", keys.join(", "));
            "-${each.key}"
        }
    };
    let mut used: Vec<String> = unit.uses.iter().map(|used| format!("-${{{}}}", value(shape, unit, used))).collect();
    let read = unit.uses.iter().map(|used| shape.unit(used)).filter(|used| used.is_read && used.layer == unit.layer);
    used.extend(read.map(|used| format!("-${{data.local_file.d_{}.content}}", used.label)));
    let content = format!("\"v{}{key}{}\"", unit.value, used.concat());
    let _ = match kind {
        Kind::Data => writeln!(text, "  input = {content}"),
        Kind::Uuid => writeln!(text, "  keepers = {{ v = {content} }}"),
        Kind::Id => writeln!(text, "  byte_length = 8\n  keepers = {{ v = {content} }}"),
        Kind::Static => writeln!(text, "  triggers = {{ v = {content} }}"),
        Kind::Module => writeln!(text, "  in = {content}"),
        Kind::File => {
            let path = folder.join("out").join(label);
            writeln!(text, "  filename = \"{}{key}\"\n  content = {content}", path.display())
        }
        Kind::ConfigMap => {
            writeln!(text, "  metadata {{\n    generate_name = \"{label}-\"\n  }}\n  data = {{ v = {content} }}")
        }
    };
    if let Some(trigger) = unit.trigger {
        let _ = writeln!(text, "  triggers_replace = \"t{trigger}\"");
    }
    if !unit.after.is_empty() {
        let names: Vec<String> = unit
            .after
            .iter()
            .map(|label| shape.unit(label))
            .map(|unit| format!("{}.{}", unit.kind.type_name(), unit.name))
            .collect();
        let _ = writeln!(text, "  depends_on = [{}]", names.join(", "));
    }
    if unit.creates_first {
        text.push_str("  lifecycle {\n    create_before_destroy = true\n  }\n");
    }
    text.push_str("}\n");
    if let Copies::Open(keys) = copies {
        let keys: Vec<String> = keys.iter().map(char::to_string).collect();
        let _ = write!(text, "resource \"terraform_data\" \"{label}_keys\" {{\n  input = \"{}\"\n}}\n", keys.join(","));
    }
    if !matches!(kind, Kind::File | Kind::ConfigMap) {
        let _ = write!(text, "output \"out_{label}\" {{\n  value = {}\n}}\n", value(shape, unit, label));
    }
    text + &beside(unit, folder)
}

/// The expression by which one block uses another: one text, whatever the number of copies.
fn value(shape: &Shape, user: &Unit, used: &str) -> String {
    let unit = shape.unit(used);
    if unit.layer != user.layer {
        return format!("layer.l{}.out_{used}", unit.layer);
    }
    let attribute = match unit.kind {
        // The one is random and stays, the other follows the input.
        Kind::Data if unit.label.ends_with(['1', '3', '5', '7', '9']) => "output",
        Kind::Data => "id",
        Kind::Uuid => "result",
        Kind::Id => "hex",
        Kind::Static => "rfc3339",
        Kind::Module => "out",
        Kind::File | Kind::ConfigMap => unreachable!("nothing uses a leaf"),
    };
    let object = format!("{}.{}", unit.kind.type_name(), unit.name);
    match &unit.copies {
        Copies::One => format!("{object}.{attribute}"),
        Copies::Count(_) => format!("join(\",\", {object}[*].{attribute})"),
        Copies::Each(_) | Copies::Open(_) => format!("join(\",\", [for one in values({object}) : one.{attribute}])"),
    }
}

fn keys(unit: &Unit) -> Vec<String> {
    match &unit.copies {
        Copies::One => vec![String::new()],
        Copies::Count(count) => (0..*count).map(|index| format!("[{index}]")).collect(),
        Copies::Each(keys) | Copies::Open(keys) => keys.iter().map(|key| format!("[\"{key}\"]")).collect(),
    }
}

/// The addresses that are in state once the shape is applied, sorted.
pub fn addresses(shape: &Shape) -> Vec<String> {
    let mut all = Vec::new();
    for unit in &shape.units {
        let layer = if shape.is_plain() { String::new() } else { format!("layer.l{}.", unit.layer) };
        let object = format!("{layer}{}.{}", unit.kind.type_name(), unit.name);
        if matches!(unit.copies, Copies::Open(_)) {
            all.push(format!("{layer}terraform_data.{}_keys", unit.label));
        }
        if unit.is_read {
            all.push(format!("{layer}data.local_file.d_{}", unit.label));
        }
        for key in keys(unit) {
            match unit.kind {
                Kind::Module => {
                    all.push(format!("{object}{key}.terraform_data.inner"));
                    all.push(format!("{object}{key}.random_id.key"));
                }
                _ => all.push(format!("{object}{key}")),
            }
        }
    }
    all.sort();
    all
}

/// The real files that are there once the shape is applied, sorted.
pub fn files(shape: &Shape) -> Vec<String> {
    let mut all = Vec::new();
    for unit in shape.units.iter().filter(|unit| unit.kind == Kind::File) {
        match &unit.copies {
            Copies::One => all.push(unit.label.clone()),
            Copies::Count(count) => all.extend((0..*count).map(|index| format!("{}-{index}", unit.label))),
            Copies::Each(keys) | Copies::Open(keys) => {
                all.extend(keys.iter().map(|key| format!("{}-{key}", unit.label)))
            }
        }
    }
    all.sort();
    all
}

/// How many objects of the sandbox are there once the shape is applied.
pub fn objects(shape: &Shape) -> usize {
    shape.units.iter().filter(|unit| unit.kind == Kind::ConfigMap).map(|unit| keys(unit).len()).sum()
}
