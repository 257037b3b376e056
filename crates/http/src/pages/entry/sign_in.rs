//! `/account/signin`: a session by address and password.

use crate::{
    accounts::begin::parse,
    kit::{
        factor::{challenge, credential},
        problem::Problem,
        token_cookie::is_over,
        use_case::UseCase,
    },
    pages::{
        BASE,
        entry::Entered,
        fields::can_be_sent_again,
        form::{Form, RETURN_TO},
        passkey::{PasskeyButton, Purpose},
        request::{PageRequest, leading_to, page_url, see, with_cookies},
        session::{Farewell, refusal},
        settings::Destination,
        texts::Localized,
        view::{self, FormPage, FormView, Link, Notice},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::{
    model::{EmailAddress, Password},
    use_cases::{Begun, PasskeySignInRequest, SignIn, SignInByPasskey, SignInError},
};

struct Words {
    title: &'static str,
    forgotten: &'static str,
    by_code: &'static str,
    new_here: &'static str,
    sign_up: &'static str,
    signed_out: &'static str,
    expired: &'static str,
    evicted: &'static str,
    reused: &'static str,
    ended: &'static str,
    ended_by_form: &'static str,
    gone: &'static str,
    step_over: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        title: "Sign in",
        forgotten: "Forgot your password?",
        by_code: "Sign in with a code by mail",
        new_here: "New here?",
        sign_up: "Create an account",
        signed_out: "You are signed out.",
        expired: "You were not here for a while. Sign in to go on; nothing was changed.",
        evicted: "You have signed in on so many other devices that this one was signed out. Sign in to go on; nothing was changed.",
        reused: "Somebody else may have used your session, so it was ended. Sign in again, and look at your activity.",
        ended: "You were signed out on this device, here or on another one. Sign in to go on; nothing was changed.",
        ended_by_form: "You were signed out on this device, by this form or before. Sign in to see which devices are still signed in.",
        gone: "You are not signed in any more. Sign in to go on; this form has changed nothing now.",
        step_over: "The second step took too long, or its code was wrong too often. Sign in again.",
    },
    de: Words {
        title: "Anmelden",
        forgotten: "Passwort vergessen?",
        by_code: "Mit einem Code per E-Mail anmelden",
        new_here: "Neu hier?",
        sign_up: "Konto anlegen",
        signed_out: "Sie sind abgemeldet.",
        expired: "Sie waren eine Weile nicht hier. Melden Sie sich an, um weiterzumachen; nichts wurde geändert.",
        evicted: "Sie haben sich auf so vielen anderen Geräten angemeldet, dass dieses abgemeldet wurde. Melden Sie sich an, um \
                  weiterzumachen; nichts wurde geändert.",
        reused: "Vielleicht hat jemand anders Ihre Sitzung benutzt, deshalb wurde sie beendet. Melden Sie sich wieder an, und sehen Sie sich \
                 Ihre Aktivität an.",
        ended: "Sie wurden auf diesem Gerät abgemeldet, hier oder von einem anderen aus. Melden Sie sich an, um weiterzumachen; nichts \
                wurde geändert.",
        ended_by_form: "Sie wurden auf diesem Gerät abgemeldet, durch dieses Formular oder schon vorher. Melden Sie sich an, um zu sehen, \
                        welche Geräte noch angemeldet sind.",
        gone: "Sie sind nicht mehr angemeldet. Melden Sie sich an, um weiterzumachen; dieses Formular hat jetzt nichts geändert.",
        step_over: "Der zweite Schritt hat zu lange gedauert, oder der Code war zu oft falsch. Melden Sie sich noch einmal an.",
    },
};

/// `GET /signin`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    if page.is_from_another_site() {
        return page.hop();
    }
    let on = page.destination();
    let (found, cookies) = page.session().await;
    match found {
        Ok(_) => with_cookies(see(on.as_ref().map_or(BASE, Destination::url)), &cookies),
        // Whoever can't be recognized now is asked.
        Err(problem) => {
            let is_over = refusal(&problem).is_some_and(is_over);
            let cookies = if is_over {
                page.forgotten()
            } else {
                Vec::new()
            };
            let answer = HttpResponse::Ok().finish();
            let shown = view(&page, &Form::default(), None, on.as_ref(), answer)?;
            with_cookies(shown, &cookies)
        }
    }
}

