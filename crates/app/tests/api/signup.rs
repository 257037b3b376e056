//! `POST /api/account/signup`

use crate::support::{Actor, App, PASSWORD, field_errors, on_both_stores, path};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

on_both_stores! {
    async fn makes_an_account_with_a_session(app: App) {
        let mut ann = app.anon();
        let answer = ann.sign_up("Ann@Example.org").await.expect(201);
        insta::assert_json_snapshot!(answer.json(), {
            ".tokens.idToken" => "[jwt]", ".tokens.refreshToken" => "[jwt]", ".**.id" => "[uuid]", ".device.credential" => "[credential]",
            ".tokens.idTokenExpiresAt" => "[time]", ".tokens.refreshTokenExpiresAt" => "[time]",
            ".session.createdAt" => "[time]", ".session.endsAt" => "[time]",
        }, @r#"
        {
          "device": {
            "credential": "[credential]",
            "id": "[uuid]"
          },
          "session": {
            "createdAt": "[time]",
            "endsAt": "[time]",
            "evicted": [],
            "id": "[uuid]"
          },
          "tokens": {
            "idToken": "[jwt]",
            "idTokenExpiresAt": "[time]",
            "refreshToken": "[jwt]",
            "refreshTokenExpiresAt": "[time]"
          }
        }
        "#);
        assert_eq!(answer.header("cache-control"), "no-store");

        let id = Actor::claims(&ann.id_token);
        let (iat, uid) = (id["iat"].as_i64().unwrap(), id["sub"].as_str().unwrap());
        assert_eq!(id["exp"], iat + 15 * 60);
        assert_eq!((&id["iss"], &id["aud"]), (&json!("http://localhost:8080"), &json!("revolve")));
        assert_eq!((&id["sid"], &id["epoch"], &id["auth_time"]), (&json!(ann.session), &json!(0), &json!(iat)));
        assert_eq!(id["amr"], json!(["pwd"]));
        assert_eq!(id["user"], json!({ "uid": uid, "email": "Ann@Example.org" }));
        let refresh = Actor::claims(&ann.refresh_token);
        assert_eq!(refresh["exp"], iat + 3 * 24 * 3600);
        assert_eq!((&refresh["uid"], &refresh["sid"], &refresh["gen"], &refresh["iat"]), (&json!(uid), &json!(ann.session), &json!(1), &json!(iat)));
        assert_eq!(refresh.get("did"), None, "nothing is bound before the client shows its credential");
        for token in [&ann.id_token, &ann.refresh_token] {
            assert!(!Actor::claims(token).to_string().contains(PASSWORD));
        }
        ann.get("/me").await.expect(200);
        ann.refresh().await.expect(200);
    }

    async fn sets_a_cookie_that_scripts_cannot_read_and_tells_browsers_no_credential(app: App) {
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        let anon = app.anon();
        let request = anon.request(Method::POST, &path("/signup")).header("Sec-Fetch-Site", "same-origin").json(&body);
        let answer = anon.send(request).await.expect(201);
        assert_eq!(answer.json()["device"].get("credential"), None);
        let cookie = answer.header("set-cookie");
        for attribute in ["revolve-device-", "HttpOnly", "SameSite=Strict", "Max-Age=31536000", "Path=/"] {
            assert!(cookie.contains(attribute), "{attribute} in {cookie}");
        }
        assert!(!cookie.contains("Secure"), "the issuer is not https");
    }

    async fn marks_the_cookie_secure_behind_https(app: App, "tokens.issuer = 'https://accounts.example.org'") {
        let answer = app.anon().sign_up("ann@example.org").await.expect(201);
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("__Host-revolve-device-") && cookie.contains("Secure"), "{cookie}");
    }

    async fn one_mailbox_is_one_account_however_it_is_typed(app: App) {
        for (typed, spellings) in [
            ("Ann@bücher.example", ["ann@xn--bcher-kva.example", "ANN@BÜCHER.example", "\"ann\"@bücher.example"]),
            ("γς@example.org", ["ΓΣ@example.org", "γσ@ｅｘａｍｐｌｅ.org", "Γσ@EXAMPLE.org"]),
        ] {
            let mut first = app.anon();
            first.sign_up(typed).await.expect(201);
            assert_eq!(first.get("/me").await.expect(200).json()["user"]["email"], typed, "it is kept as it was typed");
            for spelling in spellings {
                app.anon().sign_up(spelling).await.expect_problem(409, "email_taken");
                let mut again = app.anon();
                again.sign_in(spelling, PASSWORD).await.expect(200);
                assert_eq!(again.get("/me").await.expect(200).json()["user"]["email"], typed);
            }
        }
        let bob = app.sign_up("bob").await;
        let taken = json!({ "email": "ann@xn--bcher-kva.example", "currentPassword": PASSWORD });
        let answer = bob.put("/details", taken).await;
        if app.backing.server.is_some() {
            answer.expect_problem(409, "email_taken");
        } else {
            // Mails go to files there, and nobody is told whose an address is.
            answer.expect(202);
        }
        let own = json!({ "email": "Bob@Example.org", "currentPassword": PASSWORD });
        assert_eq!(bob.put("/details", own).await.expect(200).json()["user"]["email"], "Bob@Example.org");
        assert_eq!(bob.get("/me").await.expect(200).json()["user"]["email"], "Bob@Example.org");
    }

    async fn refuses_a_taken_address_in_any_case(app: App) {
        app.sign_up("ann").await;
        app.anon().sign_up("ANN@example.ORG").await.expect_problem(409, "email_taken");
    }

    async fn of_a_hundred_at_once_one_wins(app: App, "limits.enabled = false") {
        let attempts = join_all((0..100).map(|_| async {
            loop {
                let status = app.anon().sign_up("ann@example.org").await.status;
                // On a busy machine passwords are judged more slowly than they come.
                if status != 503 {
                    break status;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }));
        let bound = std::time::Duration::from_mins(1);
        let mut statuses = tokio::time::timeout(bound, attempts).await.expect("each is answered within a minute");
        statuses.sort_unstable();
        assert_eq!((statuses[0], statuses.iter().filter(|&&status| status == 409).count()), (201, 99), "{statuses:?}");
        app.sign_in("ann").await.get("/me").await.expect(200);
    }

    async fn names_every_wrong_field_at_once(app: App) {
        let anon = app.anon();
        let answer = anon.post("/signup", json!({ "email": "ann", "password": "short", "deviceName": "a\u{7}", "admin": true })).await;
        let answer = answer.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&answer), ["email: invalid_email", "password: too_short", "deviceName: control_characters", "admin: unknown_field"]);
        assert!(!answer.text.contains("\"short\""), "a password is never echoed");

        let answer = anon.post("/signup", json!({ "email": 7 })).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&answer), ["email: wrong_type", "password: missing"]);
        for (password, error) in [("é".repeat(257), "password: too_long"), ("1234567".to_owned(), "password: too_short")] {
            let answer = anon.post("/signup", json!({ "email": "ann@example.org", "password": password })).await.expect(422);
            assert_eq!(field_errors(&answer), [error]);
        }
        let longest: String = (0..256).filter_map(|i| char::from_u32(0x4e00 + i * 37)).collect();
        anon.post("/signup", json!({ "email": "ann@example.org", "password": longest, "deviceName": null })).await.expect(201);
        app.anon().sign_in("ann@example.org", &longest).await.expect(200);
        let shorter: String = longest.chars().take(255).collect();
        app.anon().sign_in("ann@example.org", &shorter).await.expect_problem(401, "invalid_credentials");
    }

    async fn refuses_passwords_that_would_be_guessed(app: App, "tokens.issuer = 'https://accounts.example.org'\n") {
        let anon = app.anon();
        for (password, code) in [
            ("password", "too_common"),
            ("P@ssw0rd123", "too_common"),
            ("qwertyuiop", "too_common"),
            ("aaaaaaaaaaaaaaaaaaaa", "too_common"),
            ("Annsmith@example.com", "contains_own_details"),
            ("annsmith1", "contains_own_details"),
            ("Gertrudes Telefon", "contains_own_details"),
            ("revolve2024", "contains_own_details"),
            ("accounts.example.org", "contains_own_details"),
            ("correct\tbattery", "control_characters"),
        ] {
            let body = json!({ "email": "annsmith@example.com", "password": password, "deviceName": "Gertrudes Telefon" });
            let answer = anon.post("/signup", body).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), [format!("password: {code}")], "{password}");
            assert!(password == "password" || !answer.text.contains(password), "a password is never echoed");
        }
        anon.post("/signup", json!({ "email": "annsmith@example.com", "password": PASSWORD })).await.expect(201);
    }

    async fn refuses_characters_that_nobody_sees_in_any_text(app: App) {
        let ann = app.sign_up("ann").await;
        for hidden in ['\u{0}', '\u{1b}', '\u{7f}', '\u{9f}', '\u{2028}', '\u{202e}', '\u{2066}'] {
            let body = json!({ "email": format!("b{hidden}b@example.org"), "password": PASSWORD, "deviceName": format!("a{hidden}b") });
            let answer = app.anon().post("/signup", body).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), ["email: invalid_email", "deviceName: control_characters"], "{hidden:?}");
            let url = format!("https://example.org/{hidden}");
            let answer = ann.put("/details", json!({ "name": format!("a{hidden}b"), "website": url, "imageUrl": url })).await;
            let expected = ["name: control_characters", "website: control_characters", "imageUrl: control_characters"];
            assert_eq!(field_errors(&answer.expect_problem(422, "invalid_fields")), expected, "{hidden:?}");
            let answer = ann.sign_out(&format!("this{hidden}")).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), ["scope: invalid_choice"], "{hidden:?}");
            let answer = ann.post("/signup", json!({ (format!("x{hidden}y")): 1 })).await.expect_problem(422, "invalid_fields");
            assert!(field_errors(&answer).contains(&"xy: unknown_field".to_owned()), "{answer:?}");
            let sid = format!("/sessions/{}", url::form_urlencoded::byte_serialize(hidden.to_string().as_bytes()).collect::<String>());
            ann.delete(&sid).await.expect_problem(422, "invalid_fields");
        }
        for url in ["javascript:alert(1)", "https://ann:secret@example.org/", "ftp://example.org", "//example.org"] {
            let answer = ann.put("/details", json!({ "website": url, "imageUrl": url })).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), ["website: invalid_url", "imageUrl: invalid_url"], "{url}");
        }
        ann.get("/me").await.expect(200);
    }

    async fn refuses_names_in_which_nothing_can_be_seen(app: App) {
        let ann = app.sign_up("ann").await;
        for (name, code) in [
            ("\u{3164}", "too_short"),
            ("\u{2800}", "too_short"),
            ("\u{3164}\u{2800} \u{200b}", "too_short"),
            ("Ann\u{3164}", "control_characters"),
            ("\u{2800}Ann", "control_characters"),
        ] {
            let body = json!({ "email": "bob@example.org", "password": PASSWORD, "deviceName": name });
            let answer = app.anon().post("/signup", body).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), [format!("deviceName: {code}")], "{name:?}");
            let answer = ann.put("/details", json!({ "name": name })).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), [format!("name: {code}")], "{name:?}");
        }
        app.anon().sign_in("bob@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
    }

    /// Four bytes each in UTF-8, two units in UTF-16, two columns on a terminal.
    async fn names_are_counted_in_characters_however_wide_they_are(app: App) {
        let wide = |count| "𠮷".repeat(count);
        let mut ann = app.anon();
        let sign_up = |count| json!({ "email": "ann@example.org", "password": PASSWORD, "deviceName": wide(count) });
        for count in [101, 140] {
            let answer = ann.post("/signup", sign_up(count)).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), ["deviceName: too_long"]);
        }
        // What a client calls itself is cut.
        let request = ann.request(Method::POST, &path("/signup")).header("User-Agent", wide(140).as_bytes());
        let begun = ann.send(request.json(&sign_up(100))).await.expect(201).json();
        ann = ann.with_id_token(begun["tokens"]["idToken"].as_str().unwrap());
        let device = ann.get("/sessions").await.expect(200).json()["sessions"][0]["device"].clone();
        assert_eq!((&device["name"], &device["userAgent"]), (&json!(wide(100)), &json!(wide(100))));
        for count in [101, 140] {
            let answer = ann.put("/details", json!({ "name": wide(count) })).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), ["name: too_long"]);
            let answer = ann.put("/details", json!({ (wide(count)): 1 })).await.expect_problem(422, "invalid_fields");
            assert!(field_errors(&answer)[0].ends_with(": unknown_field"), "{answer:?}");
        }
        ann.put("/details", json!({ "name": wide(100) })).await.expect(200);
        assert_eq!(ann.get("/me").await.expect(200).json()["user"]["name"], json!(wide(100)));
    }
}
