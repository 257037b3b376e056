//! What the pages say in English: the words that they share.

use super::{Message, Texts};

pub(super) static TEXTS: Texts = Texts {
    tag: "en",
    own_name: "English",
    dir: "ltr",
    error: "Error",
    request: "Request",
    skip: "Skip to the content",
    account: "Your account",
    go_on: "Continue",
    sign_in: "Sign in",
    sign_out: "Sign out",
    mail_missing: "No mail yet?",
    another_mail: "Ask for another",
    terms: "Terms",
    privacy: "Privacy",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],

    email: "E-mail address",
    email_missing: "Enter your e-mail address.",
    email_invalid: "This is not an e-mail address.",
    code: "Code from the mail",
    code_hint: "Six digits.",
    code_perhaps: "Six digits. Only needed if you asked for the mail in another browser.",
    code_away_from_change: "Six digits. Only needed if the address was changed in another browser.",
    code_missing: "Enter the code from the mail.",
    code_invalid: "The code has six digits and nothing else.",
    code_wrong: |left| match left {
        1 => "The code is wrong. You can try once more.".to_owned(),
        left => format!("The code is wrong. You can try {left} more times."),
    },
    totp: "Code from your authenticator app",
    totp_hint: "Six digits.",
    recovery_code: "Recovery code",
    recovery_code_hint: "One of those that you kept when you set up your sign-in. Each counts once.",
    recovery_code_invalid: "A recovery code has 16 letters and digits.",
    factor_missing: "Enter the code.",
    factor_wrong: "The code is wrong.",
    code_used: "This code was used before. Wait for the next one.",
    passkey_refused: "This passkey can't be used here.",
    challenge_gone: "That took too long. Try once more.",
    other_client: "You have signed up with a passkey, so the code counts only in the browser in which you did that.",
    password: "Password",
    account_password: "Password of the account",
    current_password: "Current password",
    password_missing: "Enter the password.",
    password_wrong: "The password is wrong.",
    new_password: "New password",
    new_password_hint: |least| {
        format!(
            "At least {least} characters. A few unrelated words are hard to guess and easy to remember."
        )
    },
    new_password_missing: "Choose a password.",
    too_short: |least| format!("It needs at least {least} characters."),
    too_long: "This is too long.",
    too_common: "It is easy to guess. Choose a less common one.",
    own_details: "It contains what others know of you, such as your address. Choose another one.",
    url_invalid: "Enter a whole address of the web, such as https://example.org/.",
    unusable: "This has characters that cannot be used.",

    elsewhere: "This is not the browser in which you asked for the mail, so the link alone is not enough. Enter the code from the mail.",
    elsewhere_with_password: "This is not the browser in which you asked for the mail, so the link alone is not enough. Enter the code from the mail and the password of the account.",
    away_from_change: "The address was not changed in this browser, so the link alone is not enough. Enter the code from the mail.",
    owner: "You are not signed in to the account here. Enter its password.",
    wrong_credentials: "The e-mail address or the password is wrong.",
    superseded: "Your devices were signed out at the same moment. Sign in again.",
    email_taken: "Another account has this e-mail address.",
    conflict: "Your account was changed somewhere else at the same moment. Try again.",
    limited: |seconds| match seconds.div_ceil(60) {
        0 | 1 => "There were too many attempts. Try again in a minute.".to_owned(),
        minutes => format!("There were too many attempts. Try again in {minutes} minutes."),
    },
    unavailable: "The service can't do this at the moment. Try again in a moment.",

    gone: Message {
        title: "This link is no longer valid",
        text: "It was used already, has expired, or a newer one has replaced it. If you have just clicked twice, the first click has done it, and you can go on to your account. Otherwise ask for another one where you asked for this one. If you got it unasked, ask whoever sent it.",
    },
    no_attempts: Message {
        title: "The code was wrong too often",
        text: "This mail can't be used any more. Ask for another one where you asked for it.",
    },
    incomplete: Message {
        title: "This link is incomplete",
        text: "Open it once more from the mail, or copy the whole of it.",
    },
    taken: Message {
        title: "The address is taken",
        text: "Another account has this e-mail address by now. If you read its mails, you can ask for a new password for that account, and delete it if you don't want it.",
    },
    no_mail: Message {
        title: "This is not offered here",
        text: "The service does not send such mails. Ask its operators.",
    },
    factor_needed: Message {
        title: "Your account needs a second factor",
        text: "Set up an authenticator app or a passkey first.",
    },
    verified: Message {
        title: "Your address is confirmed already",
        text: "There is nothing to do.",
    },
    foreign: Message {
        title: "This form was not sent from this page",
        text: "Nothing was changed. Open the page once more, and send the form from there.",
    },
    not_found: Message {
        title: "There is no such page",
        text: "If a mail has led you here, open its link once more, or copy the whole of it.",
    },
    busy: Message {
        title: "There were too many attempts",
        text: "Try again in a few minutes.",
    },
    down: Message {
        title: "The service is not available",
        text: "Reload this page in a moment.",
    },
    refused: Message {
        title: "This request can't be carried out",
        text: "Nothing was changed. Open the page once more, and send the form from there.",
    },
    failed: Message {
        title: "Something went wrong here",
        text: "Try once more. If this happens again, tell the operators the number below.",
    },
};
