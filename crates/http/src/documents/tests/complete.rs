//! Nothing is left out, and the examples are right.

use super::{APIS, Api, operations, resolved};
use crate::BASE;
use actix_web::http::Method;
use jsonschema::Validator;
use serde_json::{Value, json as value};

/// The schema at a pointer of the document, with what it refers to.
fn validator(document: &Value, pointer: &str) -> Validator {
    let mut schema = document
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{pointer} has no schema"))
        .clone();
    schema["components"] = document["components"].clone();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// Fails unless there are examples for the content at a pointer, and each fits its schema.
fn check_examples(document: &Value, pointer: &str) -> usize {
    let content = document.pointer(pointer).unwrap();
    let examples = content["examples"]
        .as_object()
        .unwrap_or_else(|| panic!("{pointer} has no examples"));
    let validator = validator(document, &format!("{pointer}/schema"));
    for (name, example) in examples {
        if let Err(error) = validator.validate(&example["value"]) {
            panic!(
                "{pointer}, example {name}: {error} at {}",
                error.instance_path()
            );
        }
    }
    examples.len()
}

#[test]
fn every_request_answer_and_problem_has_examples_that_fit() {
    for api in &APIS {
        let examples = check_all_examples(&api.json());
        assert!(
            examples >= api.examples,
            "{}: only {examples} examples were looked at",
            api.document
        );
    }
}

fn check_all_examples(document: &Value) -> usize {
    let mut examples = 0;
    for (method, path, operation) in operations(document) {
        let at = format!("/paths/{}/{}", escaped(&path), method.to_lowercase());
        let content = operation["requestBody"]["content"].as_object();
        for media_type in content.into_iter().flat_map(|content| content.keys()) {
            examples += check_examples(
                document,
                &format!("{at}/requestBody/content/{}", escaped(media_type)),
            );
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(
                !parameter["example"].is_null(),
                "{method} {path}: {} has no example",
                parameter["name"]
            );
            assert!(
                parameter["description"].is_string(),
                "{method} {path}: {} is not described",
                parameter["name"]
            );
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = resolved(document, response);
            assert!(
                response["description"].is_string(),
                "{method} {path}: {status} is not described"
            );
            for (name, header) in response["headers"].as_object().into_iter().flatten() {
                assert!(
                    header["example"].is_string(),
                    "{method} {path}: {status}: {name} has no example"
                );
            }
        }
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            examples += check_response(document, response, &format!("{at}/responses/{status}"));
        }
    }
    let shared = document["components"]["responses"].as_object().unwrap();
    for (name, response) in shared {
        examples += check_response(document, response, &format!("/components/responses/{name}"));
    }
    examples
}

/// Counts the examples of an answer that stands there, and is no reference to one.
fn check_response(document: &Value, response: &Value, at: &str) -> usize {
    let contents = response["content"].as_object().into_iter().flatten();
    let places = contents.map(|(media_type, _)| format!("{at}/content/{}", escaped(media_type)));
    places.map(|place| check_examples(document, &place)).sum()
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    for document in APIS.iter().map(Api::json) {
        let mut used = Vec::new();
        references(&document, &mut used);
        for reference in &used {
            resolved(&document, &value!({ "$ref": reference }));
        }
        for kind in ["schemas", "responses"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                let reference = format!("#/components/{kind}/{name}");
                // Not answers of operations, but of other paths and methods.
                let general = ["NotFound", "MethodNotAllowed"].contains(&name.as_str());
                assert!(
                    general || used.contains(&reference),
                    "{reference} is not used"
                );
            }
        }
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(
                members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Each request body of this media type: method, path, and its schema.
fn bodies(document: &Value, media_type: &str) -> Vec<(String, String, Value)> {
    let schema = |operation: &Value| {
        let content = operation["requestBody"]["content"].get(media_type)?;
        Some(resolved(document, &content["schema"]).clone())
    };
    operations(document)
        .into_iter()
        .filter_map(|(method, path, operation)| Some((method, path, schema(&operation)?)))
        .collect()
}

/// The POSTs that have nothing to say.
const WITHOUT_BODY: [&str; 6] = [
    "/email/verify",
    "/signin/passkey/options",
    "/reauthenticate/passkey/options",
    "/factors/totp",
    "/factors/recovery-codes",
    "/account/passkeys/options",
];

#[test]
fn bodies_are_closed_and_their_members_limited() {
    for (method, path, schema) in APIS.iter().flat_map(|api| bodies(&api.json(), JSON)) {
        assert_eq!(
            schema["additionalProperties"],
            value!(false),
            "{method} {path}"
        );
        for (name, member) in schema["properties"].as_object().unwrap() {
            // Tokens and passkeys have no limit of their own, but that of the body; the limit of app data is that of its text.
            let limited = ["maxLength", "maxItems"]
                .iter()
                .any(|limit| member[limit].is_u64())
                || member["enum"].is_array()
                || member["type"] == "boolean"
                || member["format"] == "date-time"
                || ["refreshToken", "app", "credential", "passkey"].contains(&name.as_str());
            assert!(
                limited && member["description"].is_string(),
                "{method} {path}: {name}: {member}"
            );
        }
    }
    let [public, _] = &APIS;
    let with_body = (public.operations)()
        .iter()
        .filter(|row| row.path.starts_with(BASE))
        .filter(|row| [Method::POST, Method::PUT].contains(&row.method))
        .filter(|row| !WITHOUT_BODY.iter().any(|path| row.path.ends_with(path)))
        .count();
    assert_eq!(
        bodies(&public.json(), JSON).len(),
        with_body,
        "every other POST and PUT of an account takes a body"
    );
}

#[test]
fn forms_say_what_each_parameter_is_and_take_others() {
    let forms = bodies(&APIS[0].json(), FORM);
    assert_eq!(forms.len(), 3, "those of OAuth clients");
    for (method, path, schema) in forms {
        assert_eq!(
            schema["additionalProperties"],
            value!(true),
            "{method} {path}: RFC 6749 §3.2"
        );
        for (name, member) in schema["properties"].as_object().unwrap() {
            assert!(
                member["type"] == "string" && member["description"].is_string(),
                "{method} {path}: {name}: {member}"
            );
        }
    }
}

#[test]
fn operations_have_an_id_a_tag_and_words() {
    for api in &APIS {
        check_words(&api.json());
    }
}

fn check_words(document: &Value) {
    let tags: Vec<&Value> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    let mut ids = Vec::new();
    for (method, path, operation) in operations(document) {
        assert!(tags.contains(&&operation["tags"][0]), "{method} {path}");
        assert!(
            operation["summary"].is_string() && operation["description"].is_string(),
            "{method} {path}"
        );
        ids.push(operation["operationId"].as_str().unwrap().to_owned());
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids are unique");
}
