//! How `GET /sessions` and `DELETE /sessions/{sid}` are documented.

use super::{Answer, DeviceMembers, SessionMembers};
use crate::http::{
    answer::docs as sample,
    openapi::{Operation, example},
    problem::Problem,
};
use revolve_domain::use_cases::EndSessionError;
use std::net::{IpAddr, Ipv4Addr};
use utoipa::openapi::{SchemaFormat, Type, path::ParameterIn, schema::ObjectBuilder};

pub(in crate::http) fn list() -> Operation {
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
        .bearer()
        .json::<Answer<'_>, 1>(
            200,
            "The sessions.",
            [(
                "Two devices",
                example(&Answer {
                    sessions: vec![here, there],
                }),
            )],
        )
}

pub(in crate::http) fn end() -> Operation {
    let description =
        "Ends one session of the account, which may be this one. It is as final as a sign-out.";
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("uuid".to_owned())));
    Operation::new("endSession", "sessions", "End a session", description)
        .bearer()
        .parameter(
            ParameterIn::Path,
            "sid",
            "The session, as in the list.",
            id,
            sample::OTHER_SESSION.to_string(),
        )
        .empty(204, "It has ended.")
        .problems([Problem::from(EndSessionError::NotFound)])
        .invalid_fields([("sid", "invalid_id", "must be a UUID")])
}
