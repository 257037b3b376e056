//! Whose page it is: the session that the browser's cookies have the tokens of. A page authenticates by the ID token, as any caller of the
//! API does, and refreshes once where that has expired.

use super::{
    BASE,
    fields::can_be_sent_again,
    form::Form,
    own::{DELETE, DEVICES, REAUTHENTICATE, SECURITY, SIGN_OUT, done},
    request::{PageRequest, page_url, repeat, see, with_cookies},
    settings::Destination,
    texts::Language,
};
use crate::{
    accounts::current_password_of,
    kit::{problem::Problem, token_cookie::is_over, use_case::UseCase},
};
use actix_web::{HttpResponse, ResponseError, cookie::Cookie, http::StatusCode};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{
    model::{Locale, SessionId, User},
    use_cases::{
        Authenticated, Caller, Reauthenticate, RefreshRequest, Refusal, Refused, TokenPair,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The largest ID token that is kept, in bytes: with its name and attributes a browser takes 4096 (RFC 6265 §6.1). Accounts with more in
/// theirs refresh for each page.
const LARGEST: usize = 3800;

/// Somebody whose session is live.
pub(super) struct SignedIn {
    pub(super) user: User,
    pub(super) session: SessionId,
    /// How the use cases know them.
    pub(super) caller: Caller,
    /// The one of the account, or else of the browser.
    pub(super) language: Language,
}

impl SignedIn {
    /// The same once the form has shown the password. Who has reauthenticated a moment ago need not.
    pub(super) async fn reauthenticated(
        &self,
        form: &Form,
        use_case: UseCase<Reauthenticate>,
    ) -> Result<Caller, Problem> {
        if self.has_reauthenticated() && form.get("currentPassword").is_none() {
            return Ok(self.caller.clone());
        }
        let (caller, current) = (self.caller.clone(), current_password_of(form.body())?);
        let shown = use_case
            .run(async move |case| case.execute(&caller, &current).await)
            .await??;
        Ok(Caller {
            reauthentication: Some(shown.token),
            ..self.caller.clone()
        })
    }

    /// Whether the browser keeps a reauthentication of this session. Whether it counts is for the use cases to say.
    pub(super) fn has_reauthenticated(&self) -> bool {
        self.caller.reauthentication.is_some()
    }
}

/// Why somebody has to sign in, as the sign-in page says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    SignedOut,
    Expired,
    Evicted,
    Reused,
    Ended,
    /// Perhaps by the same form, which was sent twice.
    EndedByForm,
    /// A form was sent without any session.
    Gone,
    /// The second step of a sign-in can't be taken any more.
    StepOver,
}

impl Farewell {
    const ALL: [Self; 8] = [
        Self::SignedOut,
        Self::Expired,
        Self::Evicted,
        Self::Reused,
        Self::Ended,
        Self::EndedByForm,
        Self::Gone,
        Self::StepOver,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed-out",
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::Reused => "reused",
            Self::Ended => "ended",
            Self::EndedByForm => "ended-by-form",
            Self::Gone => "gone",
            Self::StepOver => "step-over",
        }
    }

    const fn of(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TokenExpired | Refusal::SessionExpired => Self::Expired,
            Refusal::SessionEvicted => Self::Evicted,
            Refusal::TokenReused => Self::Reused,
            _ => Self::Ended,
        }
    }

    /// By the query of the sign-in page.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl PageRequest {
    /// Does something for whoever is signed in; anybody else is sent to sign in. A form whose problem its sender can mend, or that may succeed
    /// later, is shown `again`; its session is not known if a store is down.
    pub(super) async fn for_user(
        &self,
        fields: &[&str],
        work: impl AsyncFnOnce(&SignedIn) -> Result<HttpResponse, Problem>,
        again: impl FnOnce(Option<&SignedIn>, &Problem) -> Result<HttpResponse, Problem>,
    ) -> Result<HttpResponse, Problem> {
        if self.is_from_another_site() {
            return self.hop();
        }
        let (found, renewed) = self.session().await;
        let (me, outcome) = match found {
            Ok(me) if self.must_set_up(&me) => return to_set_up(&renewed),
            Ok(me) => {
                let outcome = work(&me).await;
                (Some(me), outcome)
            }
            Err(problem) => (None, Err(problem)),
        };
        // The one that the browser keeps counts no more.
        let is_void = |problem: &Problem| problem.code() == "reauthentication_required";
        let void = outcome.as_ref().is_err_and(is_void);
        let outcome = match outcome {
            Err(problem) if can_be_sent_again(&problem, fields) => again(me.as_ref(), &problem),
            outcome => outcome,
        };
        let answer = self.finish(outcome, &renewed).await;
        if void {
            with_cookies(answer?, &self.reauthentication.clear())
        } else {
            answer
        }
    }

    /// The same for a form that is not shown again here.
    pub(super) async fn act_for_user(
        &self,
        work: impl AsyncFnOnce(&SignedIn) -> Result<HttpResponse, Problem>,
    ) -> Result<HttpResponse, Problem> {
        self.for_user(&[], work, |_, problem| Ok(problem.error_response()))
            .await
    }

    /// The same for a page without a form.
    pub(super) async fn show_user(
        &self,
        work: impl AsyncFnOnce(&SignedIn) -> Result<HttpResponse, Problem>,
    ) -> Result<HttpResponse, Problem> {
        if self.is_from_another_site() {
            return self.hop();
        }
        let (found, renewed) = self.session().await;
        let outcome = match found {
            Ok(me) if self.must_set_up(&me) => return to_set_up(&renewed),
            Ok(me) => work(&me).await,
            Err(problem) => Err(problem),
        };
        self.finish(outcome, &renewed).await
    }

    /// Whether the account has to set up a factor, and this page is not for that.
    fn must_set_up(&self, me: &SignedIn) -> bool {
        let page = self.path().strip_prefix(BASE).unwrap_or_default();
        let mut for_that = [SECURITY, REAUTHENTICATE, SIGN_OUT].into_iter();
        self.needs_set_up(me) && !for_that.any(|path| page.starts_with(path))
    }

    /// Whether the session can do nothing but set up a factor.
    pub(super) fn needs_set_up(&self, me: &SignedIn) -> bool {
        self.settings.options.factor_required && !me.user.factors.any()
    }

    /// Sets the cookies of a session that was refreshed, and sends those away whose session is over.
    pub(super) async fn finish(
        &self,
        outcome: Result<HttpResponse, Problem>,
        renewed: &[Cookie<'static>],
    ) -> Result<HttpResponse, Problem> {
        match outcome {
            Err(problem) if is_session_refused(&problem) => self.send_away(&problem).await,
            Err(problem) => with_cookies(problem.error_response(), renewed),
            // A session that has begun or ended with this answer goes before the one that was refreshed.
            Ok(answer) if answer.cookies().any(|set| is_among(&set, renewed)) => Ok(answer),
            Ok(answer) => with_cookies(answer, renewed),
        }
    }

    /// The session of the cookies, and the cookies that it is kept in from now on.
    pub(super) async fn session(&self) -> (Result<SignedIn, Problem>, Vec<Cookie<'static>>) {
        let Some(refresh_token) = self.tokens.token() else {
            return (Err(Problem::unauthenticated()), Vec::new());
        };
        // Scripts of this origin refresh, and sign in and out, too: only with a refresh token of the same session it is the present one.
        let is_of_it = |id: &&SecretString| {
            let session = session_of(id);
            session.is_some() && session == session_of(refresh_token)
        };
        if let Some(id_token) = self.id.token().filter(is_of_it) {
            match self.authenticate.get().execute(id_token).await {
                Ok(found) => return (Ok(self.signed_in(found, id_token.clone())), Vec::new()),
                Err(Refused::Token(_)) => {}
                Err(refused) => return (Err(refused.into()), Vec::new()),
            }
        }
        match self.refreshed(refresh_token.clone()).await {
            Ok(tokens) => {
                let mut cookies = self.kept(&tokens);
                cookies.extend(self.caller.renamed_cookie());
                let found = self.authenticate.get().execute(&tokens.id_token).await;
                let found = found.map(|found| self.signed_in(found, tokens.id_token));
                (found.map_err(Problem::from), cookies)
            }
            Err(problem) => (Err(problem), Vec::new()),
        }
    }

    async fn refreshed(&self, token: SecretString) -> Result<TokenPair, Problem> {
        let request = RefreshRequest {
            token,
            device_credentials: self.caller.device_credentials.clone(),
            client: self.caller.client.clone(),
        };
        let use_case = self.refresh.clone();
        let refreshed = use_case
            .run(async move |case| case.execute(request).await)
            .await??;
        Ok(refreshed.tokens)
    }

    fn signed_in(&self, found: Authenticated, id_token: SecretString) -> SignedIn {
        let locale = found.user.details.locale.as_ref().map(Locale::as_str);
        let reauthentication = self.reauthentication.token();
        let is_of_it = |shown: &&SecretString| session_of(shown) == session_of(&id_token);
        let reauthentication = reauthentication.filter(is_of_it).cloned();
        SignedIn {
            language: locale.and_then(Language::of_tag).unwrap_or(self.language),
            caller: Caller {
                id_token,
                device_credentials: self.caller.device_credentials.clone(),
                reauthentication,
                client: self.caller.client.clone(),
            },
            session: found.session.id,
            user: found.user,
        }
    }

    /// The cookies that keep a session's tokens.
    pub(super) fn kept(&self, tokens: &TokenPair) -> Vec<Cookie<'static>> {
        let mut cookies = self.tokens.set(&tokens.refresh_token);
        if tokens.id_token.expose_secret().len() <= LARGEST {
            cookies.extend(self.id.set(&tokens.id_token));
        } else {
            cookies.extend(self.id.clear());
        }
        cookies
    }

    /// Takes a session's tokens away from the browser, and the pages that it has kept.
    pub(super) fn forgotten(&self) -> Vec<Cookie<'static>> {
        let over = vec![self.tokens.over()];
        let reauthentication = self.reauthentication.clear();
        [self.tokens.clear(), self.id.clear(), reauthentication, over].concat()
    }

    /// To the sign-in page, with a reason if there was a session. Where a newer token of the same browser may be under way, the same request is
    /// sent once more before that. Nobody is asked to sign in to an account that is deleted.
    async fn send_away(&self, problem: &Problem) -> Result<HttpResponse, Problem> {
        let refusal = refusal(problem);
        let may_be_newer = matches!(
            refusal,
            Some(Refusal::TokenStale | Refusal::SessionReplaced)
        );
        if may_be_newer && !self.is_again() {
            return Ok(repeat(&self.once_more()));
        }
        let is_over = refusal.is_some_and(is_over);
        if let Some(token) = self.tokens.token().filter(|_| is_over)
            && self.authenticate.get().is_of_deleted_account(token).await
        {
            return with_cookies(done(DELETE), &self.forgotten());
        }
        let on = self.settings.destination(self.path());
        let on = on.filter(|on| on.url() != BASE);
        let why = match refusal.map(Farewell::of) {
            Some(Farewell::Ended) | None if self.is_form_of(DEVICES) => Some(Farewell::EndedByForm),
            // The browser has dropped the token when its time was over, or has signed out in another tab.
            None if self.is_form() && !self.is_form_of(DELETE) => Some(Farewell::Gone),
            why => why,
        };
        self.leave(why, on.as_ref(), is_over)
    }

    /// To the sign-in page, with or without the refresh token that the browser keeps.
    pub(super) fn leave(
        &self,
        why: Option<Farewell>,
        on: Option<&Destination>,
        is_over: bool,
    ) -> Result<HttpResponse, Problem> {
        let why = why.map(|why| format!("why={}", why.name()));
        let query: Vec<String> = why
            .into_iter()
            .chain(on.map(Destination::parameter))
            .collect();
        let mut to = format!("{BASE}/signin");
        if !query.is_empty() {
            to.push('?');
            to.push_str(&query.join("&"));
        }
        let cookies = if is_over {
            self.forgotten()
        } else {
            // By the ID token alone the sign-in page would lead back to a page that needs the device, too.
            self.id.clear()
        };
        with_cookies(see(&to), &cookies)
    }
}

