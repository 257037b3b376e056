//! `revolve user import --format …`: files as other systems export them. The hashes are those of `argon2/exports.rs` among the contract tests of
//! the adapters, which has their sources.

use crate::support::{Actor, App, Said, Store, on_both_stores, with_config};
use serde_json::{Value, json};
use std::fs;

const HASH_CONFIG: &str = "hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}
";
const FIREBASE_SALT: &str = "42xEC+ixf3L2lw==";
const FIREBASE_HASH: &str =
    "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";
const BCRYPT: &str = "$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";

/// A file, and whose password opens what.
struct Export {
    format: &'static str,
    text: String,
    email: &'static str,
    password: &'static str,
}

fn export(
    format: &'static str,
    text: String,
    email: &'static str,
    password: &'static str,
) -> Export {
    Export {
        format,
        text,
        email,
        password,
    }
}

fn exports() -> Vec<Export> {
    let uid = "6f9619ff-8b86-4011-b42d-00c04fc964";
    let auth0 = json!({
        "user_id": "auth0|1", "email": "ann.auth0@example.org", "email_verified": true, "name": "Ann", "app_metadata": { "roles": ["admin"], "plan": "pro" },
        "custom_password_hash": { "algorithm": "sha256", "salt": { "value": "abc123", "position": "prefix" },
            "hash": { "value": "d24e794fce503c3ddb1cd1ba1dd5d9b250cf9917336a0316fefd87fecf79200f", "encoding": "hex" } },
    });
    let firebase = json!({ "users": [{
        "localId": "one", "email": "ann.firebase@example.org", "emailVerified": true, "passwordHash": FIREBASE_HASH, "salt": FIREBASE_SALT,
        "displayName": "Ann", "createdAt": "1577934245000", "customAttributes": "{\"roles\":[\"admin\"],\"plan\":\"pro\"}",
    }] });
    let columns = ",".repeat(17);
    let firebase_csv = format!(
        "two,ann.firebase-csv@example.org,true,{FIREBASE_HASH},{FIREBASE_SALT},\"B, Ann\",{columns}1577934245000,1577934245000,,false,\"{{\"\"roles\"\":[\"\"admin\"\"],\"\"plan\"\":\"\"pro\"\"}}\",\n"
    );
    let supabase = format!(
        "id,email,encrypted_password,email_confirmed_at,raw_app_meta_data,raw_user_meta_data,created_at\n\
         {uid}01,ann.supabase@example.org,{BCRYPT},2020-01-02 03:04:05+00,\"{{\"\"provider\"\":\"\"email\"\",\"\"roles\"\":[\"\"admin\"\"],\"\"plan\"\":\"\"pro\"\"}}\",\"{{\"\"name\"\":\"\"Ann\"\"}}\",2020-01-02 03:04:05+00\n"
    );
    let keycloak = json!({ "realm": "example", "roles": { "realm": [] }, "users": [{
        "id": format!("{uid}02"), "email": "ann.keycloak@example.org", "emailVerified": true, "enabled": true, "createdTimestamp": 1_577_934_245_000_u64,
        "firstName": "Ann", "realmRoles": ["admin", "default-roles-example"],
        "credentials": [{ "type": "password",
            "secretData": "{\"value\":\"I9aBicNnH49yuiIjQJC85giAQWszITIjdobXf3FdYMg=\",\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\",\"additionalParameters\":{}}",
            "credentialData": "{\"hashIterations\":5,\"algorithm\":\"argon2\",\"additionalParameters\":{\"hashLength\":[\"32\"],\"memory\":[\"7168\"],\"type\":[\"id\"],\"version\":[\"1.3\"],\"parallelism\":[\"1\"]}}" }],
    }] });
    let django = json!([
        { "model": "auth.group", "pk": 1, "fields": { "name": "admin" } },
        { "model": "auth.user", "pk": 7, "fields": {
            "password": "pbkdf2_sha256$1000$seasalt$mQnueSakb748zqBAC1tmWVZsZbi2zPGZarEzTGdfmso=", "username": "ann", "first_name": "Ann", "last_name": "",
            "email": "ann.django@example.org", "is_staff": false, "is_superuser": false, "is_active": true, "date_joined": "2020-01-02T03:04:05Z",
            "groups": [["admin"]], "user_permissions": [] } },
    ]);
    let kratos = json!([{
        "id": format!("{uid}03"), "state": "active", "traits": { "email": "ann.kratos@example.org", "name": "Ann" },
        "credentials": { "password": { "config": {
            "hashed_password": "$scrypt$ln=16384,r=8,p=1$2npRo7P03Mt8keSoMbyD/tKFWyUzjiQf2svUaNDSrhA=$MiCzNcIplSMqSBrm4HckjYqYhaVPPjTARTzwB1cVNYE=" } } },
        "verifiable_addresses": [{ "value": "ann.kratos@example.org", "verified": true, "via": "email" }],
        "metadata_public": { "roles": ["admin"], "plan": "pro" }, "created_at": "2020-01-02T03:04:05Z",
    }]);
    let csv = format!(
        "email,name,passwordHash,emailVerified,roles,app\nann.csv@example.org,Ann,{BCRYPT},true,admin,\"{{\"\"plan\"\":\"\"pro\"\"}}\"\n"
    );
    vec![
        export("auth0", auth0.to_string(), "ann.auth0@example.org", "shh"),
        export(
            "firebase",
            format!("{firebase:#}"),
            "ann.firebase@example.org",
            "user1password",
        ),
        export(
            "firebase",
            firebase_csv,
            "ann.firebase-csv@example.org",
            "user1password",
        ),
        export(
            "supabase",
            supabase,
            "ann.supabase@example.org",
            "correct horse",
        ),
        export(
            "keycloak",
            keycloak.to_string(),
            "ann.keycloak@example.org",
            "correct horse",
        ),
        export(
            "django",
            django.to_string(),
            "ann.django@example.org",
            "correct horse",
        ),
        export(
            "kratos",
            kratos.to_string(),
            "ann.kratos@example.org",
            "test",
        ),
        export("csv", csv, "ann.csv@example.org", "correct horse"),
    ]
}

