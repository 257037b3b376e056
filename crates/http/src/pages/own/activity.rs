//! `/account/activity`: what happened to the account, page by page.

use super::{ACTIVITY, events, title};
use crate::{
    kit::{path_id::path_id, problem::Problem, use_case::UseCase},
    pages::{
        BASE,
        request::PageRequest,
        texts::{Language, Localized},
        view::{self, Frame, Notice},
    },
};
use actix_web::HttpResponse;
use askama::Template;
use revolve_domain::{
    journal::Actor,
    model::{EventId, Label},
    ports::JournalRecord,
    use_cases::Activity,
};
use time::format_description::well_known::Rfc3339;

/// Entries of a page.
const PAGE: u32 = 20;

struct Words {
    intro: &'static str,
    none: &'static str,
    pages: &'static str,
    newest: &'static str,
    older: &'static str,
    times: fn(u64) -> String,
    operator: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        intro: "What happened to your account, the newest first. If something was not you, change your password and sign out all other devices.",
        none: "Nothing that is still remembered.",
        pages: "Pages",
        newest: "Newest",
        older: "Older",
        times: |count| format!("{count} times"),
        operator: "By the operators",
    },
    de: Words {
        intro: "Was mit Ihrem Konto geschehen ist, das Neueste zuerst. Wenn Sie etwas davon nicht waren, ändern Sie Ihr Passwort, und melden \
                Sie alle anderen Geräte ab.",
        none: "Nichts, woran sich der Dienst noch erinnert.",
        pages: "Seiten",
        newest: "Neueste",
        older: "Ältere",
        times: |count| format!("{count}-mal"),
        operator: "Durch die Betreiber",
    },
};

#[derive(Template)]
#[template(path = "activity.html")]
struct Shown<'a> {
    frame: Frame<'a>,
    title: &'static str,
    notice: Option<Notice>,
    intro: &'static str,
    texts: &'static Words,
    entries: Vec<Entry>,
    /// Whether there are newer ones.
    newest: bool,
    older: Option<String>,
}

/// Something that happened.
struct Entry {
    what: String,
    at: String,
    datetime: String,
    lines: Vec<String>,
    is_alarming: bool,
}

impl Entry {
    fn new(record: &JournalRecord, language: Language) -> Self {
        let words = WORDS.get(language);
        let at = record.at.to_datetime();
        let device = record
            .device
            .as_ref()
            .map(|device| Label::as_str(device).to_owned());
        let address = record.address.map(|address| address.to_string());
        let count = (record.count > 1).then(|| (words.times)(record.count));
        let by = matches!(record.actor, Actor::Operator | Actor::Key(_));
        let by = by.then(|| words.operator.to_owned());
        let lines = device.into_iter().chain(address).chain(count).chain(by);
        Self {
            what: events::told(record, language),
            at: language.texts().instant(at),
            datetime: at.format(&Rfc3339).unwrap_or_default(),
            lines: lines.collect(),
            is_alarming: events::is_alarming(&record.event),
        }
    }
}

/// `GET /activity`
pub(crate) async fn show(
    page: PageRequest,
    use_case: UseCase<Activity>,
) -> Result<HttpResponse, Problem> {
    page.show_user(async |me| {
        let after = page.parameter("after");
        let after = after.map(|after| path_id::<EventId>("after", &after));
        let after = after.transpose()?;
        let found = use_case.get().execute(&me.caller, after, PAGE).await?;
        let entries = found.entries.iter();
        let words = WORDS.get(me.language);
        let view = Shown {
            frame: page.own_frame(me.language, ACTIVITY),
            title: title(ACTIVITY, me.language),
            notice: None,
            intro: words.intro,
            texts: words,
            entries: entries
                .map(|entry| Entry::new(entry, me.language))
                .collect(),
            newest: after.is_some(),
            older: found
                .next
                .map(|next| format!("{BASE}{ACTIVITY}?after={next}")),
        };
        view::page(HttpResponse::Ok().finish(), &view)
    })
    .await
}
