//! The server's own routes: each user has notes that nobody else sees. `SignedIn` is all that they know of accounts.

use actix_web::{HttpResponse, web};
use revolve::SignedIn;
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The notes of each user, by the user's id, for as long as the process lives.
#[derive(Default)]
pub(crate) struct Notes(Mutex<HashMap<String, Vec<String>>>);

impl Notes {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `GET /notes`
pub(crate) async fn list(who: SignedIn, notes: web::Data<Notes>) -> HttpResponse {
    let notes = notes
        .all()
        .get(&who.user.id.to_string())
        .cloned()
        .unwrap_or_default();
    HttpResponse::Ok().json(json!({ "of": who.user.email.as_str(), "notes": notes }))
}

/// `POST /notes`
pub(crate) async fn add(who: SignedIn, notes: web::Data<Notes>, text: String) -> HttpResponse {
    notes
        .all()
        .entry(who.user.id.to_string())
        .or_default()
        .push(text);
    HttpResponse::Created().finish()
}
