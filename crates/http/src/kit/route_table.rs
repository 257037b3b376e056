//! How a row of the table of routes becomes a route.

use crate::{
    Layers,
    kit::{
        deadline::within,
        key_caller::admitted,
        openapi::{Documented, Operation},
        problem::{ErrorForm, Problem},
        rate_limit::with_policy,
    },
};
use actix_web::{
    Error, FromRequest, Handler, HttpResponse, Resource, Responder, Route,
    body::{BoxBody, MessageBody},
    dev::{ServiceFactory, ServiceRequest, ServiceResponse, fn_service},
    guard,
    http::{ConnectionType, Method},
    middleware::{Condition, Next, from_fn},
    web,
};
use futures_util::future::LocalBoxFuture;
use revolve_domain::{limits::LimitName, model::ApiKeyScope};

/// Answers one operation. All that a service does once for each route is for this one type: the code of a handler is not touched, and so takes no
/// memory, until it is called.
pub(crate) type Handle = fn(ServiceRequest) -> Answering;

type Answering = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

/// Has a handler answer, as [`web::to`] does.
pub(crate) fn to<F, Args>(handler: F, request: ServiceRequest) -> Answering
where
    F: Handler<Args>,
    Args: FromRequest,
    F::Output: Responder<Body: MessageBody>,
{
    Box::pin(async move {
        let (request, mut payload) = request.into_parts();
        let answer = match Args::from_request(&request, &mut payload).await {
            Ok(args) => handler
                .call(args)
                .await
                .respond_to(&request)
                .map_into_boxed_body(),
            Err(error) => HttpResponse::from_error(error),
        };
        Ok(ServiceResponse::new(request, answer))
    })
}

/// One operation. Where GET is, HEAD is answered by the same handler.
pub(crate) struct RouteRow {
    method: Method,
    path: &'static str,
    handler: Handle,
    /// `None`: it is not in the document.
    describe: Option<fn() -> Operation>,
    limits: &'static [LimitName],
    /// What an operator's key needs; `None` for what takes none.
    scope: Option<ApiKeyScope>,
    errors: ErrorForm,
    has_deadline: bool,
}

impl RouteRow {
    pub(crate) const fn new(
        method: Method,
        path: &'static str,
        handler: Handle,
        describe: fn() -> Operation,
    ) -> Self {
        let mut row = Self::undescribed(method, path, handler);
        row.describe = Some(describe);
        row
    }

    /// What is not in the document.
    pub(crate) const fn undescribed(method: Method, path: &'static str, handler: Handle) -> Self {
        Self {
            method,
            path,
            handler,
            describe: None,
            limits: &[],
            scope: None,
            errors: ErrorForm::Problem,
            has_deadline: true,
        }
    }

    /// An operation of operators' programs, for keys with this scope.
    pub(crate) const fn admin(
        method: Method,
        path: &'static str,
        scope: ApiKeyScope,
        handler: Handle,
        describe: fn() -> Operation,
    ) -> Self {
        let mut row = Self::new(method, path, handler, describe);
        row.scope = Some(scope);
        row.limited(LimitName::ADMIN)
    }

    /// Names these limits in every answer and in the document; the use case enforces them.
    pub(crate) const fn limited(mut self, limits: &'static [LimitName]) -> Self {
        self.limits = limits;
        self
    }

    /// Is for OAuth clients: errors have the form that those read, and a key may be shown as they show their secret.
    pub(crate) const fn for_oauth_clients(mut self) -> Self {
        self.errors = ErrorForm::OAuth;
        self
    }

    /// Answers at once, or has a limit of its own.
    pub(crate) const fn without_deadline(mut self) -> Self {
        self.has_deadline = false;
        self
    }

    /// What the document of its API says of it, if it is there. `is_private`: no cache may keep an answer.
    pub(crate) fn documented(&self, base: &'static str, is_private: bool) -> Option<Documented> {
        let mut operation = (self.describe?)()
            .limited_by(self.limits)
            .telling_errors_as(self.errors);
        if let Some(scope) = self.scope {
            operation = operation.for_key(scope, self.takes_basic());
        }
        Some(Documented {
            method: self.method.clone(),
            path: format!("{base}{}", self.path),
            is_private,
            operation,
        })
    }

