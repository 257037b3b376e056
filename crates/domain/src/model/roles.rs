//! What operators say about an account, for the services that rely on it: its roles.

use super::FieldError;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// A role: 1 to 64 of the characters `a` to `z`, `0` to `9`, `:`, `_`, `.` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Role(String);

impl Role {
    /// The greatest number of characters.
    pub const MAX: usize = 64;

    /// Parses a role. Nothing is trimmed and no letter made small: what is stored is what was typed.
    ///
    /// # Errors
    /// [`FieldError::InvalidRole`].
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let is_allowed =
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b':' | b'_' | b'.' | b'-');
        if (1..=Self::MAX).contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FieldError::InvalidRole)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Role {
    type Error = FieldError;

    fn try_from(text: String) -> Result<Self, FieldError> {
        Self::parse(&text)
    }
}

impl FromStr for Role {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::parse(text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The roles of an account: at most 32, each once, in the order of their bytes. As JSON an array of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Role>")]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// The greatest number of roles.
    pub const MAX: usize = 32;

    /// These roles; one that comes several times counts once.
    ///
    /// # Errors
    /// [`FieldError::TooMany`].
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Result<Self, FieldError> {
        let roles: BTreeSet<_> = roles.into_iter().collect();
        if roles.len() > Self::MAX {
            return Err(FieldError::TooMany { max: Self::MAX });
        }
        Ok(Self(roles))
    }

    /// Whether the role is among them.
    pub fn contains(&self, role: &Role) -> bool {
        self.0.contains(role)
    }

    /// Each role, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Role> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<Role>> for Roles {
    type Error = FieldError;

    fn try_from(roles: Vec<Role>) -> Result<Self, FieldError> {
        Self::new(roles)
    }
}

/// A change of roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RolesPatch {
    /// These take the place of all.
    Set(Roles),
    /// Some are added, then some are removed.
    Adjust {
        /// The roles to add, unless they are there.
        add: Vec<Role>,
        /// The roles to remove, if they are there.
        remove: Vec<Role>,
    },
}

impl RolesPatch {
    /// The roles after the change.
    ///
    /// # Errors
    /// [`FieldError::TooMany`].
    pub fn apply(&self, roles: &Roles) -> Result<Roles, FieldError> {
        match self {
            Self::Set(roles) => Ok(roles.clone()),
            Self::Adjust { add, remove } => {
                let all = roles.iter().chain(add);
                Roles::new(all.filter(|role| !remove.contains(role)).cloned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(names: &[&str]) -> Roles {
        Roles::new(names.iter().map(|name| Role::parse(name).unwrap())).unwrap()
    }

    #[test]
    fn a_role_is_a_short_word_of_few_characters() {
        let longest = "x".repeat(Role::MAX);
        for good in ["admin", "billing:read", "a", "0", "team_1.lead-2", &longest] {
            assert_eq!(Role::parse(good).unwrap().as_str(), good);
        }
        let long = "x".repeat(Role::MAX + 1);
        for bad in [
            "", " admin", "Admin", "a b", "a,b", "ä", "a\n", "\"", "a/b", &long,
        ] {
            assert_eq!(Role::parse(bad), Err(FieldError::InvalidRole), "{bad:?}");
        }
    }

    #[test]
    fn roles_are_sorted_and_each_counts_once() {
        let all = roles(&["b", "a", "b"]);
        let names: Vec<_> = all.iter().map(Role::as_str).collect();
        assert_eq!(names, ["a", "b"]);
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(json, r#"["a","b"]"#);
        assert_eq!(serde_json::from_str::<Roles>(&json).unwrap(), all);
        assert!(serde_json::from_str::<Roles>(r#"["A"]"#).is_err());
    }

    #[test]
    fn there_are_32_roles_at_most() {
        let many = |count: usize| (0..count).map(|n| Role::parse(&format!("r{n}")).unwrap());
        let full = Roles::new(many(Roles::MAX)).unwrap();
        assert_eq!(full.iter().len(), Roles::MAX);
        let refused = Err(FieldError::TooMany { max: Roles::MAX });
        assert_eq!(Roles::new(many(Roles::MAX + 1)), refused);
        let adjust = |add: &[&str], remove: &[&str]| {
            let parse = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
            let (add, remove) = (parse(add), parse(remove));
            RolesPatch::Adjust { add, remove }.apply(&full)
        };
        assert_eq!(adjust(&["new"], &[]), refused);
        assert_eq!(adjust(&["r0"], &[]).unwrap(), full, "it was there");
        assert_eq!(adjust(&["new"], &["r0"]).unwrap().iter().len(), Roles::MAX);
    }

    #[test]
    fn roles_are_replaced_or_adjusted() {
        let before = roles(&["a", "b"]);
        let set = RolesPatch::Set(roles(&["c"])).apply(&before).unwrap();
        assert_eq!(set, roles(&["c"]));
        let patch = RolesPatch::Adjust {
            add: vec![Role::parse("c").unwrap()],
            remove: vec![Role::parse("a").unwrap(), Role::parse("z").unwrap()],
        };
        assert_eq!(patch.apply(&before).unwrap(), roles(&["b", "c"]));
    }
}