async fn import(app: &App, format: &str, text: &str, more: &[&str]) -> Said {
    let folder = app.backing.folder.path();
    fs::write(folder.join("export"), text).unwrap();
    fs::write(folder.join("hash_config"), HASH_CONFIG).unwrap();
    let mut arguments = vec!["user", "import", "export", "--json", "--format", format];
    if format == "firebase" {
        arguments.extend(["--hash-config", "hash_config"]);
    }
    arguments.extend(more);
    app.revolve(&arguments).await
}

on_both_stores! {
    async fn accounts_of_other_systems_keep_their_passwords_and_what_they_may(app: App) {
        for Export { format, text, email, password } in exports() {
            let said = import(&app, format, &text, &[]).await.expect(0).json();
            assert_eq!((&said["imported"], &said["refused"]), (&json!(1), &json!(0)), "{email}: {said}");
            let again = import(&app, format, &text, &[]).await.expect(0).json();
            assert_eq!(again["present"], 1, "{email}: {again}");
            let mut ann = app.anon();
            ann.sign_in(email, "wrong").await.expect_problem(401, "invalid_credentials");
            ann.sign_in(email, password).await.expect(200);
            ann.sign_in(email, password).await.expect(200);
            let claims = Actor::claims(&ann.id_token);
            assert_eq!(claims["roles"], json!(["admin"]), "{email}");
            if !matches!(format, "keycloak" | "django") {
                assert_eq!(claims["app"], json!({ "plan": "pro" }), "{email}");
            }
            assert_eq!(claims["email_verified"], json!(format != "django"), "{email}");
            let name = claims["name"].as_str().unwrap();
            assert!(matches!(name, "Ann" | "B, Ann"), "{email}: {name}");
            // Whoever signed in has a hash of today, and the account is there all the same.
            let again = import(&app, format, &text, &[]).await;
            if format != "csv" {
                assert_eq!(again.expect(0).json()["present"], 1, "{email}");
            }
        }
    }

    async fn what_is_not_taken_is_counted_by_its_reason(app: App) {
        let user = |name: &str, more: Value| {
            let mut user = json!({ "user_id": format!("auth0|{name}"), "email": format!("{name}@example.org"), "passwordHash": BCRYPT });
            user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            user.to_string()
        };
        let rows = [
            user("ann", json!({ "phone_number": "+15551112233", "user_metadata": { "theme": "dark" }, "picture": "http://10.0.0.1/a.png" })),
            user("ann.two", json!({ "phone_number": "+15551112233", "app_metadata": { "roles": ["Admin", "editor"] } })),
            user("ann.three", json!({ "passwordHash": null })),
            user("ann.four", json!({ "passwordHash": "plain" })),
            user("ann.five", json!({ "passwordHash": null, "custom_password_hash": { "algorithm": "whirlpool", "hash": { "value": "00" } } })),
            user("ann.six", json!({ "email": null })),
        ];
        let said = import(&app, "auth0", &rows.join("\n"), &[]).await.expect(1);
        let json = said.json();
        assert_eq!(json["refusedBy"], json!({ "hash_unsupported": 2, "missing": 1 }));
        assert_eq!(json["leftOut"], json!({ "phone number": 2, "user metadata": 1, "imageUrl": 1, "roles": 1 }));
        assert_eq!((&json["imported"], &json["withoutPassword"]), (&json!(3), &json!(1)));
        assert!(said.err.contains("line 4: passwordHash: ") && !said.err.contains("plain"), "{said:?}");
        app.anon().sign_in("ann.three@example.org", "any").await.expect_problem(401, "invalid_credentials");
        let mut two = app.anon();
        two.sign_in("ann.two@example.org", "correct horse").await.expect(200);
        assert_eq!(Actor::claims(&two.id_token)["roles"], json!(["editor"]));

        let dropped = import(&app, "auth0", &rows[..5].join("\n"), &["--drop-hashes"]).await.expect(0).json();
        assert_eq!((&dropped["imported"], &dropped["present"]), (&json!(2), &json!(3)));
        assert_eq!(dropped["leftOut"], json!({ "password hash": 2 }));
        let text = import(&app, "auth0", "", &[]).await.expect(0);
        assert_eq!(text.json()["rows"], 0);
    }

    async fn an_export_that_is_cut_off_says_where_and_goes_on_from_there(app: App) {
        let user = |name: &str| json!({ "localId": name, "email": format!("{name}@example.org"), "passwordHash": FIREBASE_HASH, "salt": FIREBASE_SALT });
        let whole = json!({ "users": [user("ann"), user("ann.two"), user("ann.three")] }).to_string();
        let cut = &whole[..whole.find("ann.two@").unwrap()];
        let said = import(&app, "firebase", cut, &[]).await.expect(1);
        assert_eq!(said.json()["imported"], 1);
        let place = format!("cut off in account 2, at byte {}", cut.len());
        assert!(said.err.contains(&place) && said.err.contains("--from-line 2"), "{said:?}");
        let said = import(&app, "firebase", &whole, &["--from-line", "2"]).await.expect(0).json();
        assert_eq!((&said["imported"], &said["rows"]), (&json!(2), &json!(2)));

        let lines = format!("{}\n{}", json!({ "email": "ann.four@example.org" }), json!({ "email": "ann.five@example.org" }));
        let said = import(&app, "revolve", &lines[..lines.len() - 5], &[]).await.expect(1);
        assert!(said.err.contains("cut off in line 2") && said.err.contains("--from-line 2"), "{said:?}");
        let table = "email,name\nann.six@example.org,Ann\nann.seven@exa";
        let said = import(&app, "csv", table, &[]).await.expect(1);
        assert!(said.err.contains("cut off in line 3"), "{said:?}");
        assert_eq!(said.json()["imported"], 1);
        let said = import(&app, "csv", "email,nickname\nann.eight@example.org,Ann\n", &[]).await.expect(1);
        assert!(said.err.contains("the column `nickname` is not known"), "{said:?}");
        let said = import(&app, "keycloak", "{\"users\": 5}", &[]).await.expect(1);
        assert!(said.err.contains("no JSON document with accounts"), "{said:?}");
    }
}

