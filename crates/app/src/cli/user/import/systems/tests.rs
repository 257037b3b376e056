//! One account of each system, as it exports it.

use super::*;
use serde_json::json;
use time::macros::datetime;

fn reader(format: Format) -> Reader {
    Reader {
        format,
        project: Some(FirebaseParameters {
            log_n: 14,
            r: 8,
            p: 1,
            salt_separator: vec![7],
            signer_key: vec![1; 64],
        }),
        now: datetime!(2030-01-01 0:00 UTC),
    }
}

fn read(format: Format, account: Value) -> Account {
    let read = reader(format).read(Content::Value(account));
    read.unwrap().expect("an account")
}

fn refused(format: Format, account: Value) -> &'static str {
    match reader(format).read(Content::Value(account)) {
        Err(refusal) => refusal.code,
        Ok(_) => panic!("expected a refusal"),
    }
}

/// What most accounts have.
#[track_caller]
fn assert_ann(account: &Account, id: &str) {
    assert_eq!(account.email.as_deref(), Some("ann@example.org"));
    assert_eq!(account.name.as_deref(), Some("Ann B"));
    assert!(account.email_verified && !account.disabled);
    let found = match account.id.as_ref().unwrap() {
        ForeignId::Uuid(id) | ForeignId::Named(id) => id,
    };
    assert_eq!(found, id);
    let Some(Instant::At(created)) = account.created_at else {
        panic!("a time")
    };
    assert_eq!(created, datetime!(2020-01-02 03:04:05 UTC));
}

fn hash(account: &Account) -> Result<&str, &'static str> {
    match account.hash.as_ref() {
        Some(Ok(hash)) => Ok(hash.expose()),
        Some(Err(refusal)) => Err(refusal.code),
        None => Err("none"),
    }
}

fn app(account: &Account) -> Value {
    account.app.clone().map_or(Value::Null, Value::Object)
}

const UUID: &str = "6f9619ff-8b86-4011-b42d-00c04fc964ff";

#[test]
fn auth0() {
    let account = read(
        Format::Auth0,
        json!({
            "user_id": "auth0|60425dc43519d90068f82973", "email": "ann@example.org", "email_verified": true,
            "name": "ann@example.org", "given_name": "Ann", "family_name": "B", "nickname": "ann",
            "picture": "https://example.org/ann.png", "created_at": "2020-01-02T03:04:05.000Z",
            "app_metadata": { "roles": ["admin"], "plan": "pro" }, "user_metadata": { "theme": "light" },
            "identities": [{ "provider": "auth0" }, { "provider": "google-oauth2", "isSocial": true }],
            "mfa_factors": [{ "totp": { "secret": "JBTWY3DPEHPK3PNP" } }], "passwordHash": "$2b$10$hash",
        }),
    );
    assert_ann(&account, "auth0:auth0|60425dc43519d90068f82973");
    assert_eq!(hash(&account), Ok("$2b$10$hash"));
    assert_eq!(
        account.image_url.as_deref(),
        Some("https://example.org/ann.png")
    );
    assert_eq!(
        (&account.roles[..], app(&account)),
        (&["admin".to_owned()][..], json!({ "plan": "pro" }))
    );
    let left_out = [
        "user metadata",
        "second factor",
        "sign-in by another provider",
    ];
    assert_eq!(account.left_out, left_out);

    // The file of the hashes, which names the same account.
    let hashes = read(
        Format::Auth0,
        json!({
            "_id": { "$oid": "60425dc43519d90068f82973" }, "email_verified": false, "email": "ann@example.org",
            "passwordHash": "$2b$10$hash", "password_set_date": { "$date": "2021-03-05T16:34:49.502Z" },
            "tenant": "example", "connection": "Username-Password-Authentication", "_tmp_is_unique": true,
        }),
    );
    assert!(
        matches!(&hashes.id, Some(ForeignId::Named(id)) if id == "auth0:auth0|60425dc43519d90068f82973")
    );
    assert_eq!(
        (hash(&hashes), hashes.left_out.len()),
        (Ok("$2b$10$hash"), 0)
    );

    let custom = |value: Value| {
        read(
            Format::Auth0,
            json!({ "email": "ann@example.org", "custom_password_hash": value }),
        )
    };
    let md5 = custom(
        json!({ "algorithm": "md5", "hash": { "value": "098f6bcd4621d373cade4e832627b4f6", "encoding": "hex" } }),
    );
    assert_eq!(
        hash(&md5),
        Ok("$digest$a=md5,e=utf8,s=prefix$$CY9rzUYh03PK3k6DJie09g")
    );
    let unknown = custom(json!({ "algorithm": "whirlpool", "hash": { "value": "00" } }));
    assert_eq!(hash(&unknown), Err("hash_unsupported"));
    assert!(
        read(
            Format::Auth0,
            json!({ "email": "ann@example.org", "blocked": true })
        )
        .disabled
    );
}

