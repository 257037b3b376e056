use super::*;
use crate::cli::user::import::{format::Format, input::Content};
use serde_json::json;
use std::time::Duration;
use time::macros::datetime;

const HASH: &str = "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";

fn rules(format: Format) -> Rules {
    Rules {
        reader: Reader {
            format,
            project: None,
            now: datetime!(2030-03-17 17:46:40 UTC),
        },
        bounds: HashBounds::at_import(64 << 20, Duration::from_secs(5)),
        drops_hashes: false,
        asks_verifier: false,
        unit: "line",
    }
}

fn rows() -> Rows {
    Rows::new(rules(Format::Revolve))
}

fn record(number: u64, content: Content) -> Record {
    Record {
        number,
        content,
        bytes: 0,
    }
}

fn line(number: u64, text: &[u8]) -> Record {
    record(number, Content::Line(text.to_vec()))
}

fn parse(row: &str) -> Row {
    let row = rows().parse(line(1, row.as_bytes()));
    row.unwrap().expect("an account")
}

fn refusal(row: &[u8]) -> RowRefusal {
    match rows().parse(line(1, row)) {
        Err(refusal) => refusal,
        Ok(_) => panic!("expected a refusal"),
    }
}

fn refused(row: &str) -> (&'static str, String) {
    let refusal = refusal(row.as_bytes());
    (refusal.code, refusal.reason)
}

#[test]
fn a_full_row_is_read_whole_and_a_short_one_has_defaults() {
    let full = format!(
        r#"{{"email":" Ann@Example.ORG","passwordHash":"{HASH}","uid":"6f9619ff-8b86-4011-b42d-00c04fc964ff","name":"Ann",
        "website":"https://example.org","imageUrl":"https://example.org/a.png","createdAt":"2020-01-02T03:04:05.678+01:00","disabled":true,
        "emailVerified":true,"roles":["editor","billing:read","editor"],"app":{{"plan":"pro"}}}}"#
    );
    let row = parse(&full).request;
    assert_eq!(
        (row.email.as_str(), row.hash.expose(), row.disabled),
        ("Ann@Example.ORG", HASH, true)
    );
    assert_eq!(
        row.id.unwrap().to_string(),
        "6f9619ff-8b86-4011-b42d-00c04fc964ff"
    );
    assert_eq!(
        row.created_at,
        Some(Timestamp::from_millis(1_577_930_645_678))
    );
    assert_eq!(row.details.name.unwrap().as_str(), "Ann");
    let roles: Vec<_> = row.roles.iter().map(Role::as_str).collect();
    assert_eq!(roles, ["billing:read", "editor"]);
    assert_eq!(
        (row.email_verified, row.app.to_json().as_str()),
        (true, r#"{"plan":"pro"}"#)
    );
    assert_eq!(
        (
            row.details.website.unwrap().as_str(),
            row.details.image_url.is_some()
        ),
        ("https://example.org/", true)
    );
    let short = format!(
        "\u{feff} {{\"email\":\"ann@example.org\",\"passwordHash\":\"{HASH}\",\"name\":\"\",\"website\":null}}\r"
    );
    let row = parse(&short).request;
    assert!(
        row.id.is_none()
            && row.created_at.is_none()
            && !row.disabled
            && !row.email_verified
            && row.roles.is_empty()
            && row.app.is_empty()
            && row.details == Details::default()
    );
}

