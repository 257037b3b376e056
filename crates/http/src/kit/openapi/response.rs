//! Problems as answers: made from real ones, so that what is documented is what is sent.

use crate::kit::{
    deadline::late,
    problem::{ErrorForm, Problem},
};
use actix_web::http::{StatusCode, header};
use revolve_domain::{
    limits::{LimitName, Rate},
    use_cases::Limited,
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use utoipa::openapi::{
    ContentBuilder, Ref, RefOr, Response, Schema,
    example::{Example as Shown, ExampleBuilder},
    extensions::Extensions,
    header::HeaderBuilder,
    schema::{AllOfBuilder, ObjectBuilder, SchemaType},
};

/// An example: what it shows, and the value.
pub(crate) type Example = (&'static str, Value);

/// Statuses that any operation may answer with, and the names of their descriptions.
const SHARED: [(u16, &str); 7] = [
    (404, "NotFound"),
    (405, "MethodNotAllowed"),
    (414, "UriTooLong"),
    (429, "TooManyRequests"),
    (431, "HeadersTooLarge"),
    (500, "Internal"),
    (503, "Unavailable"),
];

/// Those that every operation refers to.
pub(crate) const EVERYWHERE: [u16; 4] = [414, 431, 500, 503];

/// Those that are answered before anybody looks which operation it is: problem documents for all.
pub(super) const OUTSIDE: [u16; 2] = [414, 431];

/// The name of a shared answer.
pub(super) fn name(status: u16) -> &'static str {
    SHARED
        .iter()
        .find(|(shared, _)| *shared == status)
        .map_or("Internal", |(_, name)| name)
}

/// The problems of the shared answers.
pub(super) fn shared_problems() -> [Problem; 8] {
    [
        Problem::not_found("There is nothing at this path."),
        Problem::method_not_allowed("GET, DELETE"),
        Problem::new(
            StatusCode::URI_TOO_LONG,
            "uri_too_long",
            "The path and the query are too long.",
        ),
        too_many(),
        Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers_too_large",
            "The header fields are too large.",
        ),
        Problem::example_internal(),
        Problem::try_again(),
        late(),
    ]
}

/// A limit that was reached.
fn too_many() -> Problem {
    let problem = |rate| {
        Problem::from(Limited {
            limit: LimitName::PasswordPerAccount,
            rate,
            retry_after: Duration::from_secs(90),
        })
    };
    let plain = |_| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "Too many requests; try again later.",
        )
    };
    Rate::new(10, Duration::from_mins(15)).map_or_else(plain, problem)
}

/// The shared answers by name.
pub(super) fn shared() -> impl Iterator<Item = (&'static str, Response)> {
    SHARED.iter().map(|(status, name)| {
        let problems: Vec<Problem> = shared_problems()
            .into_iter()
            .filter(|problem| problem.status().as_u16() == *status)
            .collect();
        (*name, of(ErrorForm::Problem, &problems))
    })
}

/// The answer that is one of these problems in this form, all of one status.
pub(super) fn of(form: ErrorForm, problems: &[Problem]) -> Response {
    let status = form.status(&problems[0]);
    let mut codes: Vec<&str> = problems.iter().map(Problem::code).collect();
    codes.sort_unstable();
    codes.dedup();
    let described: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let description = format!(
        "{}: {}.",
        status.canonical_reason().unwrap_or("Problem"),
        described.join(", ")
    );
    let mut only = ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .property(
            "code",
            ObjectBuilder::new()
                .schema_type(utoipa::openapi::Type::String)
                .enum_values(Some(codes)),
        );
    if form == ErrorForm::Problem {
        only = only.property(
            "status",
            ObjectBuilder::new()
                .schema_type(utoipa::openapi::Type::Integer)
                .enum_values(Some([status.as_u16()])),
        );
    }
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name(form.schema()))
        .item(Schema::Object(only.build()));
    let examples = problems
        .iter()
        .map(|problem| (problem.code().to_owned(), example(form, problem)));
    let mut response = Response::new(description);
    let content = ContentBuilder::new()
        .schema(Some(Schema::AllOf(schema.build())))
        .examples_from_iter(examples)
        .build();
    response
        .content
        .insert(form.media_type().to_owned(), RefOr::T(content));
    for (name, value) in headers(form, problems) {
        let header = HeaderBuilder::new()
            .description(meaning(&name))
            .example(Some(value.into()))
            .extensions(Some(always()))
            .build();
        response.headers.insert(name, RefOr::T(header));
    }
    response
}

/// `required: true`, which the header type has no member for.
pub(super) fn always() -> Extensions {
    [("required", true)].into_iter().collect()
}

fn example(form: ErrorForm, problem: &Problem) -> Shown {
    let (summary, value): Example = (problem.code(), form.body(problem));
    ExampleBuilder::new()
        .summary(summary)
        .value(Some(value))
        .build()
}

/// The headers that each of these answers really has, but for those that say what the body is.
fn headers(form: ErrorForm, problems: &[Problem]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for problem in problems {
        let response = form.response(problem);
        for (name, value) in response
            .headers()
            .iter()
            .filter(|(name, _)| **name != header::CONTENT_TYPE)
        {
            found.insert(
                canonical(name.as_str()),
                value.to_str().unwrap_or_default().to_owned(),
            );
        }
    }
    found
}

/// A header's name as people write it.
fn canonical(name: &str) -> String {
    if name == "www-authenticate" {
        return "WWW-Authenticate".to_owned();
    }
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

fn meaning(name: &str) -> Option<&'static str> {
    Some(match name {
        "Allow" => "The methods that there are.",
        "Accept-Post" => "The media type that there is.",
        "Retry-After" => "Seconds after which to try again.",
        "Ratelimit" => {
            "Which limit it was, what is left of it (`r`), and in how many seconds it is whole again (`t`)."
        }
        "WWW-Authenticate" => "The challenge (RFC 6750 §3); `error` is there if a token was sent.",
        _ => return None,
    })
}
