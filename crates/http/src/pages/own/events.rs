//! What the events of an account are called.

use crate::pages::texts::{Language, Localized};
use revolve_domain::ports::JournalRecord;

type Told = (&'static str, Localized<&'static str>);

const fn told_as(name: &'static str, en: &'static str, de: &'static str) -> Told {
    (name, Localized { en, de })
}

/// Each event that the journal of an account can have, by its stable name.
#[rustfmt::skip]
static EVENTS: [Told; 42] = [
    told_as("account.created", "Account created", "Konto angelegt"),
    told_as("account.imported", "Account taken over from another system", "Konto aus einem anderen System übernommen"),
    told_as("account.invited", "Invitation sent", "Einladung verschickt"),
    told_as("account.changed", "Profile changed", "Profil geändert"),
    told_as("account.recovered", "New password by a mail", "Neues Passwort mit einer E-Mail"),
    told_as("account.exported", "Data downloaded", "Daten heruntergeladen"),
    told_as("account.disabled", "Account disabled", "Konto gesperrt"),
    told_as("account.enabled", "Account enabled again", "Konto entsperrt"),
    told_as("session.begun", "Signed in", "Angemeldet"),
    told_as("session.bound", "Device recognized", "Gerät wiedererkannt"),
    told_as("session.reauthenticated", "Shown again that it is you", "Noch einmal ausgewiesen"),
    told_as("session.signed_out", "Signed out", "Abgemeldet"),
    told_as("session.replaced", "Signed in again on the same device", "Auf demselben Gerät neu angemeldet"),
    told_as("session.evicted", "Signed out, since there were too many devices", "Abgemeldet, weil es zu viele Geräte waren"),
    told_as("session.ended", "A session ended", "Eine Sitzung endete"),
    told_as("sessions.ended", "Other devices signed out", "Andere Geräte abgemeldet"),
    told_as("session.reused", "A session may have been stolen, and was ended", "Eine Sitzung wurde vielleicht gestohlen und deshalb beendet"),
    told_as("device.mismatch", "A session was tried on a device that it is not of", "Eine Sitzung wurde auf einem fremden Gerät versucht"),
    told_as("sign_in.refused", "A sign-in was refused", "Eine Anmeldung wurde abgelehnt"),
    told_as("sign_in.requested", "Code to sign in asked for", "Code zum Anmelden angefordert"),
    told_as("sign_up.requested", "Somebody tried to sign up with your address", "Jemand wollte sich mit Ihrer Adresse registrieren"),
    told_as("limit.reached", "Too many attempts", "Zu viele Versuche"),
    told_as("password.changed", "Password changed", "Passwort geändert"),
    told_as("email.changed", "E-mail address changed", "E-Mail-Adresse geändert"),
    told_as("email.change_requested", "Change of the e-mail address asked for", "Änderung der E-Mail-Adresse angefordert"),
    told_as("email.verified", "E-mail address confirmed", "E-Mail-Adresse bestätigt"),
    told_as("verification.requested", "Mail to confirm the address asked for", "E-Mail zur Bestätigung der Adresse angefordert"),
    told_as("recovery.requested", "Mail for a new password asked for", "E-Mail für ein neues Passwort angefordert"),
    told_as("recovery_link.issued", "Link for a new password made", "Link für ein neues Passwort ausgestellt"),
    told_as("factor.requested", "Second step of a sign-in begun", "Zweiter Schritt einer Anmeldung begonnen"),
    told_as("factor.refused", "A code or a passkey was refused", "Ein Code oder ein Passkey wurde abgelehnt"),
    told_as("factor.added", "New way to sign in", "Neuer Weg zum Anmelden"),
    told_as("factor.renamed", "Way to sign in renamed", "Weg zum Anmelden umbenannt"),
    told_as("factor.removed", "Way to sign in removed", "Weg zum Anmelden entfernt"),
    told_as("totp.set_up", "Set-up of an authenticator app begun", "Einrichtung einer Authenticator-App begonnen"),
    told_as("recovery_codes.made", "Recovery codes made", "Wiederherstellungscodes erstellt"),
    told_as("recovery_code.used", "Recovery code used", "Wiederherstellungscode benutzt"),
    told_as("passkey.counter_back", "A passkey may have been copied", "Ein Passkey wurde vielleicht kopiert"),
    told_as("factor_reset.ordered", "Removal of app, passkeys and recovery codes ordered", "Entfernung von App, Passkeys und Wiederherstellungscodes angeordnet"),
    told_as("factor_reset.stopped", "Removal of app, passkeys and recovery codes stopped", "Entfernung von App, Passkeys und Wiederherstellungscodes aufgehalten"),
    told_as("factors.reset", "App, passkeys and recovery codes removed", "App, Passkeys und Wiederherstellungscodes entfernt"),
    told_as("proof.refused", "A code or a link was refused", "Ein Code oder ein Link wurde abgelehnt"),
];

/// The parts of an account that a change names.
#[rustfmt::skip]
static FIELDS: [Told; 7] = [
    told_as("name", "name", "Name"),
    told_as("website", "website", "Website"),
    told_as("imageUrl", "picture", "Bild"),
    told_as("locale", "language", "Sprache"),
    told_as("emailVerified", "confirmation of the address", "Bestätigung der Adresse"),
    told_as("roles", "roles", "Rollen"),
    told_as("app", "data of the service", "Daten des Dienstes"),
];

/// The kinds of factor.
#[rustfmt::skip]
static FACTORS: [Told; 3] = [
    told_as("totp", "authenticator app", "Authenticator-App"),
    told_as("passkey", "passkey", "Passkey"),
    told_as("recovery_code", "recovery codes", "Wiederherstellungscodes"),
];

/// What happened. An event that is not known here is told by its name.
pub(super) fn told(record: &JournalRecord, language: Language) -> String {
    let what = find(&EVENTS, &record.event, language);
    let about = [("changed", &FIELDS[..]), ("factor", &FACTORS)];
    let about = about
        .into_iter()
        .find_map(|(name, table)| Some((record.details.get(name)?, table)));
    let Some((about, table)) = about else {
        return what.to_owned();
    };
    let parts = about.split(',').map(|part| find(table, part, language));
    format!("{what}: {}", parts.collect::<Vec<_>>().join(", "))
}

/// Whether it may have been somebody else.
pub(super) fn is_alarming(event: &str) -> bool {
    matches!(
        event,
        "session.reused"
            | "device.mismatch"
            | "sign_in.refused"
            | "limit.reached"
            | "proof.refused"
            | "factor.refused"
            | "passkey.counter_back"
            | "factor_reset.ordered"
            | "factors.reset"
    )
}

fn find<'e>(table: &[Told], name: &'e str, language: Language) -> &'e str {
    let mut found = table.iter().filter(|(found, _)| *found == name);
    found.next().map_or(name, |(_, told)| *told.get(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once() {
        for table in [&EVENTS[..], &FIELDS, &FACTORS] {
            for (at, (name, told)) in table.iter().enumerate() {
                assert!(!told.en.is_empty() && !told.de.is_empty(), "{name}");
                let others = &table[at + 1..];
                assert!(others.iter().all(|(other, _)| other != name), "{name}");
            }
        }
    }

    #[test]
    fn a_change_names_what_was_changed() {
        assert_eq!(find(&FIELDS, "imageUrl", Language::German), "Bild");
        assert_eq!(find(&EVENTS, "not.known", Language::German), "not.known");
    }
}
