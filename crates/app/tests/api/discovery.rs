//! `/.well-known/jwks.json`, `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`

use crate::support::{Actor, App, Store, on_both_stores, with_config};
use reqwest::Method;
use revolve_adapters::jose::{Algorithm, IdKey};
use secrecy::ExposeSecret;

const KEY_SET: &str = "/.well-known/jwks.json";
const CONFIGURATION: &str = "/.well-known/openid-configuration";
const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";

on_both_stores! {
    async fn the_key_set_names_the_key_of_the_tokens_and_nothing_private(app: App, "tokens.algorithm = 'RS256'") {
        let ann = app.sign_up("ann").await;
        let answer = ann.send(ann.request(Method::GET, KEY_SET)).await.expect(200);
        assert_eq!((answer.header("cache-control"), answer.header("content-type")), ("public, max-age=300", "application/jwk-set+json"));
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        let header = Actor::header(&ann.id_token);
        assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("RS256"), Some("JWT")));
        let key = keys.iter().find(|key| key["kid"] == header["kid"]).expect("the key is in the set");
        let mut members: Vec<&String> = key.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
    }
}

#[test]
fn who_has_the_newest_answer_hears_just_that() {
    with_config(
        Store::Embedded,
        "tokens.key_set_max_age = '90s'",
        |app| async move {
            let anon = app.anon();
            for path in [KEY_SET, CONFIGURATION, AUTHORIZATION_SERVER] {
                let first = anon.send(anon.request(Method::GET, path)).await.expect(200);
                let tag = first.header("etag").to_owned();
                assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
                for known in [
                    tag.clone(),
                    format!("W/{tag}"),
                    format!("\"other\", {tag}"),
                    "*".to_owned(),
                ] {
                    let again = anon
                        .send(
                            anon.request(Method::GET, path)
                                .header("if-none-match", &known),
                        )
                        .await
                        .expect(304);
                    assert_eq!(
                        (again.text.as_str(), again.header("etag")),
                        ("", tag.as_str())
                    );
                    assert_eq!(again.header("cache-control"), "public, max-age=90");
                }
                for unknown in ["\"other\"", "nonsense", ""] {
                    let again = anon
                        .send(
                            anon.request(Method::GET, path)
                                .header("if-none-match", unknown),
                        )
                        .await
                        .expect(200);
                    assert_eq!(again.text, first.text);
                }
                anon.send(anon.request(Method::POST, path))
                    .await
                    .expect_problem(405, "method_not_allowed");
            }
        },
    );
}

#[test]
fn the_configuration_says_what_is_true() {
    with_config(
        Store::Embedded,
        "tokens.algorithm = 'EdDSA'\ntokens.issuer = 'https://accounts.example.org/'",
        |app| async move {
            let anon = app.anon();
            let answer = anon
                .send(anon.request(Method::GET, CONFIGURATION))
                .await
                .expect(200);
            assert_eq!(answer.header("content-type"), "application/json");
            insta::assert_json_snapshot!(answer.json(), @r#"
        {
          "claims_supported": [
            "iss",
            "sub",
            "aud",
            "iat",
            "exp",
            "sid",
            "epoch",
            "auth_time",
            "amr",
            "user",
            "email",
            "email_verified",
            "name",
            "picture",
            "website",
            "locale",
            "roles",
            "app",
            "version"
          ],
          "grant_types_supported": [
            "refresh_token"
          ],
          "id_token_signing_alg_values_supported": [
            "EdDSA"
          ],
          "introspection_endpoint": "https://accounts.example.org/oauth/introspect",
          "introspection_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "Bearer"
          ],
          "issuer": "https://accounts.example.org/",
          "jwks_uri": "https://accounts.example.org/.well-known/jwks.json",
          "request_uri_parameter_supported": false,
          "revocation_endpoint": "https://accounts.example.org/oauth/revoke",
          "revocation_endpoint_auth_methods_supported": [
            "none"
          ],
          "scopes_supported": [
            "openid",
            "profile",
            "email",
            "offline_access"
          ],
          "subject_types_supported": [
            "public"
          ],
          "token_endpoint": "https://accounts.example.org/oauth/token",
          "token_endpoint_auth_methods_supported": [
            "none"
          ],
          "userinfo_endpoint": "https://accounts.example.org/userinfo"
        }
        "#);
            let oauth = anon
                .send(anon.request(Method::GET, AUTHORIZATION_SERVER))
                .await
                .expect(200);
            assert_eq!(oauth.text, answer.text, "RFC 8414 §5");
            let no_list_is_empty =
                |value: &serde_json::Value| value.as_array().is_none_or(|list| !list.is_empty());
            assert!(
                answer
                    .json()
                    .as_object()
                    .unwrap()
                    .values()
                    .all(no_list_is_empty),
                "RFC 8414 §3.2"
            );
            let ann = app.sign_up("ann").await;
            let claims = Actor::claims(&ann.id_token);
            assert_eq!(claims["iss"], answer.json()["issuer"]);
            let supported = answer.json()["claims_supported"]
                .as_array()
                .unwrap()
                .clone();
            for claim in claims.as_object().unwrap().keys() {
                assert!(supported.contains(&claim.as_str().into()), "{claim}");
            }
        },
    );
}

#[test]
fn keys_of_files_are_published_beside_the_stored_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (old, other) = (
        IdKey::generate(Algorithm::Rs256).unwrap(),
        IdKey::generate(Algorithm::Es256).unwrap(),
    );
    let files = [
        folder.path().join("old.pem"),
        folder.path().join("other.pem"),
    ];
    std::fs::write(&files[0], old.expose_secret()).unwrap();
    std::fs::write(&files[1], other.expose_secret()).unwrap();
    let signing = IdKey::generate(Algorithm::EdDsa).unwrap();
    let config = format!(
        "tokens.algorithm = 'EdDSA'\ntokens.signing_key = '''{}'''\ntokens.retired_keys_files = ['PS256:{}', '{}']",
        signing.expose_secret(),
        files[0].display(),
        files[1].display(),
    );
    with_config(Store::Embedded, &config, |app| async move {
        let mut ann = app.sign_up("ann").await;
        let answer = ann
            .send(ann.request(Method::GET, KEY_SET))
            .await
            .expect(200)
            .json();
        let algorithms: Vec<_> = answer["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["alg"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            algorithms,
            ["EdDSA", "PS256", "ES256"],
            "the file signs; no key for ID tokens is stored"
        );
        assert_eq!(
            Actor::header(&ann.id_token)["kid"],
            answer["keys"][0]["kid"]
        );
        ann.refresh().await.expect(200);
    });
}
