//! What is checked in of what is generated: `cargo xtask openapi` writes it again.

use super::{APIS, codes};
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
fn the_documents_are_checked_in() {
    for api in &APIS {
        let (path, document) = (docs(api.document), api.json());
        if updating() {
            fs::write(
                &path,
                serde_json::to_string_pretty(&sorted(document)).unwrap() + "\n",
            )
            .unwrap();
            continue;
        }
        let kept: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        // Not by assert_eq, which would print both.
        assert!(kept == document, "docs/{} {AGAIN}", api.document);
    }
}

#[test]
fn the_tables_of_the_guides_are_generated() {
    for api in &APIS {
        let path = docs(api.guide);
        let text = fs::read_to_string(&path).unwrap();
        let mut fresh = with_table(&text, "problem codes", &codes::problem_table(api));
        // Those of both APIs, once.
        if api.guide == APIS[0].guide {
            fresh = with_table(&fresh, "field codes", &codes::field_table());
        }
        if updating() {
            fs::write(&path, fresh).unwrap();
            continue;
        }
        assert!(text == fresh, "docs/{} {AGAIN}", api.guide);
    }
}

/// The text with this table between its marks.
fn with_table(text: &str, name: &str, table: &str) -> String {
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let (before, rest) = text
        .split_once(&begin)
        .unwrap_or_else(|| panic!("there is no place for the {name}"));
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}{table}{end}{after}")
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
