//! Holds every exchange with the service to the OpenAPI document of its listener: what is answered is described, and what is accepted is valid.

use super::Answer;
use jsonschema::Validator;
use reqwest::{Method, Request, Url, header::HeaderMap};
use revolve::ADMIN_BASE;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Arc, LazyLock, Mutex},
};

/// The documents that are checked in; other tests say that they are those that are served. Answers may not have members that they do
/// not describe, which clients are free to overlook.
static PUBLIC: LazyLock<Value> = LazyLock::new(|| checked_in("openapi.json"));
static ADMIN: LazyLock<Value> = LazyLock::new(|| checked_in("openapi-admin.json"));

/// The media types of bodies.
const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

fn checked_in(name: &str) -> Value {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut document = serde_json::from_str(&fs::read_to_string(docs.join(name)).unwrap()).unwrap();
    close(&mut document);
    document
}

/// The document that describes a path.
fn document(path: &str) -> &'static Value {
    if path.starts_with(ADMIN_BASE) {
        &ADMIN
    } else {
        &PUBLIC
    }
}

static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// A request as it was sent.
pub(crate) struct Sent {
    method: Method,
    url: Url,
    headers: HeaderMap,
    /// `None` if it was a stream.
    body: Option<Vec<u8>>,
}

impl From<&Request> for Sent {
    fn from(request: &Request) -> Self {
        let body = request
            .body()
            .map_or(Some(Vec::new()), |body| body.as_bytes().map(<[u8]>::to_vec));
        Self {
            method: request.method().clone(),
            url: request.url().clone(),
            headers: request.headers().clone(),
            body,
        }
    }
}

/// Adds to each object that it has no other members.
fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("type") == Some(&json!("object")) && members.contains_key("properties") {
                members
                    .entry("additionalProperties")
                    .or_insert(json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// What is meant, whether it stands here or is referred to.
fn resolved(document: &'static Value, value: &'static Value) -> &'static Value {
    value["$ref"].as_str().map_or(value, |reference| {
        document
            .pointer(&reference[1..])
            .expect("the reference leads somewhere")
    })
}

/// Whether formats are checked: in requests they are hints (JSON Schema 2020-12, Validation §7.2.1), since white space around an
/// e-mail address does no harm, and some addresses are written in no ASCII.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Formats {
    Checked,
    Hints,
}

/// Fails unless the value fits the schema.
fn fits(
    document: &Value,
    schema: &Value,
    value: &Value,
    formats: Formats,
    what: &dyn Fn() -> String,
) {
    let title = &document["info"]["title"];
    let key = format!("{formats:?} {title} {schema}");
    let known = VALIDATORS.lock().unwrap().get(&key).cloned();
    let validator = known.unwrap_or_else(|| {
        let mut schema = schema.clone();
        schema["components"] = document["components"].clone();
        let validator = Arc::new(
            jsonschema::draft202012::options()
                .should_validate_formats(formats == Formats::Checked)
                .build(&schema)
                .unwrap(),
        );
        VALIDATORS
            .lock()
            .unwrap()
            .insert(key, Arc::clone(&validator));
        validator
    });
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{error} at {:?}", error.instance_path().as_str()))
        .collect();
    assert!(
        errors.is_empty(),
        "{} does not fit its schema: {errors:#?}\n{value:#}",
        what()
    );
}

/// The described path that a path is an instance of.
fn item(document: &'static Value, path: &str) -> Option<(&'static String, &'static Value)> {
    let matches = |template: &str| {
        let (mut template, mut path) = (template.split('/'), path.split('/'));
        let fits =
            |one: &str, other: &str| one == other || (one.starts_with('{') && !other.is_empty());
        template
            .by_ref()
            .zip(path.by_ref())
            .all(|(one, other)| fits(one, other))
            && template.next().is_none()
            && path.next().is_none()
    };
    let same_length = |template: &str| template.split('/').count() == path.split('/').count();
    document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .find(|(template, _)| same_length(template) && matches(template))
}

/// Fails unless this exchange is as the document says.
#[track_caller]
pub(crate) fn check(sent: &Sent, answer: &Answer) {
    let path = sent.url.path();
    let document = document(path);
    // Numbers for operators and the preflights of the Fetch standard are no operations of the API.
    if path == "/metrics" || sent.method == Method::OPTIONS {
        return;
    }
    // Any answer to HEAD is that to GET without its content, where there is a GET.
    if sent.method == Method::HEAD {
        assert_eq!(answer.text, "", "HEAD {path} is answered with content");
        if let Some((_, item)) = item(document, path)
            && item["get"].is_object()
        {
            let status = answer.status.to_string();
            assert!(
                item["get"]["responses"][&status].is_object(),
                "HEAD {path}: {status} is not described"
            );
        }
        return;
    }
    let shared = |name: &str| &document["components"]["responses"][name];
    let Some((_, item)) = item(document, path) else {
        let name = match answer.status {
            414 => "UriTooLong",
            431 => "HeadersTooLarge",
            _ => "NotFound",
        };
        assert!(
            name != "NotFound" || answer.status == 404,
            "{} {path} is answered but not described: {answer:#?}",
            sent.method
        );
        return check_answer(document, shared(name), sent, answer);
    };
    let operation = &item[sent.method.as_str().to_lowercase()];
    if operation.is_null() {
        assert_eq!(
            answer.status, 405,
            "{} {path} is answered but not described: {answer:#?}",
            sent.method
        );
        let allow: Vec<String> = answer
            .header("allow")
            .split(", ")
            .map(str::to_lowercase)
            .filter(|method| method != "head")
            .collect();
        let mut described: Vec<&String> = item.as_object().unwrap().keys().collect();
        described.sort_by_key(|method| allow.iter().position(|allowed| allowed == *method));
        assert_eq!(
            described,
            allow.iter().collect::<Vec<_>>(),
            "{path}: `Allow` names other methods"
        );
        return check_answer(document, shared("MethodNotAllowed"), sent, answer);
    }
    let response = &operation["responses"][answer.status.to_string()];
    assert!(
        response.is_object(),
        "{} {path}: {} is not described: {answer:#?}",
        sent.method,
        answer.status
    );
    check_answer(document, resolved(document, response), sent, answer);
    if answer.status < 400 {
        check_request(document, operation, sent);
    }
}

