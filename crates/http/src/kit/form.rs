//! Forms as browsers and OAuth clients write them (URL Standard §5).

use crate::kit::{
    body::{duplicate, incomplete},
    problem::Problem,
};
use std::collections::BTreeMap;
use url::form_urlencoded;

/// The fields of a form, but for those that were left empty. One that is there twice makes the form another one for each reader, and is
/// refused.
pub(crate) fn fields(bytes: &[u8]) -> Result<BTreeMap<String, String>, Problem> {
    let mut fields = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        // In place of what is no UTF-8: a password must not become another one.
        if name.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER)
        {
            return Err(incomplete());
        }
        if fields
            .insert(name.into_owned(), value.into_owned())
            .is_some()
        {
            return Err(duplicate());
        }
    }
    fields.retain(|_, value| !value.trim().is_empty());
    Ok(fields)
}