#[test]
fn the_parameters_of_firebase_go_with_firebase() {
    with_config(Store::Embedded, "", async |app: App| {
        let said = app
            .revolve(&[
                "user",
                "import",
                "-",
                "--format",
                "auth0",
                "--hash-config",
                "x",
            ])
            .await
            .expect(1);
        assert!(said.err.contains("--format firebase"), "{said:?}");
        let said = app
            .revolve(&[
                "user",
                "import",
                "-",
                "--format",
                "firebase",
                "--hash-config",
                "none",
            ])
            .await
            .expect(1);
        assert!(
            said.err.contains("--hash-config: none can't be read"),
            "{said:?}"
        );
        let said = app
            .revolve(&["user", "import", "-", "--format", "firebase"])
            .await
            .expect(2);
        assert!(said.err.contains("needs --hash-config"), "{said:?}");
    });
}

#[test]
fn a_file_of_another_system_than_was_said_is_told() {
    with_config(Store::Embedded, "", async |app: App| {
        let auth0 = r#"{"user_id":"auth0|1","email":"ann@example.org"}"#;
        let auth0 = format!("{auth0}\n{auth0}\n");
        let django = "id,password,email\n1,!,ann@example.org\n";
        for (format, text, expected) in [
            (
                "revolve",
                auth0.as_str(),
                "2 rows were refused: if another system wrote the file, name it with --format",
            ),
            (
                "firebase",
                &auth0,
                "export: it is no JSON document with accounts",
            ),
            ("csv", django, "export: the column `id` is not known"),
        ] {
            let said = import(&app, format, text, &[]).await.expect(1);
            assert!(said.err.contains(expected), "{format}: {said:?}");
        }
    });
}
