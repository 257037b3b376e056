//! `/account/profile`: what the account shows, and its address.

use super::{PROFILE, asked_again, done, title};
use crate::{
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        BASE,
        fields::{Choice, Field, Fields, Kind},
        form::Form,
        request::{PageRequest, page_url, see},
        session::SignedIn,
        texts::{Language, Localized},
        view::{self, FormView, Frame, Link, Notice},
    },
};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use revolve_domain::{
    model::{Details, DetailsChange, EmailAddress, Label, Locale, Password, WebUrl},
    use_cases::{ShownAsker, UpdateDetails, UpdateDetailsRequest},
};

/// The path of the form that changes the address.
const ADDRESS: &str = "/profile/email";

const DETAIL_FIELDS: [&str; 4] = ["name", "website", "imageUrl", "locale"];
const ADDRESS_FIELDS: [&str; 2] = ["email", "currentPassword"];

struct Words {
    details: &'static str,
    details_text: &'static str,
    name: &'static str,
    website: &'static str,
    picture: &'static str,
    picture_hint: &'static str,
    language: &'static str,
    language_hint: &'static str,
    any_language: &'static str,
    save: &'static str,
    done: &'static str,
    address_text: fn(&str) -> String,
    by_mail: &'static str,
    new_address: &'static str,
    change: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        details: "About you",
        details_text: "The services that you use with this account see this.",
        name: "Name",
        website: "Website",
        picture: "Picture",
        picture_hint: "The address of a picture on the web.",
        language: "Language",
        language_hint: "Of these pages, and of mails.",
        any_language: "As your browser asks for",
        save: "Save",
        done: "Your profile is saved.",
        address_text: |email| format!("You sign in with {email}."),
        by_mail: "Before it changes, we send a mail with a code to the new address.",
        new_address: "New e-mail address",
        change: "Change address",
    },
    de: Words {
        details: "Über Sie",
        details_text: "Die Dienste, die Sie mit diesem Konto benutzen, sehen das.",
        name: "Name",
        website: "Website",
        picture: "Bild",
        picture_hint: "Die Adresse eines Bildes im Web.",
        language: "Sprache",
        language_hint: "Dieser Seiten und der E-Mails.",
        any_language: "Wie Ihr Browser es verlangt",
        save: "Speichern",
        done: "Ihr Profil ist gespeichert.",
        address_text: |email| format!("Sie melden sich mit {email} an."),
        by_mail: "Bevor sie sich ändert, schicken wir eine E-Mail mit einem Code an die neue Adresse.",
        new_address: "Neue E-Mail-Adresse",
        change: "Adresse ändern",
    },
};

#[derive(Template)]
#[template(path = "profile.html")]
struct Profile<'a> {
    frame: Frame<'a>,
    title: &'static str,
    notice: Option<Notice>,
    parts: [Part; 2],
}

/// A form under a heading.
struct Part {
    id: &'static str,
    title: &'static str,
    text: String,
    form: Option<FormView>,
    link: Option<Link>,
}

/// Which form was sent, and what was wrong with it.
#[derive(Clone, Copy)]
enum Refused<'a> {
    Neither,
    Details(&'a Form, &'a Problem),
    Address(&'a Form, &'a Problem),
}

impl<'a> Refused<'a> {
    const fn problem(self) -> Option<&'a Problem> {
        match self {
            Self::Neither => None,
            Self::Details(_, problem) | Self::Address(_, problem) => Some(problem),
        }
    }
}

/// `GET /profile`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show_user(async |me| {
        let answer = HttpResponse::Ok().finish();
        view(&page, Some(me), Refused::Neither, answer)
    })
    .await
}

/// `POST /profile`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<UpdateDetails>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    page.for_user(
        &DETAIL_FIELDS,
        async |me| {
            let change = details(&form, &me.user.details)?;
            if change != DetailsChange::default() {
                let request = UpdateDetailsRequest {
                    change,
                    ..UpdateDetailsRequest::default()
                };
                let caller = me.caller.clone();
                use_case
                    .run(async move |case| case.execute(&caller, request).await)
                    .await??;
            }
            Ok(done(PROFILE))
        },
        |me, problem| {
            let refused = Refused::Details(&form, problem);
            view(&page, me, refused, problem.error_response())
        },
    )
    .await
}

