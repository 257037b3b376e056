//! `/account/signin/factor`: the second step of a sign-in. The challenge is in the form and in no address; it is worth nothing on another device.

use crate::{
    kit::{
        factor::{ChallengeAnswer, challenge, shown},
        problem::Problem,
        use_case::UseCase,
    },
    pages::{
        BASE,
        factors::{FIELDS, Ways},
        fields::can_be_sent_again,
        form::{Form, RETURN_TO},
        passkey::Purpose,
        request::{PageRequest, leading_to, page_url, see, with_cookies},
        session::Farewell,
        settings::Destination,
        texts::Localized,
        view::{self, FormPage, Link},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::{
    model::FactorKind,
    use_cases::{Begun, PasskeyChallenge, SecondStep, SecondStepRequest, SignInByFactor},
};

/// The path of the page below [`BASE`].
const FACTOR: &str = "/signin/factor";

/// What a form that signs in has led to.
pub(in crate::pages) enum Entered {
    Session(Box<Begun>),
    Step(Box<SecondStep>),
}

impl From<Begun> for Entered {
    fn from(begun: Begun) -> Self {
        Self::Session(Box::new(begun))
    }
}

/// A challenge as its form carries it.
struct Step {
    challenge: String,
    factors: Vec<FactorKind>,
    /// For the module, if a passkey will do.
    options: Option<String>,
}

struct Words {
    title: &'static str,
    intro: &'static str,
    nothing: &'static str,
    button: &'static str,
    again: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        title: "One more step",
        intro: "Show that it is you.",
        nothing: "Your account needs a passkey to sign in.",
        button: "Sign in",
        again: "Start again",
    },
    de: Words {
        title: "Noch ein Schritt",
        intro: "Zeigen Sie, dass Sie es sind.",
        nothing: "Ihr Konto braucht zum Anmelden einen Passkey.",
        button: "Anmelden",
        again: "Von vorn anfangen",
    },
};

impl Step {
    fn of_form(form: &Form) -> Self {
        let field = |name| form.get(name).unwrap_or_default();
        let factors = field("factors").split(' ').filter_map(FactorKind::named);
        Self {
            challenge: field("challenge").to_owned(),
            factors: factors.collect(),
            options: form.get("options").map(str::to_owned),
        }
    }

    fn opened(step: &SecondStep) -> Result<Self, Problem> {
        let options = step.public_key.clone().map(|public_key| {
            serde_json::to_string(&ChallengeAnswer::from(&PasskeyChallenge {
                challenge: step.challenge,
                public_key,
                expires_in: step.expires_in,
            }))
        });
        Ok(Self {
            challenge: step.challenge.to_string(),
            factors: step.factors.clone(),
            options: options
                .transpose()
                .map_err(|error| Problem::internal(&error))?,
        })
    }
}

impl PageRequest {
    /// What a form gets that has shown the right thing: a session, which leads on to `to`, or the page that asks for a factor.
    pub(in crate::pages) fn entered(
        &self,
        entered: Entered,
        to: &str,
    ) -> Result<HttpResponse, Problem> {
        let step = match entered {
            Entered::Session(begun) => return self.begun(&begun, to),
            Entered::Step(step) => step,
        };
        let on = self.settings.destination(to);
        let nothing = Form::default();
        let answer = HttpResponse::Ok().finish();
        let shown = view(
            self,
            &Step::opened(&step)?,
            &nothing,
            None,
            on.as_ref(),
            answer,
        )?;
        let cookies = self.caller.device_cookies(&step.device);
        with_cookies(shown, &cookies)
    }
}

/// `GET /signin/factor`: the form is what a sign-in has led to.
pub(crate) async fn show(page: PageRequest) -> HttpResponse {
    see(&page_url("/signin", page.destination().as_ref()))
}

/// `POST /signin/factor`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<SignInByFactor>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (on, step) = (page.destination_of(&form), Step::of_form(&form));
    if form.asks_otherwise() {
        let answer = HttpResponse::Ok().finish();
        return view(&page, &step, &form, None, on.as_ref(), answer);
    }
    match sign_in(&page, use_case, &form).await {
        Ok(begun) => page.begun(&begun, on.as_ref().map_or(BASE, Destination::url)),
        Err(problem) if is_over(&problem) => {
            page.leave(Some(Farewell::StepOver), on.as_ref(), false)
        }
        Err(problem) if can_be_sent_again(&problem, &FIELDS) => {
            let answer = problem.error_response();
            view(&page, &step, &form, Some(&problem), on.as_ref(), answer)
        }
        Err(problem) => Err(problem),
    }
}

/// Whether the challenge can't be used any more.
fn is_over(problem: &Problem) -> bool {
    matches!(problem.code(), "challenge_gone" | "sign_in_superseded")
        || problem.attempts_left() == Some(0)
}

async fn sign_in(
    page: &PageRequest,
    use_case: UseCase<SignInByFactor>,
    form: &Form,
) -> Result<Begun, Problem> {
    let mut body = form.shown(&["challenge"])?;
    let challenge = challenge(&mut body);
    let factor = shown(&mut body);
    let (challenge, factor) = body.finish(challenge.zip(factor))?;
    let request = SecondStepRequest {
        challenge,
        factor,
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
    step: &Step,
    typed: &Form,
    problem: Option<&Problem>,
    on: Option<&Destination>,
    answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let words = WORDS.get(page.language);
    let fields = page.fields(page.language, typed, problem);
    let ways = Ways::new(false, &step.factors);
    let (action, purpose) = (page_url(FACTOR, None), Purpose::SecondStep);
    let mut form = ways.form(&action, words.button, purpose, page.language, &fields);
    let options = step.options.clone().map(|options| ("options", options));
    let factors: Vec<&str> = step.factors.iter().map(|kind| kind.as_str()).collect();
    form.hidden.push(("challenge", step.challenge.clone()));
    form.hidden.push(("factors", factors.join(" ")));
    form.hidden.extend(options);
    form.hidden
        .extend(on.map(|on| (RETURN_TO, on.url().to_owned())));
    let intro = if form.fields.is_empty() {
        words.nothing
    } else {
        words.intro
    };
    let view = FormPage {
        frame: page.frame().failed_if(problem.is_some()),
        title: words.title,
        intro: intro.into(),
        notice: None,
        form,
        links: vec![Link::new(page_url("/signin", on), words.again)],
    };
    Ok(leading_to(
        view::form_page(answer, view, &page.settings)?,
        on,
    ))
}