    /// Whether a key may be the password of HTTP Basic authentication, too.
    fn takes_basic(&self) -> bool {
        self.errors == ErrorForm::OAuth
    }

    fn route(&self, layers: &Layers) -> Route {
        let mut route = answering(&self.method, Route::new().service(fn_service(self.handler)));
        if let Some(scope) = self.scope {
            route = admitted(scope, self.takes_basic(), route);
        }
        if self.has_deadline {
            route = within(layers.deadline, route);
        }
        match self.errors {
            ErrorForm::Problem => route,
            form @ ErrorForm::OAuth => {
                route.wrap(from_fn(move |request, next| told_as(form, request, next)))
            }
        }
    }
}

/// Puts what went wrong in this form, whoever has found it.
async fn told_as(
    form: ErrorForm,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    // After routing the request may be shared: nothing changes it any more.
    let kept = request.request().clone();
    let answer = match next.call(request).await {
        Ok(answer) => answer,
        Err(error) => ServiceResponse::from_err(error, kept),
    };
    let error = answer.response().error();
    let Some(problem) = error.and_then(|error| error.as_error::<Problem>()) else {
        return Ok(answer);
    };
    let mut told = form.response(problem);
    if answer.response().head().connection_type() == ConnectionType::Close {
        told.head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(answer.into_response(told))
}

/// Whether all rows of a path have the same limits: a resource names them on every answer, that of a wrong method, too.
#[cfg(test)]
pub(crate) fn are_limited_by_path(rows: &[RouteRow]) -> bool {
    rows.iter().all(|row| {
        let mut same = rows.iter().filter(|other| other.path == row.path);
        same.all(|other| other.limits == row.limits)
    })
}

/// The rows by their paths. A path answers 405 to other methods than its own.
pub(crate) fn resources(
    rows: &'static [RouteRow],
    layers: &Layers,
) -> impl Iterator<
    Item = Resource<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + 'static>,
            Error = Error,
            InitError = (),
        > + 'static,
    >,
> {
    let layers = layers.clone();
    let is_first = |&(index, row): &(usize, &'static RouteRow)| {
        rows.iter().position(|other| other.path == row.path) == Some(index)
    };
    rows.iter()
        .enumerate()
        .filter(is_first)
        .map(move |(_, first)| {
            let same = || rows.iter().filter(|row| row.path == first.path);
            let limits = first.limits;
            let mut resource = only(first.path, same().flat_map(|row| allowed(&row.method)));
            for row in same() {
                resource = resource.route(row.route(&layers));
            }
            resource.wrap(Condition::new(
                !limits.is_empty(),
                from_fn(move |request, next| with_policy(limits, request, next)),
            ))
        })
}

/// The route for a row's method, and for HEAD wherever GET is (RFC 9110 §9.3.2).
pub(crate) fn answering(method: &Method, route: Route) -> Route {
    if method == Method::GET {
        route.guard(guard::Any(guard::Get()).or(guard::Head()))
    } else {
        route.method(method.clone())
    }
}

/// What `Allow` names for a row's method.
pub(crate) fn allowed(method: &Method) -> impl Iterator<Item = &str> {
    let head = (method == Method::GET).then_some("HEAD");
    std::iter::once(method.as_str()).chain(head)
}

/// A resource that answers 405 to other methods than its own.
pub(crate) fn only<'a>(path: &'static str, allowed: impl Iterator<Item = &'a str>) -> Resource {
    let allow = allowed.collect::<Vec<_>>().join(", ");
    web::resource(path).default_service(web::to(move || {
        let problem = Problem::method_not_allowed(allow.clone());
        async move { Err::<HttpResponse, _>(problem) }
    }))
}

pub(crate) async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("There is nothing at this path."))
}