#[test]
fn firebase() {
    let account = json!({
        "localId": "kZ2f0", "email": "ann@example.org", "emailVerified": true, "passwordHash": "AQID", "salt": "BAUG",
        "displayName": "Ann B", "photoUrl": "https://example.org/ann.png", "createdAt": "1577934245000", "disabled": false,
        "customAttributes": "{\"roles\":[\"admin\"],\"plan\":\"pro\"}", "phoneNumber": "+15551112233",
        "providerUserInfo": [{ "providerId": "google.com" }],
    });
    let account = read(Format::Firebase, account);
    assert_ann(&account, "firebase:kZ2f0");
    let text = hash(&account).unwrap();
    assert!(
        text.starts_with("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw,sk=AQEB")
            && text.ends_with("$BAUG$AQID")
    );
    assert_eq!(
        (&account.roles[..], app(&account)),
        (&["admin".to_owned()][..], json!({ "plan": "pro" }))
    );
    assert_eq!(
        account.left_out,
        ["phone number", "sign-in by another provider"]
    );

    let without =
        json!({ "email": "ann@example.org", "google.com": "123", "customAttributes": "plain" });
    let without = read(Format::Firebase, without);
    assert_eq!(hash(&without), Err("none"));
    assert_eq!(
        without.left_out,
        ["custom claims", "sign-in by another provider"]
    );
    let mut unconfigured = reader(Format::Firebase);
    unconfigured.project = None;
    let account = Content::Value(json!({ "email": "ann@example.org", "passwordHash": "AQID" }));
    let account = unconfigured.read(account).unwrap().unwrap();
    assert_eq!(hash(&account), Err("hash_config_missing"));
}

#[test]
fn supabase() {
    let json = json!({
        "id": UUID, "email": "ann@example.org", "encrypted_password": "$2a$10$hash", "email_confirmed_at": "2020-01-03T00:00:00Z",
        "raw_app_meta_data": { "provider": "email", "providers": ["email", "google"], "roles": ["admin"], "plan": "pro" },
        "raw_user_meta_data": { "full_name": "Ann B", "avatar_url": "https://example.org/ann.png", "email": "ann@example.org", "theme": "dark" },
        "created_at": "2020-01-02T03:04:05+00:00", "phone": "", "banned_until": null, "deleted_at": null,
    });
    let account = read(Format::Supabase, json.clone());
    assert_ann(&account, UUID);
    assert_eq!(hash(&account), Ok("$2a$10$hash"));
    assert_eq!(
        (&account.roles[..], app(&account)),
        (&["admin".to_owned()][..], json!({ "plan": "pro" }))
    );
    assert_eq!(
        account.left_out,
        ["user metadata", "sign-in by another provider"]
    );

    // A table has texts.
    let row = json!({
        "id": UUID, "email": "ann@example.org", "encrypted_password": "$2a$10$hash", "email_confirmed_at": "2020-01-03 00:00:00+00",
        "raw_app_meta_data": "{\"provider\": \"email\", \"providers\": [\"email\"]}", "raw_user_meta_data": "{\"name\": \"Ann B\"}",
        "created_at": "2020-01-02 03:04:05+00", "is_sso_user": "f",
    });
    let account = read(Format::Supabase, row);
    assert_ann(&account, UUID);
    assert!(account.app.is_none() && account.left_out.is_empty());

    for (until, is_disabled) in [
        ("2029-12-31 00:00:00+00", false),
        ("2030-01-02 00:00:00+00", true),
        ("infinity", true),
    ] {
        let account = read(
            Format::Supabase,
            json!({ "email": "ann@example.org", "banned_until": until }),
        );
        assert_eq!(account.disabled, is_disabled, "{until}");
    }
    let deleted = json!({ "email": "ann@example.org", "deleted_at": "2020-01-03T00:00:00Z" });
    assert_eq!(refused(Format::Supabase, deleted), "deleted");
}

