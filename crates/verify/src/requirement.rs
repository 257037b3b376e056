//! What a middleware or a layer requires of the user of a request.

use crate::{Claims, RequiredAuthentication, Verifier, problem::ProblemDocument};

#[derive(Clone, Debug)]
pub(crate) enum Requirement {
    /// That the account has the role.
    Role(Box<str>),
    /// That the authentication is as required.
    Authentication(RequiredAuthentication),
}

impl Requirement {
    /// The answer to a request of which it does not hold.
    pub(crate) fn refusal(&self, claims: &Claims, verifier: &Verifier) -> Option<ProblemDocument> {
        match self {
            Self::Role(role) => {
                (!claims.has_role(role)).then(|| ProblemDocument::role_required(role))
            }
            Self::Authentication(required) => {
                let insufficient = verifier.require_authentication(claims, required).err();
                insufficient.map(ProblemDocument::from)
            }
        }
    }
}
