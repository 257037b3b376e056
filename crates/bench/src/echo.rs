//! The floor of HTTP: a body comes, and goes back.

use actix_web::{HttpResponse, web};
use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    crate::server::serve(|routes| {
        routes.route("/echo", web::post().to(echo));
    })
}

async fn echo(body: web::Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(body)
}
