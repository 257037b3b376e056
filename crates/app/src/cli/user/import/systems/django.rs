//! Django: `manage.py dumpdata` of the users, or rows of their table.

use super::{Account, ForeignId, auth0::full_name, fields::Fields};
use revolve_domain::model::PasswordHash;
use serde_json::Value;

/// What begins a password that nobody can use.
const UNUSABLE: char = '!';

/// `None` for an object of another model.
pub(super) fn read(mut fields: Fields) -> Option<Account> {
    let key = fields.text("pk").or_else(|| fields.text("id"));
    let mut fields = match fields.object("fields") {
        Some(inner) => Fields::new(inner),
        None => fields,
    };
    if !fields.has("password") || !fields.has("email") {
        return None;
    }
    let hash = fields.text("password");
    let hash = hash.filter(|hash| !hash.starts_with(UNUSABLE));
    let (email, username) = (fields.text("email"), fields.text("username"));
    let is_user_name = username.is_some() && username != email;
    let mut account = Account {
        email,
        hash: hash.map(|hash| Ok(PasswordHash::from_phc(hash))),
        id: key.map(|key| ForeignId::Named(format!("django:{key}"))),
        name: full_name(fields.text("first_name"), fields.text("last_name")),
        created_at: fields.instant("date_joined"),
        disabled: fields.has("is_active") && !fields.flag("is_active"),
        ..Account::default()
    };
    for (flag, role) in [("is_staff", "staff"), ("is_superuser", "superuser")] {
        if fields.flag(flag) {
            account.roles.push(role.to_owned());
        }
    }
    for group in fields.array("groups") {
        // With --natural-foreign a group is its name, otherwise a number.
        match group.as_str().or(group[0].as_str()) {
            Some(name) => account.roles.push(name.to_owned()),
            None => account.leave_out("groups", group != Value::Null),
        }
    }
    account.leave_out("user name", is_user_name);
    account.leave_out("permissions", fields.had("user_permissions"));
    Some(account)
}
