//! Codes are stable: each is documented, and each that is documented is tried from outside.

use super::{APIS, Api, operations, resolved};
use crate::kit::{openapi::EVERYWHERE, problem::FIELD_CODES};
use revolve_domain::use_cases::Refusal;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Those that no test can bring about from outside.
const NOT_TRIED: [&str; 5] = [
    // Bugs.
    "internal",
    // A sign-in that hashes while the account's sessions end, and a password change that meets another: tried on the use cases.
    "sign_in_superseded",
    "conflict",
    // A header that no HTTP client sends; a body that ends early.
    "invalid_if_none_match",
    "incomplete_body",
];

/// Those that no operation answers: what a browser is told before it sends what a script wants (Fetch standard, CORS preflight).
const OF_NO_OPERATION: [&str; 1] = ["cors_refused"];

/// A code: its statuses, what it says, and the operations that answer with it.
#[derive(Default)]
struct Code {
    statuses: BTreeSet<u64>,
    detail: String,
    operations: Vec<String>,
    /// It is of a shared answer that every operation refers to, but for those that do nothing that could fail.
    is_of_any: bool,
}

fn documented(api: &Api) -> BTreeMap<String, Code> {
    let document = api.json();
    let mut codes: BTreeMap<String, Code> = BTreeMap::new();
    let mut note = |status: Option<u64>, response: &Value, operation: Option<String>| {
        let errors = error_examples(response);
        for (example, detail) in errors {
            let code = codes
                .entry(example["code"].as_str().unwrap().to_owned())
                .or_default();
            let told = example["status"].as_u64().or(status);
            code.statuses.insert(told.unwrap());
            code.is_of_any |= operation.is_none()
                && told.is_some_and(|told| EVERYWHERE.iter().any(|&any| u64::from(any) == told));
            // OAuth clients are told the same with fewer characters.
            if detail == "detail" || code.detail.is_empty() {
                let detail = example[detail].as_str().unwrap();
                detail.clone_into(&mut code.detail);
            }
            code.operations.extend(operation.clone());
        }
    };
    let shared = document["components"]["responses"].as_object().unwrap();
    for (name, response) in shared {
        if is_shared(name) {
            note(None, response, None);
        }
    }
    for (_, _, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            note(
                status.parse().ok(),
                resolved(&document, response),
                operation["operationId"].as_str().map(str::to_owned),
            );
        }
    }
    codes
}

/// Whether the answer is a shared one, rather than that of an operation which others refer to.
fn is_shared(name: &str) -> bool {
    !name.contains('.')
}

/// What an answer shows of errors, each with the member that says what happened: problem documents, and what OAuth clients are told.
fn error_examples(response: &Value) -> Vec<(&Value, &'static str)> {
    let forms = [
        ("application/problem+json", "detail"),
        ("application/json", "error_description"),
    ];
    let mut found = Vec::new();
    for (media_type, detail) in forms {
        let examples = response["content"][media_type]["examples"].as_object();
        let values = examples.into_iter().flat_map(|examples| examples.values());
        found.extend(values.map(|example| (&example["value"], detail)).filter(
            |(example, detail)| example["code"].is_string() && example[*detail].is_string(),
        ));
    }
    found
}

/// The codes of both APIs.
fn documented_by_any() -> impl Iterator<Item = String> {
    APIS.iter().flat_map(|api| documented(api).into_keys())
}

/// The sources below a folder.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // However the formatter breaks lines.
            found.push((path, text.split_whitespace().collect()));
        }
    }
    found
}

fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The first text literal after each place where `call` stands.
fn literals_after<'t>(text: &'t str, call: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(call).filter_map(move |(at, _)| {
        let arguments = &text[at + call.len()..];
        let (before, rest) = arguments.split_once('"')?;
        // A variable in the code's place has no literal before the call's end.
        (!before.contains(')') && !before.contains('{'))
            .then(|| rest.split('"').next().unwrap_or_default())
    })
}

