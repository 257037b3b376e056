//! One operation as the document has it. An operation states its own answers; those that every operation of its kind has (to a
//! bad token, to a bad body) are added here.

use super::{
    field_schema::Member,
    response::{self, Example},
};
use crate::kit::{
    answer::sample,
    body::{self, MediaType},
    caller::{DEVICE_HEADER, REAUTHENTICATION_HEADER},
    key_caller,
    problem::{ErrorForm, FieldProblem, OAuthError, Problem},
};
use actix_web::http::StatusCode;
use revolve_domain::{limits::LimitName, model::ApiKeyScope, use_cases::Refusal};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, ContentBuilder, Ref, RefOr, Required, Response, Schema,
        example::ExampleBuilder,
        header::HeaderBuilder,
        path::{self, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::{RequestBody, RequestBodyBuilder},
        response::Responses,
        schema::ObjectBuilder,
        security::SecurityRequirement,
    },
};

/// The name of the bearer scheme.
pub(super) const ID_TOKEN: &str = "idToken";
/// The name of the scheme of operators' keys.
pub(super) const API_KEY: &str = "apiKey";
/// The name of the scheme of operators' keys as the secrets of clients.
pub(super) const API_KEY_BASIC: &str = "apiKeyBasic";
/// The name of the scheme of the device cookie.
pub(super) const DEVICE_COOKIE: &str = "deviceCookie";
/// The name of the scheme of the cookie with a refresh token.
pub(in crate::kit::openapi) const TOKEN_COOKIE: &str = "refreshCookie";

/// What an ID token can be refused for.
const BEARER: [Refusal; 8] = [
    Refusal::TokenInvalid,
    Refusal::TokenExpired,
    Refusal::SessionUnknown,
    Refusal::SessionRevoked,
    Refusal::SessionReplaced,
    Refusal::SessionEvicted,
    Refusal::SessionExpired,
    Refusal::TokenReused,
];