/// `POST /signin`, also by a passkey.
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<SignIn>,
    by_passkey: UseCase<SignInByPasskey>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let on = page.destination_of(&form);
    let entered = if form.has_passkey() {
        with_passkey(&page, by_passkey, &form)
            .await
            .map(Entered::from)
    } else {
        sign_in(&page, use_case, &form).await
    };
    match entered {
        Ok(entered) => page.entered(entered, on.as_ref().map_or(BASE, Destination::url)),
        Err(problem) if can_be_sent_again(&problem, &["email", "password"]) => view(
            &page,
            &form,
            Some(&problem),
            on.as_ref(),
            problem.error_response(),
        ),
        Err(problem) => Err(problem),
    }
}

async fn sign_in(
    page: &PageRequest,
    use_case: UseCase<SignIn>,
    form: &Form,
) -> Result<Entered, Problem> {
    let (email, password) = (EmailAddress::present, Password::present);
    let request = parse(form.body(), &page.caller, email, password)?;
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await?;
    match begun {
        Err(SignInError::FactorRequired(step)) => Ok(Entered::Step(step)),
        begun => Ok(begun?.into()),
    }
}

async fn with_passkey(
    page: &PageRequest,
    use_case: UseCase<SignInByPasskey>,
    form: &Form,
) -> Result<Begun, Problem> {
    let mut body = form.only(&["challenge", "credential"])?;
    let (challenge, credential) = (challenge(&mut body), credential(&mut body));
    let (challenge, credential) = body.finish(challenge.zip(credential))?;
    let request = PasskeySignInRequest {
        challenge,
        credential,
        device_name: None,
        device_credentials: page.caller.device_credentials.clone(),
        client: page.caller.described(),
    };
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await??;
    Ok(begun)
}

fn view(
    page: &PageRequest,
    typed: &Form,
    problem: Option<&Problem>,
    on: Option<&Destination>,
    answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let words = WORDS.get(page.language);
    let fields = page.fields(page.language, typed, problem);
    let mut password = fields.password("password", fields.texts.password);
    password.value.clear();
    password.is_focused = problem.is_some_and(|problem| problem.code() == "invalid_credentials");
    let mut email = fields.email();
    email.autocomplete = "username webauthn";
    let mut form = FormView::new(page.path(), words.title, vec![email, password]);
    form.passkey = Some(PasskeyButton::new(Purpose::SignIn, page.language));
    form.alert = fields.alert();
    form.hidden
        .extend(on.map(|on| (RETURN_TO, on.url().to_owned())));
    let options = &page.settings.options;
    let forgotten = Link::new(page_url("/recovery", on), words.forgotten);
    let by_code = Link::new(page_url("/signin/code", on), words.by_code);
    let sign_up = Link {
        before: words.new_here,
        ..Link::new(page_url("/signup", on), words.sign_up)
    };
    let links = [
        options.mail.then_some(forgotten),
        options.sign_in_code.then_some(by_code),
        Some(sign_up),
    ];
    let view = FormPage {
        frame: page.frame().failed_if(problem.is_some()),
        title: words.title,
        intro: "".into(),
        notice: problem.is_none().then(|| notice(page, words)).flatten(),
        form,
        links: links.into_iter().flatten().collect(),
    };
    Ok(leading_to(
        view::form_page(answer, view, &page.settings)?,
        on,
    ))
}

/// Why somebody has to sign in who was signed in before.
fn notice(page: &PageRequest, words: &Words) -> Option<Notice> {
    let why = Farewell::named(&page.parameter("why")?)?;
    Some(match why {
        Farewell::SignedOut => Notice::done(words.signed_out),
        Farewell::Expired => Notice::warning(words.expired),
        Farewell::Evicted => Notice::warning(words.evicted),
        Farewell::Reused => Notice::warning(words.reused),
        Farewell::Ended => Notice::warning(words.ended),
        Farewell::EndedByForm => Notice::warning(words.ended_by_form),
        Farewell::Gone => Notice::warning(words.gone),
        Farewell::StepOver => Notice::warning(words.step_over),
    })
}