/// `GET /profile/email`: the form is on the profile.
pub(crate) async fn show_address() -> HttpResponse {
    see(&page_url(PROFILE, None))
}

/// `POST /profile/email`
pub(crate) async fn submit_address(
    page: PageRequest,
    use_case: UseCase<UpdateDetails>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    page.for_user(
        &ADDRESS_FIELDS,
        async |me| {
            let request = address(&form, me, page.caller.asker())?;
            let caller = me.caller.clone();
            let updated = use_case
                .run(async move |case| case.execute(&caller, request).await)
                .await??;
            match updated.proof {
                Some(proof) => page.mail_sent(&page_url("/email/change", None), &proof, None),
                None => Ok(done(PROFILE)),
            }
        },
        |me, problem| {
            let refused = Refused::Address(&form, problem);
            view(&page, me, refused, problem.error_response())
        },
    )
    .await
}

/// What differs from what is stored. A field that was left empty clears it.
fn details(form: &Form, stored: &Details) -> Result<DetailsChange, Problem> {
    let mut body = form.body();
    let name = body.optional("name", Label::parse);
    let website = body.optional("website", WebUrl::parse);
    let image_url = body.optional("imageUrl", WebUrl::parse_public);
    let locale = body.optional("locale", |tag| Ok(tag.parse::<Locale>()?));
    body.finish(Some(DetailsChange {
        name: (name != stored.name).then_some(name),
        website: (website != stored.website).then_some(website),
        image_url: (image_url != stored.image_url).then_some(image_url),
        locale: (locale != stored.locale).then_some(locale),
        email: None,
    }))
}

fn address(form: &Form, me: &SignedIn, asker: ShownAsker) -> Result<UpdateDetailsRequest, Problem> {
    let mut body = form.body();
    let email = body.required("email", EmailAddress::parse);
    let current = if me.has_reauthenticated() {
        Some(body.optional_secret("currentPassword", Password::present))
    } else {
        body.secret("currentPassword", Password::present).map(Some)
    };
    let (email, current_password) = body.finish(email.zip(current))?;
    Ok(UpdateDetailsRequest {
        change: DetailsChange {
            email: Some(email),
            ..DetailsChange::default()
        },
        current_password,
        asker,
    })
}

fn view(
    page: &PageRequest,
    me: Option<&SignedIn>,
    refused: Refused<'_>,
    answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let (language, nothing) = (page.reads(me), Form::default());
    let words = WORDS.get(language);
    let fields = |typed, problem| page.fields(language, typed, problem);
    let (about, address) = match refused {
        Refused::Neither => (fields(&nothing, None), fields(&nothing, None)),
        Refused::Details(typed, problem) => (fields(typed, Some(problem)), fields(&nothing, None)),
        Refused::Address(typed, problem) => (fields(&nothing, None), fields(typed, Some(problem))),
    };
    let about = Part {
        id: "about",
        title: words.details,
        text: words.details_text.to_owned(),
        form: Some(FormView {
            alert: about.alert(),
            ..FormView::new(
                format!("{BASE}{PROFILE}"),
                words.save,
                detail_fields(page, me, words, &about),
            )
        }),
        link: None,
    };
    let problem = refused.problem();
    let view = Profile {
        frame: page
            .own_frame(language, PROFILE)
            .failed_if(problem.is_some()),
        title: title(PROFILE, language),
        notice: (problem.is_none() && page.is_done()).then_some(Notice::done(words.done)),
        parts: [about, address_part(page, me, words, &address)],
    };
    view::page(answer, &view)
}