#[test]
fn what_is_wrong_is_said_by_member_and_never_by_value() {
    let with =
        |member: &str| format!(r#"{{"email":"ann@example.org","passwordHash":"{HASH}",{member}}}"#);
    let hash = |hash: &str| format!(r#"{{"email":"ann@example.org","passwordHash":"{hash}"}}"#);
    let many: Vec<String> = (0..33).map(|number| format!("r{number}")).collect();
    for (row, code, words) in [
        ("canary".to_owned(), "malformed", "not a JSON object"),
        ("\"canary\"".to_owned(), "malformed", "not a JSON object"),
        ("[\"canary\"]".to_owned(), "malformed", "not a JSON object"),
        (
            r#"{"email":"canary""#.to_owned(),
            "malformed",
            "not a JSON object",
        ),
        (
            with("\"role\":\"canary\""),
            "unknown_member",
            "unknown member `role`",
        ),
        (
            with("\"email\":\"canary\""),
            "malformed",
            "duplicate member `email`",
        ),
        (
            with("\"disabled\":\"canary\""),
            "wrong_type",
            "disabled: must be true or false",
        ),
        (
            with("\"roles\":\"canary\""),
            "wrong_type",
            "roles: must be a list of texts",
        ),
        (
            with("\"roles\":[\"admin\",7]"),
            "wrong_type",
            "roles: must be a list of texts",
        ),
        (
            with("\"roles\":[\"Canary\"]"),
            "invalid_role",
            "roles: must be 1 to 64",
        ),
        (
            with(&format!("\"roles\":{many:?}")),
            "too_many",
            "roles: must be at most 32",
        ),
        (
            with("\"app\":[\"canary\"]"),
            "wrong_type",
            "app: must be a JSON object",
        ),
        (
            with(&format!("\"app\":{{\"canary\":\"{}\"}}", "x".repeat(4096))),
            "too_large",
            "app: must have at most 4096 bytes",
        ),
        (
            with(&format!(
                "\"app\":{{\"canary\":{}{}}}",
                "[".repeat(20),
                "]".repeat(20)
            )),
            "too_deep",
            "app: must be nested at most 16 deep",
        ),
        (
            with("\"name\":[\"canary\"]"),
            "wrong_type",
            "name: must be a text",
        ),
        (
            with("\"name\":\"canary\\u0007\""),
            "control_characters",
            "name: ",
        ),
        (
            with("\"website\":\"javascript:canary\""),
            "invalid_url",
            "website: ",
        ),
        (with("\"imageUrl\":\"canary\""), "invalid_url", "imageUrl: "),
        (
            with("\"imageUrl\":\"http://127.0.0.1/canary\""),
            "invalid_url",
            "imageUrl: must not name this machine",
        ),
        (
            with("\"imageUrl\":\"http://[fd00::1]/canary\""),
            "invalid_url",
            "imageUrl: must not name this machine",
        ),
        (with("\"uid\":\"canary\""), "invalid_uid", "uid: "),
        (
            with("\"uid\":\"00000000-0000-0000-0000-000000000000\""),
            "invalid_uid",
            "uid: must not be the nil",
        ),
        (
            with("\"uid\":\"ffffffffffffffffffffffffffffffff\""),
            "invalid_uid",
            "uid: must not be the nil",
        ),
        (
            with("\"createdAt\":\"canary\""),
            "invalid_time",
            "createdAt: ",
        ),
        (
            with("\"createdAt\":\"2040-01-01T00:00:00Z\""),
            "invalid_time",
            "future",
        ),
        (
            format!(r#"{{"passwordHash":"{HASH}"}}"#),
            "missing",
            "email: is missing",
        ),
        (
            format!(r#"{{"email":"canary","passwordHash":"{HASH}"}}"#),
            "invalid_email",
            "email: ",
        ),
        (hash("canary"), "hash_unsupported", "passwordHash: "),
        (hash("$2b$05$canary"), "hash_unsupported", "bcrypt"),
        (
            hash("1f7e3f8177f2ebba25fc61bc2851630b.0001020304050607"),
            "hash_unmarked",
            "--format",
        ),
        (
            hash("1f7e3f8177f2ebba25fc61bc2851630b.some-other-text"),
            "hash_unmarked",
            "--format",
        ),
        (
            hash(&HASH.replace("$05$", "$25$")),
            "hash_too_expensive",
            "(bcrypt with cost 25) takes about ",
        ),
        (
            hash("$scrypt$ln=20,r=8,p=1$c2FsdHNhbHQ$9Qs5LmSpRWONGR2EZKl+Wg"),
            "hash_too_expensive",
            "more than the whole budget",
        ),
    ] {
        let (found, reason) = refused(&row);
        assert_eq!(found, code, "{row}: {reason}");
        assert!(
            reason.contains(words) && !reason.contains("canary") && !reason.contains("abcdef"),
            "{row}: {reason}"
        );
    }
    assert_eq!(
        refusal(b"{\"email\":\"\xff\"}").reason,
        "the line is not UTF-8"
    );
    let (_, reason) = refused(&with(&format!("\"{}\\u001b[2J\":1", "x".repeat(20))));
    assert!(
        !reason.contains('\u{1b}') && reason.len() < 200,
        "{reason:?}"
    );
    for (wide, many) in [("x", 5000), ("𠮷", 140)] {
        let (_, reason) = refused(&with(&format!("\"{}\":1", wide.repeat(many))));
        assert!(reason.chars().count() < 200, "{reason:?}");
    }
}

#[test]
fn an_address_or_an_id_comes_once_and_bad_rows_do_not_count() {
    let mut rows = rows();
    let mut parse = |line, row: String| {
        rows.parse(self::line(line, row.as_bytes()))
            .map(drop)
            .map_err(|refusal| (refusal.code, refusal.reason))
    };
    let row = |email: &str, hash: &str, uid: &str| {
        format!(r#"{{"email":"{email}","passwordHash":"{hash}","uid":"{uid}"}}"#)
    };
    let (one, two) = (
        "6f9619ff-8b86-4011-b42d-00c04fc964f1",
        "6f9619ff-8b86-4011-b42d-00c04fc964f2",
    );
    assert_eq!(
        parse(1, row("ann@example.org", "bad", one)).unwrap_err().0,
        "hash_unsupported"
    );
    assert_eq!(parse(2, row("ann@example.org", HASH, one)), Ok(()));
    let (code, reason) = parse(3, row("ANN@example.org", HASH, two)).unwrap_err();
    assert_eq!(
        (code, reason.as_str()),
        ("duplicate_email", "email: is the same as on line 2")
    );
    assert_eq!(
        parse(4, row("bob@example.org", HASH, one)).unwrap_err().0,
        "duplicate_uid"
    );
    assert_eq!(
        parse(5, row("bob@example.org", HASH, two)),
        Ok(()),
        "a row that was refused keeps no address"
    );
}

#[test]
fn an_account_without_a_hash_has_no_password_or_one_that_the_verifier_knows() {
    let bare = r#"{"email":"ann@example.org"}"#;
    let kind = |row: &str| parse(row).request.hash.kind();
    assert_eq!(kind(bare), HashKind::NoPassword);
    let asking = r#"{"email":"ann@example.org","verifier":true,"passwordHash":null}"#;
    assert_eq!(kind(asking), HashKind::Legacy);
    assert_eq!(
        kind(&format!(
            r#"{{"email":"ann@example.org","passwordHash":"{HASH}"}}"#
        )),
        HashKind::Hash
    );

    let mut all = Rows::new(Rules {
        asks_verifier: true,
        drops_hashes: true,
        ..rules(Format::Revolve)
    });
    for (number, row) in [
        bare,
        r#"{"email":"bob@example.org","passwordHash":"plain"}"#,
        r#"{"email":"eve@example.org","passwordHash":"$none$"}"#,
    ]
    .iter()
    .enumerate()
    {
        let row = all
            .parse(line(number as u64, row.as_bytes()))
            .unwrap()
            .unwrap();
        assert_eq!(row.request.hash.kind(), HashKind::Legacy);
        let dropped = if number == 0 {
            &[][..]
        } else {
            &["password hash"]
        };
        assert_eq!(row.left_out, dropped);
    }
}

#[test]
fn a_table_has_the_same_members_as_texts() {
    let row = |row: Value| {
        let row = Rows::new(rules(Format::Csv)).parse(record(2, Content::Value(row)));
        row.map(|row| row.expect("an account").request)
    };
    let full = row(json!({
        "email": "ann@example.org", "passwordHash": HASH, "emailVerified": "True", "disabled": "f",
        "roles": "editor, billing:read", "app": "{\"plan\":\"pro\"}", "createdAt": "2020-01-02T03:04:05Z",
    }));
    let full = full.unwrap();
    let roles: Vec<_> = full.roles.iter().map(Role::as_str).collect();
    assert_eq!(roles, ["billing:read", "editor"]);
    assert_eq!(full.app.to_json(), r#"{"plan":"pro"}"#);
    assert!(full.email_verified && !full.disabled && full.created_at.is_some());
    for (member, value, code) in [
        ("disabled", "maybe", "wrong_type"),
        ("app", "plan=pro", "wrong_type"),
        ("roles", "Admin", "invalid_role"),
        ("createdAt", "yesterday", "invalid_time"),
    ] {
        let refused = row(json!({ "email": "ann@example.org", member: value })).err();
        assert_eq!(refused.map(|refusal| refusal.code), Some(code), "{member}");
    }
    let uneven = Rows::new(rules(Format::Csv)).parse(record(2, Content::Uneven));
    assert_eq!(uneven.err().map(|refusal| refusal.code), Some("malformed"));
}