/// One operation.
pub(crate) struct Operation {
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: Cow<'static, str>,
    parameters: Vec<Parameter>,
    security: Option<Vec<SecurityRequirement>>,
    body: Option<RequestBody>,
    answers: BTreeMap<u16, Response>,
    problems: Vec<Problem>,
    shared: Vec<u16>,
    errors: ErrorForm,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Operation {
    pub(crate) fn new(
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
        description: &'static str,
    ) -> Self {
        Self {
            id,
            tag,
            summary,
            description: description.into(),
            parameters: Vec::new(),
            security: None,
            body: None,
            answers: BTreeMap::new(),
            problems: Vec::new(),
            shared: response::EVERYWHERE.to_vec(),
            errors: ErrorForm::Problem,
            schemas: Vec::new(),
        }
    }

    /// Needs an ID token.
    pub(crate) fn bearer(mut self) -> Self {
        self.security = Some(vec![SecurityRequirement::new(ID_TOKEN, [] as [&str; 0])]);
        self.problems([Problem::unauthenticated()])
            .problems(BEARER.map(Problem::from))
    }

    /// Needs an operator's key with this scope. `takes_basic`: in either of two ways.
    pub(crate) fn for_key(mut self, scope: ApiKeyScope, takes_basic: bool) -> Self {
        let schemes = [API_KEY, API_KEY_BASIC].into_iter();
        let ways = schemes.take(if takes_basic { 2 } else { 1 });
        self.security = Some(
            ways.map(|scheme| SecurityRequirement::new(scheme, [scope.as_str()]))
                .collect(),
        );
        self.description = format!("{}\n\nThe key needs `{scope}`.", self.description).into();
        self.problems(key_caller::problems(scope))
    }

    /// May show a device credential, in the header or in the cookie.
    pub(crate) fn device(mut self) -> Self {
        self.security = Some(vec![
            SecurityRequirement::default(),
            SecurityRequirement::new(DEVICE_COOKIE, [] as [&str; 0]),
        ]);
        self.device_header(
            "The device credential, for clients other than browsers: the string from `device.credential`.",
        )
    }

    /// Needs an ID token, the device credential if the session is bound, and a factor if the account must have one.
    pub(crate) fn bearer_on_device(self) -> Self {
        self.bearer_to_set_up()
            .problems([Problem::factor_setup_required()])
    }

    /// The same, also in a session that has to set up a factor first.
    pub(crate) fn bearer_to_set_up(self) -> Self {
        let mut this = self.bearer().device_header(
            "The device credential, for clients other than browsers. The calls of a session that is bound to its device need it.",
        );
        this.security = Some(vec![
            SecurityRequirement::new(ID_TOKEN, [] as [&str; 0]),
            SecurityRequirement::new(ID_TOKEN, [] as [&str; 0]).add(DEVICE_COOKIE, [] as [&str; 0]),
        ]);
        this.problems([Problem::from(Refusal::DeviceMismatch)])
    }

    /// May show an ID token, with the device credential if its session is bound.
    pub(crate) fn maybe_bearer(self) -> Self {
        let mut this = self.bearer_on_device();
        let token = || SecurityRequirement::new(ID_TOKEN, [] as [&str; 0]);
        this.security = Some(vec![
            SecurityRequirement::default(),
            token(),
            token().add(DEVICE_COOKIE, [] as [&str; 0]),
        ]);
        this
    }

    /// May be authenticated by the cookie with the refresh token instead.
    pub(crate) fn token_cookie(mut self) -> Self {
        let cookie = || SecurityRequirement::new(TOKEN_COOKIE, [] as [&str; 0]);
        let ways = [cookie(), cookie().add(DEVICE_COOKIE, [] as [&str; 0])];
        self.security.get_or_insert_default().extend(ways);
        self
    }

    /// May show a reauthentication.
    pub(crate) fn reauthentication(self) -> Self {
        self.parameter(
            ParameterIn::Header,
            REAUTHENTICATION_HEADER,
            "What `POST /reauthenticate` answered as `reauthentication`.",
            ObjectBuilder::new().schema_type(utoipa::openapi::Type::String),
            sample::TOKEN,
        )
        .problems([Problem::reauthentication_required()])
    }

    fn device_header(self, description: &str) -> Self {
        self.parameter(
            ParameterIn::Header,
            DEVICE_HEADER,
            description,
            ObjectBuilder::new().schema_type(utoipa::openapi::Type::String),
            "AZ8xW1mNcHK4vJ0l2m3n4w.q8Jx2vT0b6yA1mZ5s7dK9g",
        )
    }

    /// An optional parameter.
    pub(crate) fn parameter(
        mut self,
        place: ParameterIn,
        name: &str,
        description: &str,
        schema: ObjectBuilder,
        example: impl Into<Value>,
    ) -> Self {
        let required = if place == ParameterIn::Path {
            Required::True
        } else {
            Required::False
        };
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .description(Some(description));
        self.parameters.push(
            parameter
                .schema(Some(schema))
                .example(Some(example.into()))
                .build(),
        );
        self
    }

    /// A parameter that several operations have.
    pub(crate) fn parameter_of(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Takes a JSON object with these members and no others.
    pub(crate) fn body<const N: usize>(
        self,
        name: &str,
        description: &str,
        members: impl IntoIterator<Item = Member>,
        examples: [Example; N],
    ) -> Self {
        self.any_body(name, description, members, examples, Required::True)
    }

    /// The same, but nothing counts as `{}`.
    pub(crate) fn optional_body<const N: usize>(
        self,
        name: &str,
        description: &str,
        members: impl IntoIterator<Item = Member>,
        examples: [Example; N],
    ) -> Self {
        self.any_body(name, description, members, examples, Required::False)
    }

    /// Takes a form with these fields; others are ignored.
    pub(crate) fn form<const N: usize>(
        mut self,
        name: &str,
        description: &str,
        fields: impl IntoIterator<Item = Member>,
        examples: [Example; N],
    ) -> Self {
        let fields: Vec<Member> = fields.into_iter().collect();
        let missing = fields.iter().take(1).map(Member::example_problem).collect();
        let schema = Member::open_object(description, fields);
        let content = content(Ref::from_schema_name(name), examples);
        let body = RequestBodyBuilder::new()
            .description(Some(description))
            .required(Some(Required::True));
        self.body = Some(body.content(MediaType::Form.name(), content).build());
        self.schemas.push((name.to_owned(), schema.into()));
        self.problems(body::form_problems())
            .problems([Problem::fields(missing)])
    }

    fn any_body<const N: usize>(
        mut self,
        name: &str,
        description: &str,
        members: impl IntoIterator<Item = Member>,
        examples: [Example; N],
        required: Required,
    ) -> Self {
        let members: Vec<Member> = members.into_iter().collect();
        let mut errors: Vec<FieldProblem> = members
            .iter()
            .take(1)
            .map(Member::example_problem)
            .collect();
        errors.push(FieldProblem::new(
            "nickname",
            "unknown_field",
            "is not known here",
        ));
        let schema = Member::object(description, members);
        let content = content(Ref::from_schema_name(name), examples);
        let body = RequestBodyBuilder::new()
            .description(Some(description))
            .required(Some(required));
        self.body = Some(body.content(MediaType::Json.name(), content).build());
        self.schemas.push((name.to_owned(), schema.into()));
        self.problems(body::problems())
            .problems([Problem::fields(errors)])
    }

    /// 422 for these fields.
    pub(crate) fn invalid_fields<const N: usize>(
        self,
        errors: [(&str, &'static str, &str); N],
    ) -> Self {
        let errors = errors.map(|(field, code, detail)| FieldProblem::new(field, code, detail));
        self.problems([Problem::fields(errors.into())])
    }

    /// Answers with JSON of this type.
    pub(crate) fn json<T: ToSchema, const N: usize>(
        self,
        status: u16,
        description: &str,
        examples: [Example; N],
    ) -> Self {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        let mut this = self.answer(
            status,
            description,
            "application/json",
            Ref::from_schema_name(T::name()),
            examples,
        );
        this.schemas.append(&mut schemas);
        this
    }

    /// Answers with any content.
    pub(crate) fn answer<const N: usize>(
        mut self,
        status: u16,
        description: &str,
        media_type: &str,
        schema: impl Into<RefOr<Schema>>,
        examples: [Example; N],
    ) -> Self {
        let response = self
            .answers
            .entry(status)
            .or_insert_with(|| Response::new(description));
        response
            .content
            .insert(media_type.to_owned(), RefOr::T(content(schema, examples)));
        self
    }

    /// Answers with no content.
    pub(crate) fn empty(mut self, status: u16, description: &str) -> Self {
        self.answers.insert(status, Response::new(description));
        self
    }

    /// Each of these answers has a header.
    pub(crate) fn header<const N: usize>(
        self,
        statuses: [u16; N],
        name: &str,
        description: &str,
        example: &str,
    ) -> Self {
        self.any_header(&statuses, name, (description, example), true)
    }

    /// These answers may have a header.
    pub(crate) fn maybe_header<const N: usize>(
        self,
        statuses: [u16; N],
        name: &str,
        description: &str,
        example: &str,
    ) -> Self {
        self.any_header(&statuses, name, (description, example), false)
    }

    fn any_header(
        mut self,
        statuses: &[u16],
        name: &str,
        (description, example): (&str, &str),
        required: bool,
    ) -> Self {
        for status in statuses {
            let header = HeaderBuilder::new()
                .description(Some(description))
                .example(Some(example.into()))
                .extensions(required.then(response::always))
                .build();
            let response = self
                .answers
                .get_mut(status)
                .expect("the answer is described before its headers");
            response.headers.insert(name.to_owned(), RefOr::T(header));
        }
        self
    }

    /// Answers with these problems.
    pub(crate) fn problems(mut self, problems: impl IntoIterator<Item = Problem>) -> Self {
        self.problems.extend(problems);
        self
    }

    /// Says in this form what went wrong.
    pub(crate) fn telling_errors_as(mut self, form: ErrorForm) -> Self {
        self.errors = form;
        if form == ErrorForm::OAuth {
            let schema = (OAuthError::name().into_owned(), OAuthError::schema());
            self.schemas.push(schema);
        }
        self
    }

    /// Names these limits; the use case enforces them.
    pub(crate) fn limited_by(mut self, limits: &[LimitName]) -> Self {
        if !limits.is_empty() {
            self.shared.push(429);
        }
        self
    }

    /// Has none of the shared 500 and 503 answers.
    pub(crate) fn at_once(mut self) -> Self {
        self.shared.retain(|status| !matches!(status, 500 | 503));
        self
    }

    /// The operation, and the schemas that it names.
    pub(super) fn build(self) -> (path::Operation, Vec<(String, RefOr<Schema>)>) {
        let mut responses: BTreeMap<u16, RefOr<Response>> = self
            .answers
            .into_iter()
            .map(|(status, response)| (status, RefOr::T(response)))
            .collect();
        let (shared, form) = (self.shared, self.errors);
        // The shared answers are problem documents.
        let is_referred =
            |status: u16| form == ErrorForm::Problem || response::OUTSIDE.contains(&status);
        for &status in shared.iter().filter(|status| is_referred(**status)) {
            responses.insert(
                status,
                RefOr::Ref(Ref::from_response_name(response::name(status))),
            );
        }
        let mut problems: BTreeMap<StatusCode, Vec<Problem>> = BTreeMap::new();
        for problem in self.problems {
            problems
                .entry(form.status(&problem))
                .or_default()
                .push(problem);
        }
        for problem in response::shared_problems()
            .into_iter()
            .filter(|problem| shared.contains(&problem.status().as_u16()))
        {
            let status = problem.status();
            if is_referred(status.as_u16()) {
                problems.entry(status).and_modify(|own| own.push(problem));
            } else {
                problems
                    .entry(form.status(&problem))
                    .or_default()
                    .push(problem);
            }
        }
        for (status, problems) in problems {
            let mut response = response::of(form, &problems);
            // What the operation answers otherwise with this status stays.
            if let Some(RefOr::T(other)) = responses.remove(&status.as_u16()) {
                response.content.extend(other.content);
                response.headers.extend(other.headers);
                response.description = format!("{} {}", other.description, response.description);
            }
            responses.insert(status.as_u16(), RefOr::T(response));
        }
        let mut collected = Responses::new();
        collected.responses = responses
            .into_iter()
            .map(|(status, response)| (status.to_string(), response))
            .collect();
        let operation = OperationBuilder::new()
            .operation_id(Some(self.id))
            .tag(self.tag)
            .summary(Some(self.summary))
            .description(Some(self.description.into_owned()))
            .parameters((!self.parameters.is_empty()).then_some(self.parameters))
            .securities(self.security)
            .request_body(self.body)
            .responses(collected);
        (operation.build(), self.schemas)
    }
}

/// Content with named examples.
pub(super) fn content<const N: usize>(
    schema: impl Into<RefOr<Schema>>,
    examples: [Example; N],
) -> Content {
    let examples = examples.into_iter().map(|(summary, value)| {
        (
            key(summary),
            ExampleBuilder::new()
                .summary(summary)
                .value(Some(value))
                .build(),
        )
    });
    ContentBuilder::new()
        .schema(Some(schema))
        .examples_from_iter(examples)
        .build()
}

/// Keys of examples are words with dashes.
fn key(summary: &str) -> String {
    let words = summary.to_lowercase();
    words
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}
