//! `GET /events`: the journal.

use super::{
    answer::sample,
    page::{format_schema, id, instant, limit, text_schema, words},
};
use crate::kit::{
    answer::{Instant, sample::later},
    body::{Body, Query},
    openapi::{Operation, example},
    problem::Problem,
    use_case::AdminCase,
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::{ApiKeyId, EventId, Label, SessionId, UserId},
    ports::{JournalCursor, JournalQuery, JournalRecord},
    use_cases::ReadJournal,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};
use utoipa::{
    ToSchema,
    openapi::{Type, schema::ObjectBuilder},
};

/// The longest name of an event.
const LONGEST_NAME: usize = 64;

/// A page of the journal.
#[derive(Serialize, ToSchema)]
#[schema(as = Events)]
struct EventsAnswer<'a> {
    entries: Vec<EventMembers<'a>>,
    /// What `after` has to be for the next page. In the order `newest` it is null on the last one; in the order `committed` it is always there,
    /// also on an empty page.
    #[schema(required = true)]
    next: Option<String>,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
struct EventMembers<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: EventId,
    /// What happened, as a stable name. There may be new ones.
    event: &'a str,
    /// When.
    at: Instant,
    /// On whose behalf.
    #[schema(schema_with = actors)]
    actor: &'static str,
    /// The API key, if it was one.
    #[schema(value_type = Option<String>, required = true, format = "uuid")]
    api_key: Option<ApiKeyId>,
    /// The account that it is about.
    #[schema(value_type = Option<String>, required = true, format = "uuid")]
    user: Option<UserId>,
    /// The session.
    #[schema(value_type = Option<String>, required = true, format = "uuid")]
    session: Option<SessionId>,
    /// Where the request came from. Gone once the account is deleted, as the next two.
    #[schema(value_type = Option<String>, required = true)]
    address: Option<IpAddr>,
    /// Where the session began.
    #[schema(value_type = Option<String>, required = true)]
    session_address: Option<IpAddr>,
    /// What the sign-in called the device, otherwise what its client calls itself.
    #[schema(required = true)]
    device: Option<&'a str>,
    /// What else is known of it, by name.
    #[schema(additional_properties = true)]
    details: &'a BTreeMap<String, String>,
    /// How often it happened within the minute.
    count: u64,
}

fn actors() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["user", "operator", "key", "system", "stranger"]))
}

impl<'a> From<&'a JournalRecord> for EventMembers<'a> {
    fn from(entry: &'a JournalRecord) -> Self {
        Self {
            id: entry.id,
            event: &entry.event,
            at: entry.at.into(),
            actor: entry.actor.name(),
            api_key: entry.actor.key(),
            user: entry.user,
            session: entry.session,
            address: entry.address,
            session_address: entry.session_address,
            device: entry.device.as_ref().map(Label::as_str),
            details: &entry.details,
            count: entry.count,
        }
    }
}

/// In which order entries come, and from where on.
#[derive(Clone, Copy)]
enum Order {
    /// The newest first.
    Newest,
    /// As they were committed, after the cursor; without one from now on.
    Committed(Option<JournalCursor>),
}

/// `GET /events`
pub(crate) async fn events(
    use_case: AdminCase<ReadJournal>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let (order, query) = parse(query.0)?;
    let journal = use_case.get();
    let (entries, next) = match order {
        Order::Newest => {
            let page = journal.page(query).await?;
            (page.entries, page.next.map(|next| next.to_string()))
        }
        Order::Committed(after) => {
            let followed = journal.follow(after, &query).await?;
            (followed.entries, Some(text(followed.cursor)))
        }
    };
    Ok(HttpResponse::Ok().json(EventsAnswer {
        entries: entries.iter().map(EventMembers::from).collect(),
        next,
    }))
}

fn parse(mut query: Body) -> Result<(Order, JournalQuery), Problem> {
    let is_newest = query
        .choice("order", &[("newest", true), ("committed", false)])
        .unwrap_or(true);
    let mut asked = JournalQuery {
        user: id(&mut query, "user"),
        event: query.parsed(
            "name",
            (
                "invalid_event",
                "must be the name of an event, such as session.reused",
            ),
            name,
        ),
        from: instant(&mut query, "from"),
        to: instant(&mut query, "to"),
        after: None,
        limit: limit(&mut query),
    };
    let detail = (
        "invalid_cursor",
        "must be the `next` of a page in this order",
    );
    let order = if is_newest {
        asked.after = query.parsed("after", detail, |text| text.parse().ok());
        Order::Newest
    } else {
        let after = query.parsed("after", detail, committed_after);
        after.unwrap_or_else(|| Order::Committed(Some(JournalCursor::default())))
    };
    query.finish(Some((order, asked)))
}

fn name(text: &str) -> Option<String> {
    let is_sound = (1..=LONGEST_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte));
    is_sound.then(|| text.to_owned())
}

/// A cursor as text.
fn text(cursor: JournalCursor) -> String {
    format!("{}.{}", cursor.commit, cursor.number)
}

fn committed_after(text: &str) -> Option<Order> {
    if text == "now" {
        return Some(Order::Committed(None));
    }
    let (commit, number) = text.split_once('.')?;
    Some(Order::Committed(Some(JournalCursor {
        commit: commit.parse().ok()?,
        number: number.parse().ok()?,
    })))
}

pub(crate) fn events_docs() -> Operation {
    let description = "What happened, as long as the journal keeps it: the entries that all of the parameters fit.\n\nIn the order `newest` the newest come \
                       first, for people. In the order `committed` they come as they were committed, for programs that follow the journal: it \
                       begins with the oldest entry, or with `after=now` with those to come; ask again with `next` and you get every entry once, \
                       however long its commit took. A page in this order may have fewer entries than `limit`, or none, although others follow.";
    let details = BTreeMap::from([("reason".to_owned(), "signed_out".to_owned())]);
    let entry = EventMembers {
        id: EventId::from_random([1; 16]),
        event: "session.signed_out",
        at: later(0, 0),
        actor: "key",
        api_key: Some(ApiKeyId::from_random([2; 16])),
        user: Some(sample::UID),
        session: Some(crate::kit::answer::sample::SESSION),
        address: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 17))),
        session_address: None,
        device: None,
        details: &details,
        count: 1,
    };
    let answer = EventsAnswer {
        next: Some(entry.id.to_string()),
        entries: vec![entry],
    };
    Operation::new("listEvents", "events", "Read the journal", description)
        .query(
            "user",
            "Only those about this account, also about one that is deleted.",
            format_schema("uuid"),
            &sample::UID.to_string(),
        )
        .query(
            "name",
            "Only those of this name.",
            text_schema()
                .max_length(Some(LONGEST_NAME))
                .pattern(Some("^[a-z._]+$")),
            "session.reused",
        )
        .query(
            "from",
            "Only those from this instant on (RFC 3339).",
            format_schema("date-time"),
            "2026-01-02T03:04:05Z",
        )
        .query(
            "to",
            "Only those before this instant (RFC 3339).",
            format_schema("date-time"),
            "2026-01-03T00:00:00Z",
        )
        .query(
            "order",
            "`newest` by default.",
            words(["newest", "committed"]),
            "newest",
        )
        .query(
            "after",
            "Continues after a page: its `next`. In the order `committed` also `now`.",
            text_schema(),
            &EventId::from_random([1; 16]).to_string(),
        )
        .limit()
        .json::<EventsAnswer<'_>, 1>(200, "A page.", [("One entry", example(&answer))])
}