#[test]
fn every_code_that_is_written_down_is_documented() {
    let documented: BTreeSet<String> = documented_by_any().collect();
    let mut written: BTreeSet<String> = Refusal::ALL
        .iter()
        .map(|refusal| refusal.code().to_owned())
        .collect();
    for (_, text) in sources(&package("src"))
        .iter()
        .filter(|(path, _)| !path.starts_with(package("src/documents/tests")))
    {
        for call in [
            "Problem::new(StatusCode::",
            "Self::new(StatusCode::",
            "Problem::without_token(",
            "Self::without_token(",
            "Problem::malformed(",
            "Self::malformed(",
        ] {
            written.extend(literals_after(text, call).map(str::to_owned));
        }
    }
    assert!(written.len() > 20, "the codes are found: {written:?}");
    let missing: Vec<_> = written
        .iter()
        .filter(|code| !OF_NO_OPERATION.contains(&code.as_str()) && !documented.contains(*code))
        .collect();
    assert!(missing.is_empty(), "not in the document: {missing:?}");
}

#[test]
fn every_field_code_that_is_written_down_is_documented() {
    let mut written = BTreeSet::new();
    for (path, text) in sources(&package("src")) {
        if path.ends_with("body.rs") || path.ends_with("path_id.rs") {
            let calls = [
                "FieldProblem::new(field,",
                "FieldProblem::new(name,",
                "FieldProblem::new(&name,",
                "FieldProblem::new(&place,",
            ];
            written.extend(
                calls
                    .iter()
                    .flat_map(|call| literals_after(&text, call))
                    .map(str::to_owned),
            );
        }
    }
    let domain = fs::read_to_string(package("../domain/src/model/field_error.rs")).unwrap();
    let (_, codes) = domain.split_once("pub const fn code(").unwrap();
    let (codes, _) = codes.split_once("\n    }\n").unwrap();
    written.extend(codes.split('"').skip(1).step_by(2).map(str::to_owned));
    assert!(written.len() > 7, "the codes are found: {written:?}");
    let missing: Vec<_> = written
        .iter()
        .filter(|code| FIELD_CODES.iter().all(|(known, _)| known != code))
        .collect();
    assert!(missing.is_empty(), "not in FIELD_CODES: {missing:?}");
}

#[test]
fn every_documented_code_is_expected_by_a_test_of_the_api() {
    let tests: String = sources(&package("../app/tests/api"))
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let missing = |code: &str| !tests.contains(&format!("\"{code}\""));
    let codes: Vec<_> = documented_by_any()
        .filter(|code| !NOT_TRIED.contains(&code.as_str()) && missing(code))
        .collect();
    assert!(codes.is_empty(), "no test of the API expects {codes:?}");
    let missing = |code: &str| {
        ![format!(":{code}\""), format!("\"{code}\"")]
            .iter()
            .any(|expected| tests.contains(expected))
    };
    let codes: Vec<_> = FIELD_CODES
        .iter()
        .map(|(code, _)| *code)
        .filter(|code| missing(code))
        .collect();
    assert!(
        codes.is_empty(),
        "no test of the API expects a field to be {codes:?}"
    );
}

/// The table of codes in the guide to an API.
pub(super) fn problem_table(api: &Api) -> String {
    let mut rows: Vec<_> = documented(api).into_iter().collect();
    rows.sort_by_key(|(name, code)| (code.statuses.first().copied(), name.clone()));
    let mut table =
        String::from("| status | code | what it says | answered by |\n| --- | --- | --- | --- |\n");
    for (
        name,
        Code {
            statuses,
            detail,
            mut operations,
            is_of_any,
        },
    ) in rows
    {
        let statuses: Vec<_> = statuses.iter().map(u64::to_string).collect();
        operations.sort_unstable();
        operations.dedup();
        let by = match operations.len() {
            n if n == 0 || is_of_any => "any operation".to_owned(),
            n if n > 5 => format!("{n} operations"),
            _ => operations.join(", "),
        };
        writeln!(
            table,
            "| {} | `{name}` | {} | {by} |",
            statuses.join(", "),
            detail.replace('|', "\\|")
        )
        .unwrap();
    }
    table
}

/// The table of field codes in the guide.
pub(super) fn field_table() -> String {
    let mut table = String::from("| code | what is wrong |\n| --- | --- |\n");
    for (code, meaning) in FIELD_CODES {
        writeln!(table, "| `{code}` | {meaning} |").unwrap();
    }
    table
}