/// Whether a problem says that a session is over, or that there is none.
pub(super) fn is_session_refused(problem: &Problem) -> bool {
    problem.status() == StatusCode::UNAUTHORIZED
        && (problem.code() == "unauthenticated" || refusal(problem).is_some())
}

/// Why a token was refused, if that is the problem.
pub(super) fn refusal(problem: &Problem) -> Option<Refusal> {
    let mut all = Refusal::ALL.into_iter();
    all.find(|refusal| refusal.code() == problem.code())
}

fn is_among(cookie: &Cookie<'_>, cookies: &[Cookie<'_>]) -> bool {
    cookies.iter().any(|other| other.name() == cookie.name())
}

/// The session that a token names. Nothing is believed of that: it tells cookies of one session from those of two.
fn session_of(token: &SecretString) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        sid: String,
    }
    let payload = token.expose_secret().split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let named: Named = serde_json::from_slice(&payload).ok()?;
    Some(named.sid)
}

fn to_set_up(renewed: &[Cookie<'static>]) -> Result<HttpResponse, Problem> {
    with_cookies(see(&page_url(SECURITY, None)), renewed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_one_session_are_told_from_those_of_two() {
        let token = |claims: &str| {
            let payload = URL_SAFE_NO_PAD.encode(claims);
            SecretString::from(format!("e30.{payload}.c2ln"))
        };
        let (id, refresh) = (r#"{"sid":"a","user":{}}"#, r#"{"uid":"u","sid":"a"}"#);
        assert_eq!(session_of(&token(id)), session_of(&token(refresh)));
        assert_ne!(session_of(&token(id)), session_of(&token(r#"{"sid":"b"}"#)));
        for none in ["", "a", "a.b.c", "e30.e30.c2ln", "e30.bm9uZQ.c2ln"] {
            assert_eq!(session_of(&SecretString::from(none)), None, "{none}");
        }
    }

    #[test]
    fn a_reason_is_found_by_its_name() {
        for reason in Farewell::ALL {
            assert_eq!(Farewell::named(reason.name()), Some(reason));
        }
        assert_eq!(Farewell::named("<b>"), None);
    }
}
