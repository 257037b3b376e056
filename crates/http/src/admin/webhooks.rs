//! `/webhooks`: endpoints that are sent what happens.

use super::page::{format_schema, instant};
use crate::{
    ADMIN_BASE,
    kit::{
        answer::{Instant, sample::later},
        body::{Body, NestedBody},
        key_caller::KeyCaller,
        openapi::{Member, Operation, example, label, schema_of, web_url},
        path_id::path_id,
        problem::{FieldProblem, Problem},
        use_case::AdminCase,
    },
};
use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web,
};
use revolve_domain::{
    deliveries::Backlog,
    model::{EventId, Label, Timestamp, WebhookId},
    use_cases::{Failure, ManageWebhooks, NewWebhook, WebhookChange, WebhookRefused},
    webhooks::{DisabledReason, EventFilter, Webhook, WebhookUrl},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use utoipa::{
    ToSchema,
    openapi::{Type, schema::ObjectBuilder},
};

/// A secret that only looks like one.
const SECRET: &str = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// All endpoints.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhooks)]
struct WebhooksAnswer<'a> {
    /// The oldest first.
    webhooks: Vec<WebhookMembers<'a>>,
}

/// An endpoint.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookAnswer)]
struct WebhookAnswer<'a> {
    webhook: WebhookMembers<'a>,
    /// What verifies signatures. Only where it was just made: it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    /// What is on its way to it, where one endpoint is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    deliveries: Option<BacklogMembers>,
}

/// Events on their way to an endpoint.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookDeliveries)]
struct BacklogMembers {
    /// How many are still to be sent.
    waiting: u64,
    /// Since when the oldest of them waits.
    #[schema(required = true)]
    waiting_since: Option<Instant>,
    /// How many were given up within the last 7 days.
    given_up: u64,
}

/// An endpoint that is sent what happens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Webhook)]
struct WebhookMembers<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: WebhookId,
    /// What operators call it.
    name: &'a str,
    /// Where events are sent.
    #[schema(format = "uri")]
    url: &'a str,
    /// Names of events, and groups such as `session.*`; empty: everything.
    #[schema(value_type = Vec<String>)]
    events: &'a [String],
    /// Whether events are sent.
    enabled: bool,
    /// Why not.
    #[schema(schema_with = reasons, required = true)]
    disabled_reason: Option<&'static str>,
    /// When it was made.
    created_at: Instant,
    /// Until when the secret before the present one signs, too.
    #[schema(required = true)]
    previous_secret_until: Option<Instant>,
    /// Since when it has taken nothing, if the last attempt failed.
    #[schema(required = true)]
    failing_since: Option<Instant>,
    /// Why the last attempt failed.
    #[schema(required = true)]
    last_error: Option<&'a str>,
}

fn reasons() -> ObjectBuilder {
    let reasons = [
        DisabledReason::Operator,
        DisabledReason::Failing,
        DisabledReason::Gone,
    ];
    let words = reasons.map(|reason| Some(reason.as_str()));
    ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::SchemaType::from_iter([
            Type::String,
            Type::Null,
        ]))
        .enum_values(Some(words.into_iter().chain([None])))
}

impl<'a> From<&'a Webhook> for WebhookMembers<'a> {
    fn from(webhook: &'a Webhook) -> Self {
        Self {
            id: webhook.id,
            name: webhook.name.as_str(),
            url: webhook.url.as_str(),
            events: webhook.events.names(),
            enabled: webhook.disabled.is_none(),
            disabled_reason: webhook.disabled.map(DisabledReason::as_str),
            created_at: webhook.created_at.into(),
            previous_secret_until: webhook.previous.as_ref().map(|old| old.until.into()),
            failing_since: webhook.failing_since.map(Instant::from),
            last_error: webhook.last_error.as_deref(),
        }
    }
}

/// An event that was ordered.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookTest)]
struct TestAnswer {
    /// The event `webhook.tested`, and the `webhook-id` that it comes with.
    #[schema(value_type = String, format = "uuid")]
    event: EventId,
}

/// Events that were ordered.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookReplay)]
struct ReplayAnswer {
    /// How many.
    events: usize,
}

/// `GET /webhooks`
pub(crate) async fn list(use_case: AdminCase<ManageWebhooks>) -> Result<HttpResponse, Problem> {
    let all = use_case.get().list().await.map_err(Failure::from)?;
    Ok(HttpResponse::Ok().json(WebhooksAnswer {
        webhooks: all.iter().map(WebhookMembers::from).collect(),
    }))
}

