//! The parts of a file that have names, for messages about places in them.

use super::json::nested_sections;
use super::lexer::Lexer;
use super::parser::Parser;
use crate::diag::{FileId, Section, Source};

/// The blocks of a file, or the objects and arrays of one in JSON, in the order in which they begin. Of blocks only those at
/// the top count: what stands deeper is said to be in these.
pub fn sections(source: &Source) -> Vec<Section> {
    if source.path.extension().is_some_and(|end| end == "json") {
        return nested_sections(&source.text);
    }
    let mut parser = Parser::new(source, FileId(0), Lexer::code(&source.text));
    let body = parser.file();
    let section = |block: &std::sync::Arc<super::ast::Block>| {
        let labels: String = block.labels.iter().map(|label| format!(" {:?}", label.text.as_str())).collect();
        Section { start: block.span.start, end: block.span.end, name: format!("{}{labels}", block.kind.text) }
    };
    body.blocks.iter().map(section).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceMap;

    fn check(path: &str, text: &str, expect: &[(&str, Option<&str>)]) {
        let sources = SourceMap::default();
        let Some(source) = sources.get(sources.add(path, text)) else { return };
        for (part, name) in expect {
            let at = text.find(part).map_or(0, |at| at as u32);
            assert_eq!(source.section(at, sections), *name, "{part}");
        }
    }

    #[test]
    fn blocks_are_named_by_their_headers() {
        let text = "a = 1\nresource \"x\" y {\n  nested {\n    b = 2\n  }\n}\nopen {\n  c = 3";
        check("a.tf", text, &[("a =", None), ("b =", Some("resource \"x\" \"y\"")), ("c =", Some("open"))]);
    }

    #[test]
    fn objects_are_named_by_the_way_to_them() {
        let text = r#"{"output": {"a": {"value": "${var.x}"}}, "moved": [{}, {"from": 1}], "b": 2}"#;
        let expect = [("${var", Some("output.a")), ("from", Some("moved[1]")), ("\"b\"", None)];
        check("a.tf.json", text, &expect);
    }
}
