//! Texts with `{placeholders}`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(String),
}

/// The values of a request.
#[derive(Clone, Copy, Default)]
pub(crate) struct Vars<'a> {
    pub(crate) user: Option<&'a str>,
    pub(crate) password: Option<&'a str>,
    pub(crate) new_password: Option<&'a str>,
    pub(crate) refresh: Option<&'a str>,
    pub(crate) access: Option<&'a str>,
    pub(crate) credential: Option<&'a str>,
    pub(crate) scope: Option<&'a str>,
}

impl<'a> Vars<'a> {
    pub(super) const NAMES: [&'static str; 7] = [
        "user",
        "password",
        "new_password",
        "refresh",
        "access",
        "credential",
        "scope",
    ];

    fn get(&self, name: &str) -> Option<&'a str> {
        match name {
            "user" => self.user,
            "password" => self.password,
            "new_password" => self.new_password,
            "refresh" => self.refresh,
            "access" => self.access,
            "credential" => self.credential,
            "scope" => self.scope,
            _ => None,
        }
    }
}

impl Template {
    /// The text, or nothing if a placeholder has no value.
    pub(super) fn fill(
        &self,
        vars: &Vars<'_>,
        values: &BTreeMap<String, String>,
    ) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            text.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Name(name) => vars
                    .get(name)
                    .or_else(|| values.get(name).map(String::as_str))?,
            });
        }
        Some(text)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    fn parse(mut rest: &str) -> Result<Self> {
        let mut pieces = Vec::new();
        while let Some((text, after)) = rest.split_once('{') {
            let (name, after) = after
                .split_once('}')
                .with_context(|| format!("`{{{after}` has no closing brace"))?;
            pieces.push(Piece::Text(text.to_owned()));
            pieces.push(Piece::Name(name.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Self(pieces))
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_a_missing_one_drops_the_text() {
        let values = BTreeMap::from([("client".to_owned(), "kit".to_owned())]);
        let template = Template::parse("Bearer {access} of {client}").unwrap();
        let vars = Vars {
            access: Some("{user}"),
            ..Vars::default()
        };
        assert_eq!(
            template.fill(&vars, &values).unwrap(),
            "Bearer {user} of kit"
        );
        assert_eq!(template.fill(&Vars::default(), &values), None);
        assert_eq!(
            Template::parse("").unwrap().fill(&vars, &values).unwrap(),
            ""
        );
    }
}