/// `POST /webhooks`
pub(crate) async fn create(
    use_case: AdminCase<ManageWebhooks>,
    caller: KeyCaller,
    NestedBody { mut body, .. }: NestedBody,
) -> Result<HttpResponse, Problem> {
    let name = body.required("name", Label::parse);
    if !body.has("url") {
        body.refuse("url", "missing", "is needed");
    }
    let url = url(&mut body);
    let events = events(&mut body).unwrap_or_default();
    let new = name
        .zip(url)
        .map(|(name, url)| NewWebhook { name, url, events });
    let new = body.finish(new)?;
    let created = use_case
        .run(async move |case| case.create(new, caller.actor()).await)
        .await??;
    let place = format!("{ADMIN_BASE}/webhooks/{}", created.webhook.id);
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, place));
    Ok(with_secret(response, &created.webhook, &created.secret))
}

/// `GET /webhooks/{id}`
pub(crate) async fn find(
    use_case: AdminCase<ManageWebhooks>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: WebhookId = path_id("id", &id)?;
    let manage = use_case.get();
    let webhook = manage.find(id).await?;
    let Backlog {
        waiting,
        oldest_due,
        given_up,
    } = manage.backlog(id).await.map_err(Failure::from)?;
    Ok(HttpResponse::Ok().json(WebhookAnswer {
        webhook: (&webhook).into(),
        secret: None,
        deliveries: Some(BacklogMembers {
            waiting,
            waiting_since: oldest_due.map(Instant::from),
            given_up,
        }),
    }))
}

/// `PATCH /webhooks/{id}`
pub(crate) async fn change(
    use_case: AdminCase<ManageWebhooks>,
    caller: KeyCaller,
    id: web::Path<String>,
    NestedBody { mut body, .. }: NestedBody,
) -> Result<HttpResponse, Problem> {
    let id: WebhookId = path_id("id", &id)?;
    let name = match body.nullable("name", Label::parse) {
        Some(None) => {
            body.refuse("name", "missing", "can't be removed");
            None
        }
        name => name.flatten(),
    };
    let change = WebhookChange {
        name,
        url: url(&mut body),
        events: events(&mut body),
        enabled: body.flag("enabled"),
    };
    let change = body.finish(Some(change))?;
    let webhook = use_case
        .run(async move |case| case.change(id, &change, caller.actor()).await)
        .await??;
    Ok(HttpResponse::Ok().json(WebhookAnswer {
        webhook: (&webhook).into(),
        secret: None,
        deliveries: None,
    }))
}

