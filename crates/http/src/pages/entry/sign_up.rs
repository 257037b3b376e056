//! `/account/signup`: a new account.

use crate::{
    accounts::{
        begin::{parse, parse_with_passkey},
        email_taken,
    },
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        BASE,
        entry::Entered,
        fields::can_be_sent_again,
        form::{Form, RETURN_TO},
        passkey::{PasskeyButton, Purpose},
        request::{PageRequest, leading_to, page_url},
        settings::Destination,
        texts::Localized,
        view::{self, FormPage, FormView, Link},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::{
    model::{EmailAddress, Password},
    use_cases::{
        RequestedProof, SignIn, SignInError, SignInRequest, SignUp, SignUpError, SignedUp,
    },
};

struct Words {
    title: &'static str,
    button: &'static str,
    taken: &'static str,
    known_here: &'static str,
    accept: &'static str,
    forgotten: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        title: "Create an account",
        button: "Create account",
        taken: "There is an account with this address already. Sign in, or ask for a new password.",
        known_here: "You have an account?",
        accept: "With an account you accept the",
        forgotten: "Forgot your password?",
    },
    de: Words {
        title: "Konto anlegen",
        button: "Konto anlegen",
        taken: "Mit dieser Adresse gibt es schon ein Konto. Melden Sie sich an, oder fordern Sie ein neues Passwort an.",
        known_here: "Sie haben ein Konto?",
        accept: "Mit einem Konto nehmen Sie dies an:",
        forgotten: "Passwort vergessen?",
    },
};

/// What comes of the form.
enum Created {
    Entered(Entered),
    /// The mailbox has to be proved first.
    Asked(RequestedProof),
}

impl From<SignedUp> for Created {
    fn from(signed_up: SignedUp) -> Self {
        match signed_up {
            SignedUp::Begun(begun, _) => Self::Entered(begun.into()),
            SignedUp::Asked(proof) => Self::Asked(proof),
        }
    }
}

/// `GET /signup`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    let answer = HttpResponse::Ok().finish();
    let on = page.destination();
    view(&page, &Form::default(), None, on.as_ref(), answer)
}

/// `POST /signup`
pub(crate) async fn submit(
    page: PageRequest,
    sign_up: UseCase<SignUp>,
    sign_in: UseCase<SignIn>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let on = page.destination_of(&form);
    let created = if form.has_passkey() {
        create_with_passkey(&page, sign_up, &form).await
    } else {
        create(&page, sign_up, sign_in, &form).await
    };
    match created {
        Ok(Created::Entered(entered)) => {
            page.entered(entered, on.as_ref().map_or(BASE, Destination::url))
        }
        Ok(Created::Asked(proof)) => {
            page.mail_sent(&page_url("/signup/confirm", None), &proof, on.as_ref())
        }
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

async fn create(
    page: &PageRequest,
    sign_up: UseCase<SignUp>,
    sign_in: UseCase<SignIn>,
    form: &Form,
) -> Result<Created, Problem> {
    let mut request = parse(form.body(), &page.caller, EmailAddress::parse, |text| {
        Password::choose(text, page.min_length)
    })?;
    request.locale.clone_from(&page.caller.language);
    request.proof_cookie = page.caller.asker().cookie;
    let again = request.clone();
    let signed_up = sign_up
        .run(async move |case| case.execute(request).await)
        .await?;
    match signed_up {
        Err(SignUpError::EmailTaken) => sign_in_again(sign_in, again).await,
        signed_up => Ok(signed_up?.into()),
    }
}

/// A passkey in place of a password. A form that is sent twice has spent its challenge the first time.
async fn create_with_passkey(
    page: &PageRequest,
    sign_up: UseCase<SignUp>,
    form: &Form,
) -> Result<Created, Problem> {
    let passkey = form.only(&["challenge", "credential"])?;
    let fields = form.only(&["email"])?.with_object("passkey", passkey);
    let mut request = parse_with_passkey(fields, &page.caller)?;
    request.locale.clone_from(&page.caller.language);
    let signed_up = sign_up
        .run(async move |case| case.by_passkey(request).await)
        .await??;
    Ok(signed_up.into())
}

/// A form that was sent twice has made the account the first time, and its browser may have missed that answer: whoever knows the password
/// is signed in.
async fn sign_in_again(
    use_case: UseCase<SignIn>,
    request: SignInRequest,
) -> Result<Created, Problem> {
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await?;
    match begun {
        Ok(begun) => Ok(Created::Entered(begun.into())),
        Err(SignInError::FactorRequired(step)) => Ok(Created::Entered(Entered::Step(step))),
        Err(error @ (SignInError::Failed(_) | SignInError::Superseded)) => Err(error.into()),
        Err(_) => Err(email_taken()),
    }
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
    let is_taken = problem.is_some_and(|problem| problem.code() == "email_taken");
    let mut email = fields.email();
    if is_taken {
        email.error = Some(words.taken.into());
    }
    let password = fields.new_password("password", fields.texts.password);
    let mut form = FormView::new(page.path(), words.button, vec![email, password]);
    form.passkey = Some(PasskeyButton::new(Purpose::SignUp, page.language));
    form.alert = fields.alert().filter(|_| !is_taken);
    form.hidden
        .extend(on.map(|on| (RETURN_TO, on.url().to_owned())));
    let options = &page.settings.options;
    let terms = options.terms.as_ref().map(|url| Link {
        before: words.accept,
        ..Link::new(url, fields.texts.terms)
    });
    let forgotten =
        (is_taken && options.mail).then(|| Link::new(page_url("/recovery", on), words.forgotten));
    let sign_in = Link {
        before: words.known_here,
        ..Link::new(page_url("/signin", on), fields.texts.sign_in)
    };
    let view = FormPage {
        frame: page.frame().failed_if(problem.is_some()),
        title: words.title,
        intro: "".into(),
        notice: None,
        form,
        links: terms
            .into_iter()
            .chain(forgotten)
            .chain([sign_in])
            .collect(),
    };
    Ok(leading_to(
        view::form_page(answer, view, &page.settings)?,
        on,
    ))
}