#[test]
fn keycloak() {
    let credential = |data: &str| {
        let secret = "{\"value\":\"BAUG\",\"salt\":\"AQID\",\"additionalParameters\":{}}";
        json!({ "type": "password", "secretData": secret, "credentialData": data })
    };
    let user = |credentials: Value| {
        json!({
            "id": UUID, "username": "ann", "email": "ann@example.org", "emailVerified": true, "enabled": true, "createdTimestamp": 1_577_934_245_000_u64,
            "firstName": "Ann", "lastName": "B", "attributes": { "locale": ["de"], "dob": ["1980-04-05"] }, "credentials": credentials,
            "realmRoles": ["admin", "offline_access", "default-roles-example", "uma_authorization"],
            "clientRoles": { "account": ["view-profile"], "shop": ["buyer"] }, "groups": [], "requiredActions": [],
        })
    };
    let pbkdf2 = credential(
        "{\"hashIterations\":27500,\"algorithm\":\"pbkdf2-sha256\",\"additionalParameters\":{}}",
    );
    let account = read(Format::Keycloak, user(json!([{ "type": "otp" }, pbkdf2])));
    assert_ann(&account, UUID);
    assert_eq!(hash(&account), Ok("$pbkdf2-sha256$i=27500$AQID$BAUG"));
    assert_eq!(account.roles, ["admin", "shop:buyer"]);
    assert_eq!(account.locale.as_deref(), Some("de"));
    assert_eq!(
        account.left_out,
        ["user name", "second factor", "attributes"]
    );
    let argon2 = "{\"hashIterations\":5,\"algorithm\":\"argon2\",\"additionalParameters\":{\"hashLength\":[\"32\"],\"memory\":[\"7168\"],\
                  \"type\":[\"id\"],\"version\":[\"1.3\"],\"parallelism\":[\"1\"]}}";
    for (data, expected) in [
        (argon2, Ok("$argon2id$v=19$m=7168,t=5,p=1$AQID$BAUG")),
        (
            "{\"hashIterations\":20000,\"algorithm\":\"pbkdf2\"}",
            Ok("$pbkdf2-sha1$i=20000$AQID$BAUG"),
        ),
        (
            "{\"hashIterations\":20000,\"algorithm\":\"pbkdf2-sha512\"}",
            Ok("$pbkdf2-sha512$i=20000$AQID$BAUG"),
        ),
        (
            "{\"hashIterations\":20000,\"algorithm\":\"bcrypt\"}",
            Err("hash_unsupported"),
        ),
        (
            "{\"hashIterations\":-1,\"algorithm\":\"pbkdf2\"}",
            Err("hash_unsupported"),
        ),
        ("plain", Err("hash_unsupported")),
    ] {
        let account = read(Format::Keycloak, user(json!([credential(data)])));
        assert_eq!(hash(&account), expected, "{data}");
    }
    let disabled = read(
        Format::Keycloak,
        json!({ "email": "ann@example.org", "enabled": false }),
    );
    assert!(disabled.disabled && disabled.hash.is_none());
    let client = json!({ "username": "service-account-shop", "serviceAccountClientId": "shop" });
    assert_eq!(refused(Format::Keycloak, client), "service_account");
}

