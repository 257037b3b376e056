use super::*;
use std::time::Duration;

const HASH: &str = "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";

fn rows() -> Rows {
    let bounds = HashBounds::at_import(64 << 20, Duration::from_secs(5));
    Rows::new(bounds, None, Timestamp::from_seconds(1_900_000_000))
}

fn refused(row: &str) -> (&'static str, String) {
    let refusal = rows().parse(1, row.as_bytes()).unwrap_err();
    (refusal.code, refusal.reason)
}

#[test]
fn a_full_row_is_read_whole_and_a_short_one_has_defaults() {
    let full = format!(
        r#"{{"email":" Ann@Example.ORG","passwordHash":"{HASH}","uid":"6f9619ff-8b86-4011-b42d-00c04fc964ff","name":"Ann",
        "website":"https://example.org","imageUrl":"https://example.org/a.png","createdAt":"2020-01-02T03:04:05.678+01:00","disabled":true}}"#
    );
    let row = rows().parse(1, full.as_bytes()).unwrap();
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
    let row = rows().parse(1, short.as_bytes()).unwrap();
    assert!(
        row.id.is_none()
            && row.created_at.is_none()
            && !row.disabled
            && row.details == Details::default()
    );
}

#[test]
fn what_is_wrong_is_said_by_member_and_never_by_value() {
    let with =
        |member: &str| format!(r#"{{"email":"ann@example.org","passwordHash":"{HASH}",{member}}}"#);
    let hash = |hash: &str| format!(r#"{{"email":"ann@example.org","passwordHash":"{hash}"}}"#);
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
            "uid: the nil",
        ),
        (
            with("\"uid\":\"ffffffffffffffffffffffffffffffff\""),
            "invalid_uid",
            "uid: the nil",
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
            r#"{"email":"ann@example.org"}"#.to_owned(),
            "missing",
            "passwordHash: is missing",
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
        rows().parse(1, b"{\"email\":\"\xff\"}").unwrap_err().reason,
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
        rows.parse(line, row.as_bytes())
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
