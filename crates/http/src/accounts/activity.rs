//! `GET /activity`: what happened to the account.

use crate::kit::{
    answer::{Instant, sample},
    caller::BearerCaller,
    openapi::{Operation, example},
    problem::Problem,
    query,
    use_case::UseCase,
};
use actix_web::{HttpRequest, HttpResponse};
use revolve_domain::{
    journal::Actor,
    model::{EventId, Label, SessionId},
    ports::JournalRecord,
    use_cases::{Activity, JournalPage},
};
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr};
use utoipa::{
    ToSchema,
    openapi::{SchemaFormat, Type, path::ParameterIn, schema::ObjectBuilder},
};

/// Entries of a page, unless `limit` says another number, and at most.
const PAGE: (u32, u32) = (50, 100);

/// A page of what happened to the account.
#[derive(Serialize, ToSchema)]
#[schema(as = Activity)]
struct ActivityAnswer<'a> {
    /// The newest first.
    entries: Vec<EntryMembers<'a>>,
    /// What `after` has to be for the next page; null on the last one.
    #[schema(value_type = Option<String>, required = true, format = "uuid")]
    next: Option<EventId>,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ActivityEntry)]
struct EntryMembers<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: EventId,
    /// What happened, as a stable code. There may be new ones: show those that you do not know by their code.
    event: &'a str,
    /// When.
    at: Instant,
    /// On whose behalf: the user's, an operator's, the service's own, or that of somebody who has proved nothing.
    #[schema(schema_with = actors)]
    actor: &'static str,
    /// The session, as in the list of sessions.
    #[schema(value_type = Option<String>, required = true, format = "uuid")]
    session: Option<SessionId>,
    /// Where the request came from.
    #[schema(value_type = Option<String>, required = true)]
    address: Option<IpAddr>,
    /// What the sign-in called the device, otherwise what its client calls itself.
    #[schema(required = true)]
    device: Option<&'a str>,
    /// Why a session ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<&'a str>,
    /// Which fields of the account were changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    changed: Option<Vec<&'a str>>,
    /// How often it happened within the minute.
    count: u64,
}

pub(super) fn actors() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["user", "operator", "system", "stranger"]))
}

/// What its user is told of who acted: programs act on behalf of operators.
pub(super) const fn acting(actor: Actor) -> &'static str {
    match actor {
        Actor::Key(_) => Actor::Operator.name(),
        actor => actor.name(),
    }
}

/// `GET /activity`
pub(crate) async fn activity(
    use_case: UseCase<Activity>,
    caller: BearerCaller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = request.query_string();
    let after = query::parameter(query, "after").map(str::parse);
    let after = after.transpose().map_err(|_| invalid_after())?;
    let limit = query::parameter(query, "limit").map(str::parse);
    let limit = limit.transpose().map_err(|_| invalid_limit())?;
    let limit = limit.unwrap_or(PAGE.0);
    if !(1..=PAGE.1).contains(&limit) {
        return Err(invalid_limit());
    }
    let page = use_case.get().execute(&caller.0, after, limit).await?;
    Ok(HttpResponse::Ok().json(ActivityAnswer::from(&page)))
}

impl<'a> From<&'a JournalPage> for ActivityAnswer<'a> {
    fn from(page: &'a JournalPage) -> Self {
        Self {
            entries: page.entries.iter().map(EntryMembers::from).collect(),
            next: page.next,
        }
    }
}

/// No other details: they are for operators.
impl<'a> From<&'a JournalRecord> for EntryMembers<'a> {
    fn from(entry: &'a JournalRecord) -> Self {
        let changed = entry.details.get("changed");
        Self {
            id: entry.id,
            event: &entry.event,
            at: entry.at.into(),
            actor: acting(entry.actor),
            session: entry.session,
            address: entry.address,
            device: entry.device.as_ref().map(Label::as_str),
            reason: entry.details.get("reason").map(String::as_str),
            changed: changed.map(|fields| fields.split(',').collect()),
            count: entry.count,
        }
    }
}

fn invalid_after() -> Problem {
    Problem::malformed("invalid_after", "`after` must be the `next` of a page.")
}

fn invalid_limit() -> Problem {
    Problem::malformed(
        "invalid_limit",
        "`limit` must be a whole number from 1 to 100.",
    )
}

pub(crate) fn activity_docs() -> Operation {
    let entry = |id: u8, event, minutes, actor| EntryMembers {
        id: EventId::from_random([id; 16]),
        event,
        at: sample::later(0, minutes),
        actor,
        session: None,
        address: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 17))),
        device: None,
        reason: None,
        changed: None,
        count: 1,
    };
    let entries = vec![
        EntryMembers {
            count: 3,
            ..entry(3, "sign_in.refused", 40, "stranger")
        },
        EntryMembers {
            session: Some(sample::OTHER_SESSION),
            changed: Some(vec!["name"]),
            ..entry(2, "account.changed", 30, "user")
        },
        EntryMembers {
            session: Some(sample::SESSION),
            device: Some("Ann's phone"),
            ..entry(1, "session.begun", 0, "user")
        },
    ];
    let next = entries.last().map(|entry| entry.id);
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("uuid".to_owned())));
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(PAGE.1));
    let description = "What happened to the account, the newest first: sign-ins, also refused ones, ends of sessions, changes of the account. \
        Older entries are deleted in time.";
    Operation::new("activity", "account", "What happened", description)
        .bearer_on_device()
        .parameter(
            ParameterIn::Query,
            "after",
            "Continues after a page: its `next`.",
            id,
            EventId::from_random([1; 16]).to_string(),
        )
        .parameter(
            ParameterIn::Query,
            "limit",
            "How many entries at most, 1 to 100; 50.",
            limit,
            50,
        )
        .json::<ActivityAnswer<'_>, 1>(
            200,
            "A page.",
            [("Three entries", example(&ActivityAnswer { entries, next }))],
        )
        .problems([invalid_after(), invalid_limit()])
}