#[test]
fn django() {
    let fields = json!({
        "password": "pbkdf2_sha256$1000$seasalt$hash", "last_login": null, "is_superuser": true, "username": "ann", "first_name": "Ann",
        "last_name": "B", "email": "ann@example.org", "is_staff": true, "is_active": true, "date_joined": "2020-01-02T03:04:05Z",
        "groups": [["editors"], 4], "user_permissions": [],
    });
    let mut account = read(
        Format::Django,
        json!({ "model": "auth.user", "pk": 7, "fields": fields }),
    );
    assert!(!account.email_verified, "Django does not say");
    account.email_verified = true;
    assert_ann(&account, "django:7");
    assert_eq!(hash(&account), Ok("pbkdf2_sha256$1000$seasalt$hash"));
    assert_eq!(account.roles, ["staff", "superuser", "editors"]);
    assert_eq!(account.left_out, ["groups", "user name"]);

    let row = json!({
        "id": "7", "password": "!9fB1", "is_superuser": "f", "username": "ann@example.org", "first_name": "Ann", "last_name": "B",
        "email": "ann@example.org", "is_staff": "f", "is_active": "f", "date_joined": "2020-01-02 03:04:05+00",
    });
    let account = read(Format::Django, row);
    assert!(account.disabled && account.roles.is_empty() && account.left_out.is_empty());
    assert_eq!(hash(&account), Err("none"), "the password can't be used");
    let other = json!({ "model": "auth.group", "pk": 4, "fields": { "name": "editors" } });
    assert!(
        reader(Format::Django)
            .read(Content::Value(other))
            .unwrap()
            .is_none()
    );
}

#[test]
fn kratos() {
    let identity = json!({
        "id": UUID, "schema_id": "default", "state": "active", "traits": { "email": "ann@example.org", "name": { "first": "Ann", "last": "B" } },
        "credentials": {
            "password": { "type": "password", "config": { "hashed_password": "$scrypt$ln=16384,r=8,p=1$AQID$BAUGBw==" } },
            "totp": { "type": "totp", "config": { "totp_url": "otpauth://" } },
        },
        "verifiable_addresses": [{ "value": "ann@example.org", "verified": true, "via": "email" }],
        "metadata_public": { "roles": ["admin"], "plan": "pro" }, "metadata_admin": { "note": "x" }, "created_at": "2020-01-02T03:04:05Z",
    });
    let account = read(Format::Kratos, identity);
    assert_ann(&account, UUID);
    assert_eq!(hash(&account), Ok("$scrypt$ln=14,r=8,p=1$AQID$BAUGBw"));
    assert_eq!(
        (&account.roles[..], app(&account)),
        (&["admin".to_owned()][..], json!({ "plan": "pro" }))
    );
    assert_eq!(account.left_out, ["admin metadata", "second factor"]);

    let row = json!({ "email": "ann@example.org", "passwordHash": "$scrypt$ln=4096,r=8,p=1$AQID$BAUGBw==" });
    assert_eq!(
        hash(&read(Format::Kratos, row)),
        Ok("$scrypt$ln=12,r=8,p=1$AQID$BAUGBw")
    );
    assert_eq!(
        refused(
            Format::Kratos,
            json!({ "email": "ann@example.org", "trait": {} })
        ),
        "unknown_member"
    );
}

#[test]
fn what_is_no_object_is_refused() {
    for format in [
        Format::Auth0,
        Format::Supabase,
        Format::Keycloak,
        Format::Kratos,
        Format::Csv,
    ] {
        assert_eq!(refused(format, json!([1])), "malformed");
        let line = reader(format).read(Content::Line(b"plain".to_vec()));
        assert_eq!(line.err().map(|refusal| refusal.code), Some("malformed"));
        let long = reader(format).read(Content::TooLong);
        assert_eq!(long.err().map(|refusal| refusal.code), Some("too_long"));
    }
}
