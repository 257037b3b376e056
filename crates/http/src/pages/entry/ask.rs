//! What pages have in common that ask for a mail by an address alone.

use crate::{
    kit::{even::evened, problem::Problem},
    pages::{
        fields::{Fields, can_be_sent_again},
        form::{Form, RETURN_TO},
        request::{PageRequest, page_url, see, with_cookies},
        settings::Destination,
        texts::Localized,
        view::{self, FormPage, FormView, Link},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::{model::EmailAddress, use_cases::RequestedProof};

/// A page that asks for a mail. What its form is answered with is the same whoever has an account.
pub(in crate::pages) struct Ask {
    pub(in crate::pages) texts: Localized<AskTexts>,
}

/// What it says of itself.
pub(in crate::pages) struct AskTexts {
    pub(in crate::pages) title: &'static str,
    pub(in crate::pages) intro: &'static str,
    pub(in crate::pages) button: &'static str,
}

impl PageRequest {
    /// Asks whom the mail is for.
    pub(in crate::pages) fn ask(&self, ask: &Ask) -> Result<HttpResponse, Problem> {
        let answer = HttpResponse::Ok().finish();
        self.asking(ask, &Form::default(), None, self.destination(), answer)
    }

    /// Reads whom it is for, and asks for it.
    pub(in crate::pages) async fn asks(
        &self,
        form: &Form,
        request: impl AsyncFnOnce(EmailAddress) -> Result<RequestedProof, Problem>,
    ) -> Result<RequestedProof, Problem> {
        let mut body = form.body();
        let email = body.required("email", EmailAddress::present);
        evened(request(body.finish(email)?)).await
    }

    /// What the form gets: the page that its mail leads to, where the code can be typed.
    pub(in crate::pages) fn asked(
        &self,
        ask: &Ask,
        form: &Form,
        outcome: Result<RequestedProof, Problem>,
    ) -> Result<HttpResponse, Problem> {
        let on = self.destination_of(form);
        match outcome {
            Ok(proof) => self.mail_sent(self.path(), &proof, on.as_ref()),
            Err(problem) if can_be_sent_again(&problem, &["email"]) => {
                self.asking(ask, form, Some(&problem), on, problem.error_response())
            }
            Err(problem) => Err(problem),
        }
    }

    /// To the page on which the code of a mail can be typed. The browser keeps what tells it from others.
    pub(in crate::pages) fn mail_sent(
        &self,
        page: &str,
        proof: &RequestedProof,
        on: Option<&Destination>,
    ) -> Result<HttpResponse, Problem> {
        let mut to = format!("{page}?proof={}", proof.id);
        if let Some(on) = on {
            to.push('&');
            to.push_str(&on.parameter());
        }
        let cookie = self.caller.proof_cookie(proof);
        with_cookies(see(&to), cookie.as_slice())
    }

    fn asking(
        &self,
        ask: &Ask,
        typed: &Form,
        problem: Option<&Problem>,
        on: Option<Destination>,
        answer: HttpResponse,
    ) -> Result<HttpResponse, Problem> {
        let AskTexts {
            title,
            intro,
            button,
        } = ask.texts.get(self.language);
        let fields = Fields {
            texts: self.language.texts(),
            min_length: self.min_length,
            typed,
            problem,
        };
        let back = Link::new(page_url("/signin", on.as_ref()), fields.texts.sign_in);
        let mut form = FormView::new(self.path(), button, vec![fields.email()]);
        form.alert = fields.alert();
        form.hidden
            .extend(on.map(|on| (RETURN_TO, on.url().to_owned())));
        let view = FormPage {
            frame: self.frame().failed_if(problem.is_some()),
            title,
            intro: (*intro).into(),
            notice: None,
            form,
            links: vec![back],
        };
        view::page(answer, &view)
    }
}
