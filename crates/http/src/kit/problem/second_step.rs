//! 403 `factor_required`: what was proved is right, and a factor has to be shown, too.

use super::Problem;
use actix_web::{cookie::Cookie, http::StatusCode};
use revolve_domain::{
    model::{DeviceId, FactorKind},
    use_cases::SecondStep,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};
use utoipa::{
    ToSchema,
    openapi::{
        Type,
        schema::{ArrayBuilder, ObjectBuilder},
    },
};

/// The device that the session will be on.
#[derive(Serialize, ToSchema)]
#[schema(as = StepDevice)]
pub(super) struct StepDevice {
    /// The device.
    #[schema(value_type = String, format = "uuid")]
    id: DeviceId,
    /// What to send as `Revolve-Device` from now on, with the factor first of all. Not for browsers: they get a cookie that scripts can't read.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    #[schema(value_type = Option<String>, nullable = false)]
    credential: Option<SecretString>,
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn exposed<S: Serializer>(
    credential: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let credential = credential.as_ref().map(ExposeSecret::expose_secret);
    credential.serialize(serializer)
}

pub(super) fn names<S: Serializer>(kinds: &[FactorKind], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(kinds.iter().map(|kind| kind.as_str()))
}

pub(super) fn kinds() -> ArrayBuilder {
    let kind = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(FactorKind::ALL.map(FactorKind::as_str)));
    ArrayBuilder::new()
        .items(kind)
        .min_items(Some(1))
        .description(Some(
            "The kinds of factor that can be shown, in the order in which to offer them.",
        ))
}

impl Problem {
    /// 403: a factor begins the session. Without the device: [`Self::on_device`].
    pub(crate) fn factor_required(step: &SecondStep) -> Self {
        let detail = "This is right, and the account needs a factor, too: show one of `factors` at `POST /signin/factor`.";
        let mut problem = Self::new(StatusCode::FORBIDDEN, "factor_required", detail);
        let document = &mut *problem.0;
        document.challenge = Some(step.challenge);
        document.factors.clone_from(&step.factors);
        document.expires_in = Some(step.expires_in.as_secs());
        document.public_key.clone_from(&step.public_key);
        problem
    }

    /// Hands the client its device, as the beginning of a session does. `credential`: for a client that does not keep it in the cookies.
    pub(crate) fn on_device(
        mut self,
        id: DeviceId,
        credential: Option<SecretString>,
        cookies: Vec<Cookie<'static>>,
    ) -> Self {
        self.0.device = Some(StepDevice { id, credential });
        self.0.cookies = cookies;
        self
    }

    /// 403: the session can do nothing but set up a factor.
    pub(crate) fn factor_setup_required() -> Self {
        let detail = "The account needs a factor: set one up at `POST /factors/totp` or `POST /passkeys/options`, then refresh.";
        Self::new(StatusCode::FORBIDDEN, "factor_setup_required", detail)
    }
}
