//! The use cases of `revolve-domain` in a program with a store of its own, without HTTP and without a database. It runs a short
//! story and prints what happens.
//!
//! ```console
//! $ cargo run -p example-embed-domain
//! ```

mod outside;
mod service;
mod store;

#[cfg(test)]
mod tests;

use outside::print;
use revolve_domain::{
    model::{ClientInfo, EmailAddress, Label, Password},
    use_cases::{Begun, Caller, RefreshRequest, SignInRequest, SignOutScope, UseCases},
};
use secrecy::SecretString;
use service::service;
use std::error::Error;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(story())
}

async fn story() -> Outcome<()> {
    let service = service()?;

    print("Ann signs up on her laptop, then signs in on her phone.");
    let laptop = service.sign_up.execute(request("laptop")?).await?;
    let laptop = laptop.begun().ok_or("nothing has to be proved here")?;
    let phone = service.sign_in.execute(request("phone")?).await?;
    list(&service, &laptop).await?;

    print("The laptop refreshes; the token is replaced.");
    let first = laptop.tokens.refresh_token.clone();
    let second = service.refresh.execute(present(&first)).await?.tokens;
    let third = service
        .refresh
        .execute(present(&second.refresh_token))
        .await?
        .tokens;

    print("A thief comes with a copy of the laptop's first token.");
    match service.refresh.execute(present(&first)).await {
        Err(refused) => print(&format!("  refused: {refused}")),
        Ok(_) => return Err("a stolen token was accepted".into()),
    }
    print("Nobody can say which of the two is the thief, so the session is over for both.");
    match service.refresh.execute(present(&third.refresh_token)).await {
        Err(refused) => print(&format!("  refused: {refused}")),
        Ok(_) => return Err("the session should be over".into()),
    }
    list(&service, &phone).await?;

    print("Ann signs out everywhere, from her phone. The ID token is refused from now on.");
    service
        .sign_out
        .execute(&caller(&phone), SignOutScope::Everywhere)
        .await?;
    match service.me.execute(&phone.tokens.id_token).await {
        Err(refused) => print(&format!("  refused: {refused}")),
        Ok(_) => return Err("a sign-out is final".into()),
    }

    print("What other services should refuse, though its ID tokens have not expired:");
    let revoked = service.revocation_feed.execute(None).await?.revocations;
    print(&format!(
        "  {} sessions and {} user",
        revoked.ends.len(),
        revoked.raised.len()
    ));
    Ok(())
}

fn request(device: &str) -> Outcome<SignInRequest> {
    Ok(SignInRequest {
        email: EmailAddress::parse("ann@example.org")?,
        password: Password::choose(&SecretString::from("correct horse battery"), Password::MIN)?,
        device_name: Some(Label::parse(device)?),
        device_credentials: Vec::new(),
        proof_cookie: None,
        locale: None,
        client: ClientInfo::default(),
    })
}

fn present(token: &SecretString) -> RefreshRequest {
    RefreshRequest {
        token: token.clone(),
        device_credentials: Vec::new(),
        client: ClientInfo::default(),
    }
}

/// What a call shows: here an ID token alone, since no session of this story is bound to its device.
fn caller(begun: &Begun) -> Caller {
    Caller {
        id_token: begun.tokens.id_token.clone(),
        device_credentials: Vec::new(),
        reauthentication: None,
        client: ClientInfo::default(),
    }
}

async fn list(service: &UseCases, begun: &Begun) -> Outcome<()> {
    let sessions = service.list_sessions.execute(&caller(begun)).await?;
    let names = sessions
        .iter()
        .filter_map(|view| view.session.device_name.as_ref().map(Label::as_str));
    print(&format!(
        "  signed in: {}",
        names.collect::<Vec<_>>().join(", ")
    ));
    Ok(())
}