/// `DELETE /webhooks/{id}`
pub(crate) async fn delete(
    use_case: AdminCase<ManageWebhooks>,
    caller: KeyCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: WebhookId = path_id("id", &id)?;
    use_case
        .run(async move |case| case.remove(id, caller.actor()).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /webhooks/{id}/test`
pub(crate) async fn test(
    use_case: AdminCase<ManageWebhooks>,
    caller: KeyCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: WebhookId = path_id("id", &id)?;
    let event = use_case
        .run(async move |case| case.test(id, caller.actor()).await)
        .await??;
    Ok(HttpResponse::Accepted().json(TestAnswer { event }))
}

/// `POST /webhooks/{id}/rotate`
pub(crate) async fn rotate(
    use_case: AdminCase<ManageWebhooks>,
    caller: KeyCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: WebhookId = path_id("id", &id)?;
    let rotated = use_case
        .run(async move |case| case.rotate(id, caller.actor()).await)
        .await??;
    let response = HttpResponse::Ok();
    Ok(with_secret(response, &rotated.webhook, &rotated.secret))
}

/// `POST /webhooks/{id}/replay`
pub(crate) async fn replay(
    use_case: AdminCase<ManageWebhooks>,
    caller: KeyCaller,
    id: web::Path<String>,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let id: WebhookId = path_id("id", &id)?;
    if !body.has("from") {
        body.refuse("from", "missing", "is needed");
    }
    let from = instant(&mut body, "from");
    let to = instant(&mut body, "to").unwrap_or(Timestamp::from_millis(i64::MAX));
    let from = body.finish(from)?;
    let events = use_case
        .run(async move |case| case.replay(id, from, to, caller.actor()).await)
        .await??;
    Ok(HttpResponse::Accepted().json(ReplayAnswer { events }))
}

fn with_secret(
    mut response: actix_web::HttpResponseBuilder,
    webhook: &Webhook,
    secret: &SecretString,
) -> HttpResponse {
    response.json(WebhookAnswer {
        webhook: webhook.into(),
        secret: Some(secret.expose_secret()),
        deliveries: None,
    })
}

const URL: (&str, &str) = (
    "invalid_url",
    "must be a whole https URL of at most 2048 characters, without user, password or fragment",
);

fn url(body: &mut Body) -> Option<WebhookUrl> {
    body.parsed("url", URL, |text| WebhookUrl::parse(text).ok())
}

fn events(body: &mut Body) -> Option<EventFilter> {
    let names = body.list("events", |name| Ok(name.to_owned()))?;
    let filter = EventFilter::choose(names.iter().map(String::as_str));
    if filter.is_err() {
        let detail = "must be at most 64 names of events of this release, such as account.created, or groups such as session.*";
        body.refuse("events", "invalid_event", detail);
    }
    filter.ok()
}

impl From<WebhookRefused> for Problem {
    fn from(refused: WebhookRefused) -> Self {
        match refused {
            WebhookRefused::NotFound => no_webhook(),
            WebhookRefused::Target(target) => Self::fields(vec![FieldProblem::new(
                "url",
                "target_refused",
                target.to_string(),
            )]),
            WebhookRefused::TooMany => too_many(),
            WebhookRefused::Disabled => disabled(),
            WebhookRefused::NoTime => Self::fields(vec![FieldProblem::new(
                "from",
                "no_time",
                "must be before `to`, and not in the future",
            )]),
            WebhookRefused::TooMuch => Self::fields(vec![FieldProblem::new(
                "from",
                "too_many",
                "more than 10,000 events match: ask for a shorter time",
            )]),
            WebhookRefused::Store(error) => Failure::from(error).into(),
            other => Self::internal(&other),
        }
    }
}

fn no_webhook() -> Problem {
    Problem::not_found("There is no such webhook.")
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "too_many_webhooks",
        "There are 50 webhooks already, and there may be no more.",
    )
}

fn disabled() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "webhook_disabled",
        "The webhook is disabled: enable it first.",
    )
}

fn sample_id() -> WebhookId {
    WebhookId::from_random([5; 16])
}

fn sample_members() -> WebhookMembers<'static> {
    static EVENTS: std::sync::LazyLock<Vec<String>> =
        std::sync::LazyLock::new(|| vec!["account.*".to_owned(), "session.reused".to_owned()]);
    WebhookMembers {
        id: sample_id(),
        name: "crm",
        url: "https://crm.example.org/hooks",
        events: &EVENTS,
        enabled: true,
        disabled_reason: None,
        created_at: later(0, 0),
        previous_secret_until: None,
        failing_since: None,
        last_error: None,
    }
}

fn sample_answer(secret: Option<&'static str>, is_whole: bool) -> serde_json::Value {
    example(&WebhookAnswer {
        webhook: sample_members(),
        secret,
        deliveries: is_whole.then_some(BacklogMembers {
            waiting: 1,
            waiting_since: Some(later(0, 5)),
            given_up: 0,
        }),
    })
}

fn members(is_new: bool) -> impl Iterator<Item = Member> {
    let name = label(
        "What to call it: the program that gets the events. `too_long`",
        "crm",
    );
    let url = web_url(
        "Where events are sent: https, and to a public address unless `webhooks.allow_private` names its network. `invalid_url`, `target_refused`",
        "https://crm.example.org/hooks",
    )
    .max_length(Some(WebhookUrl::LONGEST));
    let events = schema_of(json!({
        "type": "array",
        "description": "Names of events of the journal, and groups such as `session.*`; empty: everything. `invalid_event`",
        "maxItems": EventFilter::MOST,
        "items": { "type": "string", "maxLength": 64, "pattern": "^[a-z_]+\\.([a-z_]+|\\*)$" },
        "examples": [["account.*", "session.reused"]],
    }));
    let enabled = schema_of(json!({
        "type": "boolean",
        "description": "Whether events are sent. One that is enabled gets what happens from then on.",
        "examples": [true],
    }));
    let (name, url) = if is_new {
        (Member::required("name", name), Member::required("url", url))
    } else {
        (Member::optional("name", name), Member::optional("url", url))
    };
    let enabled = (!is_new).then(|| Member::of("enabled", enabled));
    [name, url, Member::of("events", events)]
        .into_iter()
        .chain(enabled)
}

impl Operation {
    fn of_webhook(self) -> Self {
        self.path_id("id", "The webhook.", sample_id().to_string())
            .problems([no_webhook()])
    }

    fn answers_webhook(self, status: u16, description: &str, answer: serde_json::Value) -> Self {
        self.json::<WebhookAnswer<'_>, 1>(status, description, [("A webhook", answer)])
    }
}

pub(crate) fn list_docs() -> Operation {
    let answer = WebhooksAnswer {
        webhooks: vec![sample_members()],
    };
    Operation::new(
        "listWebhooks",
        "webhooks",
        "List webhooks",
        "All of them, the oldest first.",
    )
    .json::<WebhooksAnswer<'_>, 1>(200, "The webhooks.", [("One webhook", example(&answer))])
}

pub(crate) fn create_docs() -> Operation {
    let description = "Makes an endpoint that is sent what happens from now on, as Standard Webhooks 1.0 has it. Its secret is answered this once.";
    Operation::new("createWebhook", "webhooks", "Make a webhook", description)
        .body(
            "NewWebhook",
            "The webhook.",
            members(true),
            [(
                "What happens to accounts",
                json!({ "name": "crm", "url": "https://crm.example.org/hooks", "events": ["account.*"] }),
            )],
        )
        .answers_webhook(201, "The webhook, with its secret.", sample_answer(Some(SECRET), false))
        .header([201], "Location", "Where it is.", "/api/admin/webhooks/05050505-0505-4505-8505-050505050505")
        .problems([too_many()])
}

pub(crate) fn find_docs() -> Operation {
    let description = "One webhook, with what is on its way to it.";
    Operation::new("getWebhook", "webhooks", "Show a webhook", description)
        .of_webhook()
        .answers_webhook(200, "The webhook.", sample_answer(None, true))
}

pub(crate) fn change_docs() -> Operation {
    let description = "Changes a webhook: a member that is missing stays as it is.";
    Operation::new("changeWebhook", "webhooks", "Change a webhook", description)
        .of_webhook()
        .body(
            "WebhookChange",
            "What to change.",
            members(false),
            [("Send nothing", json!({ "enabled": false }))],
        )
        .answers_webhook(200, "The webhook as it is now.", sample_answer(None, false))
}

pub(crate) fn delete_docs() -> Operation {
    let description = "Deletes a webhook, with what is on its way to it.";
    Operation::new("deleteWebhook", "webhooks", "Delete a webhook", description)
        .of_webhook()
        .empty(204, "It is gone.")
}

pub(crate) fn test_docs() -> Operation {
    let description = "Sends the event `webhook.tested` to a webhook, whatever its filter. What became of it is in the webhook.";
    let answer = TestAnswer {
        event: EventId::from_random([6; 16]),
    };
    Operation::new("testWebhook", "webhooks", "Test a webhook", description)
        .of_webhook()
        .json::<TestAnswer, 1>(202, "It is on its way.", [("The event", example(&answer))])
        .problems([disabled()])
}

pub(crate) fn rotate_docs() -> Operation {
    let description = "Gives a webhook a new secret, which is answered this once. For 24 hours events have the signatures of both.";
    Operation::new(
        "rotateWebhook",
        "webhooks",
        "Rotate a webhook's secret",
        description,
    )
    .of_webhook()
    .answers_webhook(
        200,
        "The webhook, with its new secret.",
        sample_answer(Some(SECRET), false),
    )
}

pub(crate) fn replay_docs() -> Operation {
    let description = "Sends what the journal has of a time to a webhook once more: what its filter lets pass, at most 10,000 events.";
    let at = |description: &str| {
        format_schema("date-time")
            .description(Some(description.to_owned()))
            .examples([json!("2026-01-02T03:04:05Z")])
    };
    Operation::new(
        "replayWebhook",
        "webhooks",
        "Send former events once more",
        description,
    )
    .of_webhook()
    .body(
        "WebhookReplayTime",
        "Of which time.",
        [
            Member::required(
                "from",
                at("From when on. `invalid_instant`, `no_time`, `too_many`"),
            ),
            Member::optional("to", at("Before when; now by default. `invalid_instant`")),
        ],
        [(
            "A day",
            json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-03T00:00:00Z" }),
        )],
    )
    .json::<ReplayAnswer, 1>(
        202,
        "They are on their way.",
        [("Three events", example(&ReplayAnswer { events: 3 }))],
    )
    .problems([disabled()])
}
