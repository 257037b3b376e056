//! Claims that the issuer's key has signed and that must still not pass.

use super::AttackTable;
use serde_json::{Value, json};

pub(super) fn add(table: &mut AttackTable<'_>) {
    let target = table.target;
    for name in [
        "iss",
        "sub",
        "aud",
        "iat",
        "exp",
        "sid",
        "epoch",
        "auth_time",
        "user",
    ] {
        let mut missing = target.claims.clone();
        missing.as_object_mut().unwrap().remove(name);
        table.add_payload(format!("no {name}"), missing.to_string());
        for value in [
            json!(null),
            json!(true),
            json!([]),
            json!({}),
            json!("x"),
            json!(["x"]),
        ] {
            change(table, name, value);
        }
    }
    let (iss, aud) = (text(&target.claims["iss"]), text(&target.claims["aud"]));
    for other in [
        "",
        "x",
        &format!("{iss}/"),
        &format!("{iss}."),
        &format!("{iss} "),
        &iss.to_uppercase(),
        &iss[..iss.len() - 1],
        &format!("{iss}:443"),
        &format!("{iss}@example.net"),
    ] {
        change(table, "iss", json!(other));
    }
    for other in [
        json!(""),
        json!(format!("{aud} ")),
        json!(aud.to_uppercase()),
        json!(aud[..aud.len() - 1]),
        json!(["others"]),
        json!([[aud]]),
        json!([aud, 1]),
        json!({ "aud": aud }),
        json!([null]),
    ] {
        change(table, "aud", other);
    }
    for other in [
        json!(null),
        json!(true),
        json!({}),
        json!("pwd"),
        json!([1]),
        json!([null]),
        json!([["pwd"]]),
    ] {
        change(table, "amr", other);
    }
    times(table);
    for other in [
        json!(1),
        json!(""),
        json!("0196a1b2-0000-7000-8000-0000000000ee"),
        json!("../x"),
        json!("' OR '1'='1"),
    ] {
        change(table, "sub", other.clone());
        let mut user = target.claims["user"].clone();
        user["uid"] = other;
        change(table, "user", user);
    }
    for other in [
        json!(1),
        json!(""),
        json!("not a uuid"),
        json!("0196a1b2-0000-7000-8000"),
    ] {
        change(table, "sid", other);
    }
    for other in [json!(-1), json!(0.5), json!("0"), json!(1e30)] {
        change(table, "epoch", other);
    }
    for (name, others) in [
        (
            "roles",
            json!([null, "admin", { "admin": true }, [1], ["admin", null], [["admin"]]]),
        ),
        ("app", json!([null, [], "x", 1])),
        ("email_verified", json!([null, "true", 1])),
        ("version", json!([null, "1", -1, 0.5, 1e30])),
    ] {
        for other in others.as_array().unwrap() {
            change(table, name, other.clone());
        }
    }
    for name in ["uid", "email"] {
        for value in [json!(null), json!(1), json!({})] {
            let mut user = target.claims["user"].clone();
            user[name] = value;
            change(table, "user", user);
        }
        let mut user = target.claims["user"].clone();
        user.as_object_mut().unwrap().remove(name);
        change(table, "user", user);
    }
    duplicates(table);
    other_tokens(table);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn change(table: &mut AttackTable<'_>, name: &str, value: Value) {
    let mut claims = table.target.claims.clone();
    let shown = format!("{name} {value}");
    claims[name] = value;
    table.add_payload(shown, claims.to_string());
}

fn times(table: &mut AttackTable<'_>) {
    let now = table.target.now;
    for exp in [
        json!(0),
        json!(1),
        json!(-1),
        json!(now - 6),
        json!(now - 60),
        json!(now - 86_400),
        json!(-9_999_999_999_i64),
    ] {
        change(table, "exp", exp);
    }
    for (what, name, value) in [
        ("iat in a minute", "iat", json!(now + 60)),
        ("iat tomorrow", "iat", json!(now + 86_400)),
        ("iat before 1970", "iat", json!(-1)),
        ("auth_time before 1970", "auth_time", json!(-1)),
    ] {
        let mut claims = table.target.claims.clone();
        claims[name] = value;
        table.add_payload(what, claims.to_string());
    }
    change(table, "iat", json!(u64::MAX));
    for nbf in [
        json!(now + 60),
        json!(now + 86_400),
        json!(null),
        json!("0"),
        json!(0.5),
        json!(-1),
        json!([0]),
        json!(true),
    ] {
        change(table, "nbf", nbf);
    }
    for name in ["exp", "iat", "auth_time"] {
        #[expect(clippy::cast_precision_loss, reason = "any fraction will do")]
        let fraction = json!(now as f64 + 60.5);
        for value in [
            json!((now + 60).to_string()),
            fraction,
            json!(1e30),
            json!([now + 60]),
            json!({ "exp": now + 60 }),
        ] {
            change(table, name, value);
        }
        // Numbers that the test's own JSON would not write.
        let old = format!("\"{name}\":{}", table.target.claims[name]);
        for number in [
            "18446744073709551616",
            "9999999999999999999999999",
            "1e999",
            "1E400",
            "+9999999999",
            "09999999999",
            "0x7fffffff",
            "NaN",
            "Infinity",
            "9999999999.",
        ] {
            let payload =
                table
                    .target
                    .claims
                    .to_string()
                    .replacen(&old, &format!("\"{name}\":{number}"), 1);
            table.add_payload(format!("{name} is {number}"), payload);
        }
    }
}

fn duplicates(table: &mut AttackTable<'_>) {
    let target = table.target;
    let good = target.claims.to_string();
    for name in [
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
    ] {
        let again = format!("\"{name}\":{}", target.claims[name]);
        table.add_payload(
            format!("{name} twice"),
            good.replacen('{', &format!("{{{again},"), 1),
        );
    }
    for (what, again) in [
        ("escaped", r#""\u0065xp":9999999999"#),
        ("other claim", r#""x":1,"x":2"#),
        ("empty name", r#""":1,"":2"#),
    ] {
        table.add_payload(
            format!("twice, {what}"),
            good.replacen('{', &format!("{{{again},"), 1),
        );
    }
    table.add_payload(
        "user.email twice",
        good.replacen("\"user\":{", "\"user\":{\"email\":\"root@example.org\",", 1),
    );
}

/// Tokens that are good for something else.
fn other_tokens(table: &mut AttackTable<'_>) {
    let target = table.target;
    table.add("refresh token", target.refresh.clone());
    let claims = &target.claims;
    let refresh = json!({
        "iss": claims["iss"], "uid": claims["sub"], "sid": claims["sid"], "gen": 1, "jti": claims["sid"], "iat": claims["iat"], "exp": claims["exp"],
    });
    let feed = json!({ "iss": claims["iss"], "iat": claims["iat"], "exp": claims["exp"], "window": 900, "sessions": [], "users": [] });
    for (what, other, typ) in [
        ("refresh token", &refresh, "refresh+jwt"),
        ("feed", &feed, "revocations+jwt"),
    ] {
        table.add_payload(format!("claims of a {what}"), other.to_string());
        table.add(
            format!("{what}, its own type"),
            target
                .key
                .token_of(target.key.header(typ).to_string(), other.to_string()),
        );
    }
    let parts: Vec<&str> = target.refresh.split('.').collect();
    let good = target.good();
    let id: Vec<&str> = good.split('.').collect();
    table.add("refresh token's header", [parts[0], id[1], id[2]].join("."));
    table.add(
        "refresh token's payload",
        [id[0], parts[1], id[2]].join("."),
    );
    table.add(
        "refresh token's signature",
        [id[0], id[1], parts[2]].join("."),
    );
}
