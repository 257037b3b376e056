//! The admin API of an instance, with a key of its own.

use anyhow::Result;

use super::{
    http::{HttpClient, Request, Response},
    service::Instance,
};

#[derive(Clone)]
pub(crate) struct AdminApi {
    http: HttpClient,
    base: String,
    key: String,
}

impl AdminApi {
    /// Makes a key with these scopes by the command line.
    pub(crate) async fn of(instance: &Instance, scopes: &str) -> Result<Self> {
        Ok(Self {
            http: HttpClient::new()?,
            base: instance.printed("admin API on ").await?,
            key: instance.make_key(scopes).await?,
        })
    }

    /// Where it listens, without a path.
    pub(crate) fn origin(&self) -> &str {
        self.base.strip_suffix("/api/admin").unwrap_or(&self.base)
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// A request for a path below the base, with the key.
    pub(crate) fn request(&self, method: &str, path: &str) -> Result<Request> {
        let request = Request::new(method, &format!("{}{path}", self.base))?;
        Ok(request.bearer(&self.key))
    }

    pub(crate) async fn call(&self, method: &str, path: &str) -> Result<Response> {
        self.http.send(&self.request(method, path)?).await
    }
}
