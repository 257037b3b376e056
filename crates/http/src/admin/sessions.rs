//! `GET /users/{uid}/sessions` and `DELETE /users/{uid}/sessions/{sid}`.

use super::{no_account, page::flag};
use crate::kit::{
    answer::{Instant, sample},
    body::Query,
    key_caller::KeyCaller,
    openapi::{Operation, example},
    path_id::path_id,
    problem::Problem,
    use_case::AdminCase,
};
use actix_web::{HttpResponse, web};
use revolve_domain::{
    model::{DeviceId, EndReason, Label, SessionId, Timestamp, UserId},
    ports::EndOutcome,
    use_cases::{AccountName, HistoricSession, ManageAccounts, SessionState},
};
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr};
use utoipa::{
    ToSchema,
    openapi::{Type, schema::ObjectBuilder},
};

/// The sessions of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccountSessions)]
struct SessionsAnswer<'a> {
    /// The newest first.
    sessions: Vec<SessionMembers<'a>>,
    /// Whether the white list has said which of them can be refreshed. If not, `refreshedAt` and `expiresAt` are null, and `lapsed` ones are
    /// called `live`.
    complete: bool,
}

/// A session, live or over.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccountSession)]
struct SessionMembers<'a> {
    /// The session, as in the claim `sid`.
    #[schema(value_type = String, format = "uuid")]
    id: SessionId,
    /// How it stands: `lapsed` if it was not refreshed in time, `disabled` if its account is.
    #[schema(schema_with = states)]
    state: &'static str,
    /// The device.
    #[schema(value_type = String, format = "uuid")]
    device: DeviceId,
    /// What the sign-in called the device.
    #[schema(required = true)]
    device_name: Option<&'a str>,
    /// What the client calls itself, in words.
    #[schema(required = true)]
    user_agent: Option<&'a str>,
    /// Where the sign-in came from.
    #[schema(value_type = Option<String>, required = true)]
    address: Option<IpAddr>,
    /// Whether it is refused without the device's credential.
    bound: bool,
    /// When the password was shown.
    created_at: Instant,
    /// When it was refreshed last.
    #[schema(required = true)]
    refreshed_at: Option<Instant>,
    /// When it ends unless it is refreshed.
    #[schema(required = true)]
    expires_at: Option<Instant>,
    /// When it ends in any case.
    ends_at: Instant,
    /// When it has ended.
    #[schema(required = true)]
    ended_at: Option<Instant>,
    /// Why it has ended.
    #[schema(required = true)]
    end_reason: Option<&'static str>,
}

fn states() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(SessionState::ALL.map(SessionState::as_str)))
}

fn members(found: &HistoricSession) -> SessionMembers<'_> {
    let session = &found.session;
    let instant = |at: Option<Timestamp>| at.map(|at| at.whole_second().into());
    SessionMembers {
        id: session.id,
        state: found.state.as_str(),
        device: session.device,
        device_name: session.device_name.as_ref().map(Label::as_str),
        user_agent: session.client.user_agent.as_ref().map(Label::as_str),
        address: session.client.address,
        bound: session.bound_at.is_some(),
        created_at: session.began_at.into(),
        refreshed_at: instant(found.live.map(|live| live.refreshed_at)),
        expires_at: instant(found.live.map(|live| live.token.expires_at)),
        ends_at: session.ends_at.into(),
        ended_at: instant(session.ending.map(|ending| ending.at)),
        end_reason: session.ending.map(|ending| ending.reason.name()),
    }
}

/// `GET /users/{uid}/sessions`
pub(crate) async fn sessions(
    use_case: AdminCase<ManageAccounts>,
    uid: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let uid: UserId = path_id("uid", &uid)?;
    let mut query = query.0;
    let is_live = flag(&mut query, "live");
    query.finish(Some(()))?;
    let manage = use_case.get();
    let found = manage.find(&AccountName::Id(uid)).await?;
    found.ok_or_else(no_account)?;
    let history = manage.history(uid).await?;
    let is_asked_for = |session: &&HistoricSession| {
        is_live.is_none_or(|asked| asked == (session.state == SessionState::Live))
    };
    Ok(HttpResponse::Ok().json(SessionsAnswer {
        sessions: history
            .sessions
            .iter()
            .filter(is_asked_for)
            .map(members)
            .collect(),
        complete: history.white_list.is_ok(),
    }))
}

/// `DELETE /users/{uid}/sessions/{sid}`
pub(crate) async fn end_session(
    use_case: AdminCase<ManageAccounts>,
    caller: KeyCaller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (uid, sid) = path.into_inner();
    let uid: UserId = path_id("uid", &uid)?;
    let sid: SessionId = path_id("sid", &sid)?;
    let outcome = use_case
        .run(async move |case| case.end_session(uid, sid, caller.actor()).await)
        .await??;
    match outcome {
        EndOutcome::Ended | EndOutcome::AlreadyEnded => Ok(HttpResponse::NoContent().finish()),
        EndOutcome::NotFound => Err(no_session()),
    }
}

fn no_session() -> Problem {
    Problem::not_found("The account has no such session.")
}

pub(crate) fn sessions_docs() -> Operation {
    let description = "The sessions of an account with their devices: the live ones, and those that are over as long as their rows are kept.";
    let session = |is_live: bool| SessionMembers {
        id: if is_live {
            sample::SESSION
        } else {
            sample::OTHER_SESSION
        },
        state: if is_live {
            SessionState::Live.as_str()
        } else {
            SessionState::Ended.as_str()
        },
        device: sample::DEVICE,
        device_name: Some("Ann's phone"),
        user_agent: Some("Firefox on Android"),
        address: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 17))),
        bound: is_live,
        created_at: sample::later(0, 0),
        refreshed_at: is_live.then(|| sample::later(1, 0)),
        expires_at: is_live.then(|| sample::later(4, 0)),
        ends_at: sample::later(90, 0),
        ended_at: (!is_live).then(|| sample::later(2, 0)),
        end_reason: (!is_live).then(|| EndReason::SignedOut.name()),
    };
    let answer = SessionsAnswer {
        sessions: vec![session(true), session(false)],
        complete: true,
    };
    Operation::new(
        "listUserSessions",
        "sessions",
        "List the sessions of an account",
        description,
    )
    .of_account()
    .query(
        "live",
        "Only live ones, or only others.",
        super::page::words(["true", "false"]),
        "true",
    )
    .invalid_fields([("live", "invalid_choice", "must be one of true, false")])
    .json::<SessionsAnswer<'_>, 1>(
        200,
        "The sessions.",
        [("A live one and one that is over", example(&answer))],
    )
}

pub(crate) fn end_session_docs() -> Operation {
    let description =
        "Ends one session of an account, as final as a sign-out. One that is over stays as it is.";
    Operation::new(
        "endUserSession",
        "sessions",
        "End a session of an account",
        description,
    )
    .path_id(
        "uid",
        "The account.",
        super::answer::sample::UID.to_string(),
    )
    .path_id(
        "sid",
        "The session, as in the list.",
        sample::SESSION.to_string(),
    )
    .empty(204, "It has ended.")
    .problems([no_session()])
}
