//! The page that shows recovery codes, this once.

use super::{
    texts::{Language, Localized},
    view::{self, Frame, Notice},
};
use crate::{accounts::begun::shown_codes, kit::problem::Problem};
use actix_web::HttpResponse;
use askama::Template;
use revolve_domain::use_cases::ShownRecoveryCodes;

struct Words {
    title: &'static str,
    intro: &'static str,
    hint: &'static str,
    next: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        title: "Your recovery codes",
        intro: "With one of them you still get in when your authenticator app or your passkey is lost. Each counts once. They are not shown again.",
        hint: "Print this page, or copy the codes to a place that is not on the same device.",
        next: "I have kept them",
    },
    de: Words {
        title: "Ihre Wiederherstellungscodes",
        intro: "Mit einem davon kommen Sie noch hinein, wenn Ihre Authenticator-App oder Ihr Passkey verloren ist. Jeder gilt einmal. Sie werden nicht \
                noch einmal angezeigt.",
        hint: "Drucken Sie diese Seite, oder kopieren Sie die Codes an einen Ort, der nicht auf demselben Gerät ist.",
        next: "Ich habe sie aufbewahrt",
    },
};

#[derive(Template)]
#[template(path = "codes.html")]
struct Codes<'a> {
    frame: Frame<'a>,
    title: &'static str,
    notice: Option<Notice>,
    words: &'static Words,
    shown: Vec<&'a str>,
    next: &'a str,
}

/// The page, which leads on to `next`.
pub(super) fn page(
    frame: Frame<'_>,
    language: Language,
    codes: &ShownRecoveryCodes,
    next: &str,
) -> Result<HttpResponse, Problem> {
    let words = WORDS.get(language);
    let view = Codes {
        frame,
        title: words.title,
        notice: None,
        words,
        shown: shown_codes(codes),
        next,
    };
    view::page(HttpResponse::Ok().finish(), &view)
}