fn detail_fields(
    page: &PageRequest,
    me: Option<&SignedIn>,
    words: &Words,
    fields: &Fields<'_>,
) -> Vec<Field> {
    let stored = me.map(|me| &me.user.details);
    let name = stored.and_then(|details| details.name.as_ref().map(Label::as_str));
    let website = stored.and_then(|details| details.website.as_ref().map(WebUrl::as_str));
    let picture = stored.and_then(|details| details.image_url.as_ref().map(WebUrl::as_str));
    let locale = stored.and_then(|details| details.locale.as_ref().map(Locale::as_str));
    let picture_field = Field {
        hint: words.picture_hint.into(),
        ..Field::new("imageUrl", words.picture, Kind::Url, "photo")
    };
    let language_field = Field {
        hint: words.language_hint.into(),
        ..Field::new("locale", words.language, Kind::Choice, "language")
    };
    let mut language = fields.stored(language_field, locale);
    language.options = languages(&language.value, words, &page.settings.options.languages);
    vec![
        fields.stored(Field::new("name", words.name, Kind::Text, "name"), name),
        fields.stored(
            Field::new("website", words.website, Kind::Url, "url"),
            website,
        ),
        fields.stored(picture_field, picture),
        language,
    ]
}

/// The languages of pages and mails, and the one that is chosen.
fn languages(chosen: &str, words: &Words, of_mails: &[String]) -> Vec<Choice> {
    let pages = [Language::English, Language::German].map(|language| language.texts().tag);
    let mut tags = vec![""];
    let all = pages.into_iter().chain(of_mails.iter().map(String::as_str));
    for tag in all.chain([chosen]) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let choices = tags.into_iter().map(|tag| Choice {
        value: tag.to_owned(),
        text: match (tag, Language::of_tag(tag)) {
            ("", _) => words.any_language.to_owned(),
            (_, Some(language)) if tag == language.texts().tag => {
                language.texts().own_name.to_owned()
            }
            (_, Some(language)) => format!("{} ({tag})", language.texts().own_name),
            (_, None) => tag.to_owned(),
        },
        is_chosen: tag == chosen,
    });
    choices.collect()
}

fn address_part(
    page: &PageRequest,
    me: Option<&SignedIn>,
    words: &Words,
    fields: &Fields<'_>,
) -> Part {
    let present = me.map(|me| (words.address_text)(me.user.email.as_str()));
    let by_mail = page.settings.options.mail.then(|| words.by_mail.to_owned());
    let text: Vec<String> = present.into_iter().chain(by_mail).collect();
    let new = Field::new("email", words.new_address, Kind::Email, "email");
    let asked = [fields.filled(new)];
    let asked = asked.into_iter().chain(asked_again(me, fields)).collect();
    Part {
        id: "address",
        title: fields.texts.email,
        text: text.join(" "),
        form: Some(FormView {
            alert: fields.alert(),
            ..FormView::new(format!("{BASE}{ADDRESS}"), words.change, asked)
        }),
        link: page.other_ways(me),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_language_can_be_chosen_whatever_it_is() {
        let words = WORDS.get(Language::English);
        let told = |chosen: &str, of_mails: &[&str]| -> Vec<String> {
            let of_mails: Vec<String> = of_mails.iter().map(|&tag| tag.to_owned()).collect();
            let choices = languages(chosen, words, &of_mails);
            let told = choices.iter().map(|choice| {
                let mark = if choice.is_chosen { "*" } else { "" };
                format!("{}={}{mark}", choice.value, choice.text)
            });
            told.collect()
        };
        let pages = ["=As your browser asks for", "en=English", "de=Deutsch"];
        assert_eq!(told("", &["en", "de"])[0], format!("{}*", pages[0]));
        let german = told("de", &["fr", "de"]);
        assert_eq!(german, [pages[0], pages[1], "de=Deutsch*", "fr=fr"]);
        let swiss = told("de-CH", &["en"]);
        assert_eq!(swiss[..3], pages);
        assert_eq!(swiss[3..], ["de-CH=Deutsch (de-CH)*"]);
    }
}
