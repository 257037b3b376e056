//! What is checked in of what is generated: `cargo xtask openapi` writes it again.

use super::{codes, json};
use std::{env, fs, path::PathBuf};

const AGAIN: &str =
    "is not what the code says: run `cargo xtask openapi` and look at the difference";

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name)
}

fn updating() -> bool {
    env::var_os("REVOLVE_UPDATE_OPENAPI").is_some()
}

#[test]
fn the_document_is_checked_in() {
    let (path, document) = (docs("openapi.json"), json());
    if updating() {
        fs::write(
            &path,
            serde_json::to_string_pretty(&sorted(document)).unwrap() + "\n",
        )
        .unwrap();
        return;
    }
    let kept: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    // Not by assert_eq, which would print both.
    assert!(kept == document, "docs/openapi.json {AGAIN}");
}

#[test]
fn the_tables_of_the_guide_are_generated() {
    let path = docs("api.md");
    let text = fs::read_to_string(&path).unwrap();
    let mut fresh = text.clone();
    for (name, table) in [
        ("problem codes", codes::problem_table()),
        ("field codes", codes::field_table()),
    ] {
        let (begin, end) = (
            format!("<!-- {name} -->\n"),
            format!("<!-- end of {name} -->"),
        );
        let (before, rest) = fresh
            .split_once(&begin)
            .unwrap_or_else(|| panic!("docs/api.md has no place for the {name}"));
        let (_, after) = rest.split_once(&end).unwrap();
        fresh = format!("{before}{begin}{table}{end}{after}");
    }
    if updating() {
        fs::write(&path, fresh).unwrap();
        return;
    }
    assert!(text == fresh, "docs/api.md {AGAIN}");
}

/// With members in the order of their names, whatever else is built.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
