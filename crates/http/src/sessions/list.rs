//! `GET /sessions` and `DELETE /sessions/{sid}`: seeing one's sessions and ending one.

pub(super) mod docs;

use super::{
    answer::Instant,
    caller::Bearer,
    problem::{FieldProblem, Problem},
    use_case::UseCase,
};
use actix_web::{HttpResponse, web};
use revolve_domain::{
    model::{DeviceId, SessionId},
    use_cases::{EndSession, ListSessions, SessionView},
};
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;

/// The live sessions of the account.
#[derive(Serialize, ToSchema)]
#[schema(as = Sessions)]
struct Answer<'a> {
    sessions: Vec<SessionMembers<'a>>,
}

/// A live session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListedSession)]
struct SessionMembers<'a> {
    /// The session, as in the claim `sid`.
    #[schema(value_type = String, format = "uuid")]
    id: SessionId,
    device: DeviceMembers<'a>,
    /// Where the sign-in came from.
    #[schema(value_type = Option<String>, required = true)]
    address: Option<IpAddr>,
    /// When the password was shown.
    created_at: Instant,
    /// When it was refreshed last.
    refreshed_at: Instant,
    /// When it ends unless it is refreshed.
    expires_at: Instant,
    /// When it ends in any case.
    ends_at: Instant,
    /// Whether it is the one that asks.
    current: bool,
}

/// The device of a session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Device)]
struct DeviceMembers<'a> {
    /// The device.
    #[schema(value_type = String, format = "uuid")]
    id: DeviceId,
    /// What the sign-in called it.
    #[schema(required = true)]
    name: Option<&'a str>,
    /// What the client calls itself, in words.
    #[schema(required = true)]
    user_agent: Option<&'a str>,
    /// Whether the session is refused without the device's credential.
    bound: bool,
}

/// `GET /sessions`
pub(super) async fn list(
    use_case: web::Data<ListSessions>,
    bearer: Bearer,
) -> Result<HttpResponse, Problem> {
    let views = use_case.execute(&bearer.0).await?;
    Ok(HttpResponse::Ok().json(Answer {
        sessions: views.iter().map(members).collect(),
    }))
}

fn members(view: &SessionView) -> SessionMembers<'_> {
    let session = &view.session;
    SessionMembers {
        id: session.id,
        device: DeviceMembers {
            id: session.device,
            name: session
                .device_name
                .as_ref()
                .map(revolve_domain::model::Label::as_str),
            user_agent: session
                .client
                .user_agent
                .as_ref()
                .map(revolve_domain::model::Label::as_str),
            bound: session.bound_at.is_some(),
        },
        address: session.client.address,
        created_at: session.began_at.into(),
        refreshed_at: view.refreshed_at.whole_second().into(),
        expires_at: view.expires_at.into(),
        ends_at: session.ends_at.into(),
        current: view.current,
    }
}

/// `DELETE /sessions/{sid}`
pub(super) async fn end(
    use_case: UseCase<EndSession>,
    bearer: Bearer,
    sid: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let session: SessionId = sid.parse().map_err(|_| {
        Problem::fields(vec![FieldProblem::new(
            "sid",
            "invalid_id",
            "must be a UUID",
        )])
    })?;
    use_case
        .run(async move |case| case.execute(&bearer.0, session).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}
