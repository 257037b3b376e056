//! What the pages say in German: the words that they share.

use super::{Message, Texts};

pub(super) static TEXTS: Texts = Texts {
    tag: "de",
    own_name: "Deutsch",
    dir: "ltr",
    error: "Fehler",
    request: "Anfrage",
    skip: "Zum Inhalt springen",
    account: "Ihr Konto",
    go_on: "Weiter",
    sign_in: "Anmelden",
    sign_out: "Abmelden",
    mail_missing: "Noch keine E-Mail?",
    another_mail: "Eine neue anfordern",
    terms: "Nutzungsbedingungen",
    privacy: "Datenschutz",
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],

    email: "E-Mail-Adresse",
    email_missing: "Geben Sie Ihre E-Mail-Adresse ein.",
    email_invalid: "Das ist keine E-Mail-Adresse.",
    code: "Code aus der E-Mail",
    code_hint: "Sechs Ziffern.",
    code_perhaps: "Sechs Ziffern. Nur nötig, wenn Sie die E-Mail in einem anderen Browser angefordert haben.",
    code_away_from_change: "Sechs Ziffern. Nur nötig, wenn die Adresse in einem anderen Browser geändert wurde.",
    code_missing: "Geben Sie den Code aus der E-Mail ein.",
    code_invalid: "Der Code besteht aus sechs Ziffern.",
    code_wrong: |left| match left {
        1 => "Der Code ist falsch. Sie haben noch einen Versuch.".to_owned(),
        left => format!("Der Code ist falsch. Sie haben noch {left} Versuche."),
    },
    totp: "Code aus Ihrer Authenticator-App",
    totp_hint: "Sechs Ziffern.",
    recovery_code: "Wiederherstellungscode",
    recovery_code_hint: "Einer von denen, die Sie beim Einrichten aufbewahrt haben. Jeder gilt einmal.",
    recovery_code_invalid: "Ein Wiederherstellungscode hat 16 Buchstaben und Ziffern.",
    factor_missing: "Geben Sie den Code ein.",
    factor_wrong: "Der Code ist falsch.",
    code_used: "Dieser Code wurde schon benutzt. Warten Sie auf den nächsten.",
    passkey_refused: "Dieser Passkey kann hier nicht verwendet werden.",
    challenge_gone: "Das hat zu lange gedauert. Versuchen Sie es noch einmal.",
    other_client: "Sie haben sich mit einem Passkey registriert, deshalb gilt der Code nur in dem Browser, in dem Sie das getan haben.",
    password: "Passwort",
    account_password: "Passwort des Kontos",
    current_password: "Jetziges Passwort",
    password_missing: "Geben Sie das Passwort ein.",
    password_wrong: "Das Passwort ist falsch.",
    new_password: "Neues Passwort",
    new_password_hint: |least| {
        format!(
            "Mindestens {least} Zeichen. Einige Wörter ohne Zusammenhang sind schwer zu erraten und leicht zu merken."
        )
    },
    new_password_missing: "Wählen Sie ein Passwort.",
    too_short: |least| format!("Es braucht mindestens {least} Zeichen."),
    too_long: "Das ist zu lang.",
    too_common: "Es ist leicht zu erraten. Wählen Sie ein weniger gebräuchliches.",
    own_details: "Es enthält, was andere von Ihnen wissen, zum Beispiel Ihre Adresse. Wählen Sie ein anderes.",
    url_invalid: "Geben Sie eine vollständige Web-Adresse ein, zum Beispiel https://example.org/.",
    unusable: "Das enthält Zeichen, die nicht verwendet werden können.",

    elsewhere: "In diesem Browser haben Sie die E-Mail nicht angefordert, deshalb genügt der Link allein nicht. Geben Sie den Code aus der E-Mail ein.",
    elsewhere_with_password: "In diesem Browser haben Sie die E-Mail nicht angefordert, deshalb genügt der Link allein nicht. Geben Sie den Code aus der E-Mail und das Passwort des Kontos ein.",
    away_from_change: "Die Adresse wurde nicht in diesem Browser geändert, deshalb genügt der Link allein nicht. Geben Sie den Code aus der E-Mail ein.",
    owner: "Sie sind hier nicht in dem Konto angemeldet. Geben Sie sein Passwort ein.",
    wrong_credentials: "Die E-Mail-Adresse oder das Passwort ist falsch.",
    superseded: "Ihre Geräte wurden im selben Augenblick abgemeldet. Melden Sie sich noch einmal an.",
    email_taken: "Ein anderes Konto hat diese E-Mail-Adresse.",
    conflict: "Ihr Konto wurde im selben Augenblick anderswo geändert. Versuchen Sie es noch einmal.",
    limited: |seconds| match seconds.div_ceil(60) {
        0 | 1 => "Das waren zu viele Versuche. Versuchen Sie es in einer Minute wieder.".to_owned(),
        minutes => {
            format!("Das waren zu viele Versuche. Versuchen Sie es in {minutes} Minuten wieder.")
        }
    },
    unavailable: "Der Dienst kann das gerade nicht ausführen. Versuchen Sie es gleich noch einmal.",

    gone: Message {
        title: "Dieser Link gilt nicht mehr",
        text: "Er wurde schon benutzt, ist abgelaufen oder wurde durch einen neueren ersetzt. Haben Sie gerade zweimal geklickt, so ist es mit dem ersten Mal getan, und Sie können weiter zu Ihrem Konto gehen. Sonst fordern Sie dort, wo Sie diesen angefordert haben, einen neuen an. Haben Sie ihn nicht angefordert, fragen Sie den Absender.",
    },
    no_attempts: Message {
        title: "Der Code war zu oft falsch",
        text: "Diese E-Mail kann nicht mehr verwendet werden. Fordern Sie eine neue an.",
    },
    incomplete: Message {
        title: "Dieser Link ist unvollständig",
        text: "Öffnen Sie ihn noch einmal aus der E-Mail, oder kopieren Sie ihn ganz.",
    },
    taken: Message {
        title: "Die Adresse ist vergeben",
        text: "Ein anderes Konto hat inzwischen diese E-Mail-Adresse. Wenn Sie ihre E-Mails lesen, können Sie für jenes Konto ein neues Passwort anfordern und es löschen, falls Sie es nicht wollen.",
    },
    no_mail: Message {
        title: "Das gibt es hier nicht",
        text: "Der Dienst verschickt solche E-Mails nicht. Fragen Sie seine Betreiber.",
    },
    factor_needed: Message {
        title: "Ihr Konto braucht einen zweiten Faktor",
        text: "Richten Sie zuerst eine Authenticator-App oder einen Passkey ein.",
    },
    verified: Message {
        title: "Ihre Adresse ist schon bestätigt",
        text: "Es gibt nichts zu tun.",
    },
    foreign: Message {
        title: "Dieses Formular kam nicht von dieser Seite",
        text: "Nichts wurde geändert. Öffnen Sie die Seite noch einmal, und senden Sie das Formular von dort.",
    },
    not_found: Message {
        title: "Diese Seite gibt es nicht",
        text: "Wenn eine E-Mail Sie hergeführt hat, öffnen Sie ihren Link noch einmal, oder kopieren Sie ihn ganz.",
    },
    busy: Message {
        title: "Das waren zu viele Versuche",
        text: "Versuchen Sie es in ein paar Minuten wieder.",
    },
    down: Message {
        title: "Der Dienst ist nicht erreichbar",
        text: "Laden Sie diese Seite gleich noch einmal.",
    },
    refused: Message {
        title: "Diese Anfrage kann nicht ausgeführt werden",
        text: "Nichts wurde geändert. Öffnen Sie die Seite noch einmal, und senden Sie das Formular von dort.",
    },
    failed: Message {
        title: "Hier ist etwas schiefgegangen",
        text: "Versuchen Sie es noch einmal. Wenn das wieder geschieht, nennen Sie den Betreibern die Nummer unten.",
    },
};