fn check_answer(document: &Value, response: &Value, sent: &Sent, answer: &Answer) {
    let what = || {
        format!(
            "{} {}: the answer {}",
            sent.method,
            sent.url.path(),
            answer.status
        )
    };
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let there = answer.headers.contains_key(name);
        assert!(
            there || header["required"] != json!(true),
            "{} lacks {name}: {answer:#?}",
            what()
        );
    }
    let Some(content) = response["content"].as_object() else {
        assert_eq!(
            answer.text,
            "",
            "{} has content that is not described",
            what()
        );
        return;
    };
    let media_type = answer
        .header("content-type")
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    let Some(content) = content.get(media_type) else {
        panic!("{}: {media_type:?} is not described", what())
    };
    let is_json = media_type == "application/json" || media_type.ends_with("+json");
    let body = if is_json {
        answer.json()
    } else {
        Value::from(answer.text.as_str())
    };
    // A stream is looked at by those who read it.
    if media_type != "text/event-stream" {
        fits(document, &content["schema"], &body, Formats::Checked, &what);
    }
}

/// A request that was carried out.
fn check_request(document: &'static Value, operation: &'static Value, sent: &Sent) {
    let what = || {
        format!(
            "{} {}: the request, which was accepted,",
            sent.method,
            sent.url.path()
        )
    };
    let parameters = || operation["parameters"].as_array().into_iter().flatten();
    for (name, value) in sent.url.query_pairs() {
        let found =
            parameters().find(|parameter| parameter["in"] == "query" && parameter["name"] == *name);
        let Some(parameter) = found else {
            panic!("{} has {name}, which is not described", what())
        };
        let number = value.parse::<i64>().ok();
        let number = number.filter(|_| parameter["schema"]["type"] != "string");
        fits(
            document,
            &parameter["schema"],
            &number.map_or(Value::from(&*value), Value::from),
            Formats::Checked,
            &what,
        );
    }
    let alternatives = operation["security"].as_array();
    let is_bearer = |scheme: &Value| {
        ["idToken", "apiKey", "apiKeyBasic"]
            .iter()
            .any(|name| scheme.get(name).is_some())
    };
    if alternatives.is_some_and(|all| all.iter().all(is_bearer)) {
        assert!(
            sent.headers.contains_key("authorization"),
            "{} has no token",
            what()
        );
    }
    let Some(bytes) = &sent.body else { return };
    let body = &operation["requestBody"];
    if bytes.is_empty() {
        assert_ne!(body["required"], json!(true), "{} has no body", what());
        return;
    }
    assert!(
        body.is_object(),
        "{} has a body, which is not described",
        what()
    );
    let (schema, value) = if body["content"][FORM].is_object() {
        let fields = url::form_urlencoded::parse(bytes).into_owned();
        let fields = fields.map(|(name, value)| (name, Value::from(value)));
        (&body["content"][FORM]["schema"], fields.collect())
    } else {
        let value = serde_json::from_slice(bytes).unwrap();
        (&body["content"][JSON]["schema"], value)
    };
    fits(document, schema, &value, Formats::Hints, &what);
}

/// The operations of the public document: method, path, what is said.
pub(crate) fn operations() -> impl Iterator<Item = (Method, &'static str, &'static Value)> {
    operations_of(&PUBLIC)
}

/// The operations of the document of the admin API.
pub(crate) fn admin_operations() -> impl Iterator<Item = (Method, &'static str, &'static Value)> {
    operations_of(&ADMIN)
}

fn operations_of(
    document: &'static Value,
) -> impl Iterator<Item = (Method, &'static str, &'static Value)> {
    let items = document["paths"].as_object().unwrap().iter();
    items.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, said)| {
            (method.to_uppercase().parse().unwrap(), path.as_str(), said)
        })
    })
}

/// The schema of an operation's body, if it takes JSON.
pub(crate) fn body_schema(operation: &'static Value) -> Option<&'static Value> {
    let content = operation["requestBody"]["content"].get(JSON)?;
    Some(resolved(&PUBLIC, &content["schema"]))
}

/// The examples of an operation's body, if it takes JSON.
pub(crate) fn body_examples(operation: &'static Value) -> impl Iterator<Item = &'static Value> {
    let examples = operation["requestBody"]["content"][JSON]["examples"].as_object();
    examples
        .into_iter()
        .flat_map(|examples| examples.values().map(|example| &example["value"]))
}
