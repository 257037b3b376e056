//! `GET /sessions` and `DELETE /sessions/{sid}`: seeing one's sessions and ending one.

use crate::kit::{
    answer::{Instant, sample},
    caller::BearerCaller,
    openapi::{Operation, example},
    path_id::path_id,
    problem::Problem,
    use_case::UseCase,
};
use actix_web::{HttpResponse, web};
use revolve_domain::{
    model::{DeviceId, SessionId},
    use_cases::{EndSession, EndSessionError, ListSessions, SessionView},
};
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr};
use utoipa::ToSchema;

/// The live sessions of the account.
#[derive(Serialize, ToSchema)]
#[schema(as = Sessions)]
struct SessionsAnswer<'a> {
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
pub(crate) async fn list(
    use_case: UseCase<ListSessions>,
    caller: BearerCaller,
) -> Result<HttpResponse, Problem> {
    let views = use_case.get().execute(&caller.0).await?;
    Ok(HttpResponse::Ok().json(SessionsAnswer {
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
pub(crate) async fn end(
    use_case: UseCase<EndSession>,
    caller: BearerCaller,
    sid: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let session: SessionId = path_id("sid", &sid)?;
    use_case
        .run(async move |case| case.execute(&caller.0, session).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

impl From<EndSessionError> for Problem {
    fn from(error: EndSessionError) -> Self {
        match error {
            EndSessionError::Refused(refused) => refused.into(),
            EndSessionError::NotFound => Problem::not_found("You have no such session."),
        }
    }
}

pub(crate) fn list_docs() -> Operation {
    let device = |name, user_agent, bound| DeviceMembers {
        id: sample::DEVICE,
        name,
        user_agent,
        bound,
    };
    let address = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 17)));
    let here = SessionMembers {
        id: sample::SESSION,
        device: device(Some("Ann's phone"), Some("Safari on iPhone"), true),
        address,
        created_at: sample::later(0, 0),
        refreshed_at: sample::later(0, 14),
        expires_at: sample::later(3, 14),
        ends_at: sample::later(90, 0),
        current: true,
    };
    let there = SessionMembers {
        id: sample::OTHER_SESSION,
        device: device(None, Some("Firefox on Linux"), false),
        address: None,
        created_at: sample::later(-4, 0),
        refreshed_at: sample::later(-1, 0),
        expires_at: sample::later(2, 0),
        ends_at: sample::later(86, 0),
        current: false,
    };
    let description = "The live sessions of the account, with their devices.";
    Operation::new("listSessions", "sessions", "List the sessions", description)
        .bearer_on_device()
        .json::<SessionsAnswer<'_>, 1>(
            200,
            "The sessions.",
            [(
                "Two devices",
                example(&SessionsAnswer {
                    sessions: vec![here, there],
                }),
            )],
        )
}

pub(crate) fn end_docs() -> Operation {
    let description = "Ends one session of the account, which may be this one. It is as final as a sign-out. This one is ended without the device credential, too.";
    Operation::new("endSession", "sessions", "End a session", description)
        .bearer_to_set_up()
        .path_id(
            "sid",
            "The session, as in the list.",
            sample::OTHER_SESSION.to_string(),
        )
        .empty(204, "It has ended.")
        .problems([Problem::from(EndSessionError::NotFound)])
}
