//! `GET /deliveries` and `POST /deliveries/{id}/retry`: the outbox.

use super::{
    answer::sample,
    page::{limit, words},
};
use crate::kit::{
    answer::{Instant, sample::later},
    body::Query,
    key_caller::KeyCaller,
    openapi::{Operation, example},
    path_id::path_id,
    problem::Problem,
    use_case::AdminCase,
};
use actix_web::{HttpResponse, http::StatusCode, web};
use revolve_domain::{
    deliveries::{Delivery, DeliveryQuery, DeliveryState},
    journal::MailKind,
    model::{DeliveryId, Locale, UserId},
    use_cases::ManageDeliveries,
};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{Type, schema::ObjectBuilder},
};

/// Mails on their way.
#[derive(Serialize, ToSchema)]
#[schema(as = Deliveries)]
struct DeliveriesAnswer<'a> {
    /// Those that have been due for longest, first.
    deliveries: Vec<DeliveryMembers<'a>>,
}

/// A mail on its way. One that was sent is not kept.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
struct DeliveryMembers<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: DeliveryId,
    /// What it is for, and so its template.
    mail: &'static str,
    #[schema(schema_with = states)]
    state: &'static str,
    /// Where it goes.
    #[schema(format = "idn-email")]
    to: &'a str,
    /// The account that it is about.
    #[schema(value_type = Option<String>, required = true, format = "uuid")]
    user: Option<UserId>,
    /// Its language; the service's if there is none.
    #[schema(required = true)]
    locale: Option<&'a str>,
    /// How many more of its kind it stands for.
    more: u32,
    /// When it was ordered.
    created_at: Instant,
    /// When it was or is to be sent first.
    due_at: Instant,
    /// When it is tried next; once it was given up, when it is forgotten.
    next_at: Instant,
    /// Until when it is tried.
    expires_at: Instant,
    /// Until when it is being sent, if it is.
    #[schema(required = true)]
    leased_until: Option<Instant>,
    /// How often it was tried.
    attempts: u32,
    /// Why it was not sent.
    #[schema(required = true)]
    last_error: Option<&'a str>,
}

fn states() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(DeliveryState::ALL.map(DeliveryState::as_str)))
}

impl<'a> From<&'a Delivery> for DeliveryMembers<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        let mail = &delivery.mail;
        Self {
            id: mail.id,
            mail: mail.kind.as_str(),
            state: delivery.state.as_str(),
            to: mail.to.as_str(),
            user: mail.user,
            locale: mail.locale.as_ref().map(Locale::as_str),
            more: delivery.more,
            created_at: delivery.created_at.into(),
            due_at: delivery.due_at.into(),
            next_at: delivery.next_at.into(),
            expires_at: mail.expires_at.into(),
            leased_until: delivery.leased_until.map(Instant::from),
            attempts: delivery.attempts,
            last_error: delivery.last_error.as_deref(),
        }
    }
}

/// `GET /deliveries`
pub(crate) async fn deliveries(
    use_case: AdminCase<ManageDeliveries>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let mut query = query.0;
    let state = query.choice("state", &STATES);
    let limit = limit(&mut query);
    query.finish(Some(()))?;
    let asked = DeliveryQuery { state, limit };
    let found = use_case.get().list(asked).await?;
    Ok(HttpResponse::Ok().json(DeliveriesAnswer {
        deliveries: found.iter().map(DeliveryMembers::from).collect(),
    }))
}

const STATES: [(&str, DeliveryState); 2] = [
    (DeliveryState::Waiting.as_str(), DeliveryState::Waiting),
    (DeliveryState::GivenUp.as_str(), DeliveryState::GivenUp),
];

/// `POST /deliveries/{id}/retry`
pub(crate) async fn retry(
    use_case: AdminCase<ManageDeliveries>,
    caller: KeyCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: DeliveryId = path_id("id", &id)?;
    let (done, found) = use_case
        .run(async move |case| {
            let done = case.retry(&[id], caller.actor()).await;
            (done, case.find(id).await)
        })
        .await?;
    if !done?.is_empty() {
        return Ok(HttpResponse::NoContent().finish());
    }
    Err(match found? {
        Some(_) => not_retried(),
        None => no_delivery(),
    })
}

fn no_delivery() -> Problem {
    Problem::not_found("There is no such mail: it was sent, dropped or forgotten.")
}

fn not_retried() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "delivery_under_way",
        "The mail is being sent, or was not tried yet.",
    )
}

pub(crate) fn deliveries_docs() -> Operation {
    let description = "Mails that wait or were given up, those that have been due for longest first. What was sent is not kept; what was given up is \
                       kept for 7 days.";
    let delivery = DeliveryMembers {
        id: DeliveryId::from_random([3; 16]),
        mail: MailKind::Invitation.as_str(),
        state: DeliveryState::Waiting.as_str(),
        to: "ann@example.org",
        user: Some(sample::UID),
        locale: None,
        more: 0,
        created_at: later(0, 0),
        due_at: later(0, 0),
        next_at: later(0, 5),
        expires_at: later(3, 0),
        leased_until: None,
        attempts: 1,
        last_error: Some("450 4.2.0 greylisted"),
    };
    let answer = DeliveriesAnswer {
        deliveries: vec![delivery],
    };
    Operation::new("listDeliveries", "deliveries", "List mails", description)
        .query(
            "state",
            "Only those in this state.",
            words(DeliveryState::ALL.map(DeliveryState::as_str)),
            "given_up",
        )
        .limit()
        .json::<DeliveriesAnswer<'_>, 1>(200, "The mails.", [("One mail", example(&answer))])
}

pub(crate) fn retry_docs() -> Operation {
    let description = "Sends a mail now that was tried before, also one that was given up.";
    Operation::new(
        "retryDelivery",
        "deliveries",
        "Send a mail anew",
        description,
    )
    .path_id(
        "id",
        "The mail, as in the list.",
        DeliveryId::from_random([3; 16]).to_string(),
    )
    .empty(204, "It is due now.")
    .problems([no_delivery(), not_retried()])
}
