//! Which events an endpoint gets.

use crate::journal::SecurityEvent;
use std::{fmt, str::FromStr};

/// Names of events, such as `account.created`, and groups, such as `session.*`; empty: every event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter(Vec<String>);

/// Not a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Too many.
    #[error("there may be at most {} names", EventFilter::MOST)]
    TooMany,
    /// Not a name.
    #[error("must be names of events such as account.created, or groups such as session.*")]
    Name,
    /// Nothing that comes into the journal is called that.
    #[error("no event of this release is `{0}`")]
    Unknown(String),
}

impl EventFilter {
    /// The most names.
    pub const MOST: usize = 64;
    const LONGEST: usize = 64;

    /// Takes names and groups. Those of later releases are taken, too.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, FilterError> {
        let mut all: Vec<String> = Vec::new();
        for name in names {
            if !is_name(name) {
                return Err(FilterError::Name);
            }
            if !all.iter().any(|known| known == name) {
                all.push(name.to_owned());
            }
        }
        if all.len() > Self::MOST {
            return Err(FilterError::TooMany);
        }
        Ok(Self(all))
    }

    /// Takes names and groups of this release: what an operator asks for, who may have misspelt it.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn choose<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, FilterError> {
        let filter = Self::parse(names)?;
        let is_known = |name: &str| SecurityEvent::journaled_names().any(|event| fits(name, event));
        match filter.0.iter().find(|name| !is_known(name)) {
            Some(name) => Err(FilterError::Unknown(name.clone())),
            None => Ok(filter),
        }
    }

    /// The names and groups.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether an event is among them.
    pub fn matches(&self, event: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| fits(name, event))
    }
}

/// Whether an event has this name, or is of this group.
fn fits(name: &str, event: &str) -> bool {
    match name.strip_suffix('*') {
        Some(group) => event.starts_with(group),
        None => event == name,
    }
}

fn is_name(name: &str) -> bool {
    let (group, member) = name.split_once('.').unwrap_or_default();
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    name.len() <= EventFilter::LONGEST && is_word(group) && (member == "*" || is_word(member))
}

/// With spaces between: what stores have.
impl fmt::Display for EventFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl FromStr for EventFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text.split_ascii_whitespace())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_names_and_groups() {
        let filter = EventFilter::parse(["account.created", "session.*"]).expect("a filter");
        for (event, matches) in [
            ("account.created", true),
            ("account.created_twice", false),
            ("account.deleted", false),
            ("session.begun", true),
            ("sessions.ended", false),
        ] {
            assert_eq!(filter.matches(event), matches, "{event}");
        }
        assert!(EventFilter::default().matches("anything.at_all"));
        assert_eq!(filter.to_string().parse(), Ok(filter));
        for bad in [
            "",
            "*",
            "session",
            "session.",
            ".begun",
            "session.b*",
            "a.b.c",
            "Session.*",
        ] {
            assert_eq!(EventFilter::parse([bad]), Err(FilterError::Name), "{bad}");
        }
    }

    #[test]
    fn what_is_chosen_is_the_name_of_an_event() {
        for good in [
            "account.created",
            "session.*",
            "session.evicted",
            "webhook.tested",
        ] {
            assert!(EventFilter::choose([good]).is_ok(), "{good}");
        }
        // The last one is part of a refresh, which writes nothing.
        for bad in [
            "acount.*",
            "acount.created",
            "account.create",
            "session.repeated",
        ] {
            let refused = Err(FilterError::Unknown(bad.to_owned()));
            assert_eq!(EventFilter::choose(["account.created", bad]), refused);
            assert!(
                EventFilter::parse([bad]).is_ok(),
                "of another release: {bad}"
            );
        }
    }
}
