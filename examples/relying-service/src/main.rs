//! `cargo run -p relying-service`: both services beside a Revolve on its default address.

use std::{env, error::Error, net::TcpListener};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let setting = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let verifier = relying_service::verifier(
        &setting("ISSUER", "http://localhost:8080"),
        &setting("AUDIENCE", "revolve"),
    )?;
    let (actix, axum) = (
        TcpListener::bind("127.0.0.1:0")?,
        tokio::net::TcpListener::bind("127.0.0.1:0").await?,
    );
    println!("actix-web: http://{}/hello", actix.local_addr()?);
    println!("axum:      http://{}/hello", axum.local_addr()?);
    let actix = relying_service::actix_service(actix, verifier.clone())?;
    tokio::select! {
        ended = actix => ended?,
        ended = axum::serve(axum, relying_service::axum_service(verifier)) => ended?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
