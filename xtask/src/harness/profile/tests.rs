use super::*;

const OAUTH2: &str = include_str!("../../../profiles/oauth2.toml");

fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        retry_after: None,
        body: body.to_owned(),
    }
}

#[test]
fn our_own_api_is_described() {
    let profile = ServerProfile::load(None).unwrap();
    let vars = Vars {
        refresh: Some("r"),
        ..Vars::default()
    };
    let request = profile
        .request(&profile.refresh, "http://127.0.0.1:1/", &vars)
        .unwrap();
    assert_eq!(
        request.url.as_str(),
        "http://127.0.0.1:1/api/account/tokens"
    );
    assert_eq!(request.body, r#"{"refreshToken":"r"}"#);
    // There is no header without a credential.
    assert_eq!(
        request.headers,
        [("Content-Type".to_owned(), "application/json".to_owned())]
    );
    let vars = Vars {
        credential: Some("c"),
        ..vars
    };
    let request = profile
        .request(&profile.refresh, "http://127.0.0.1:1", &vars)
        .unwrap();
    assert!(
        request
            .headers
            .contains(&("Revolve-Device".to_owned(), "c".to_owned()))
    );

    let body = r#"{"tokens":{"idToken":"i","refreshToken":"r2"},"session":{"id":"s"}}"#;
    let grant = Grant {
        refresh: "r2".to_owned(),
        access: Some("i".to_owned()),
        credential: None,
    };
    assert_eq!(
        profile.read(&profile.refresh, &response(200, body), Some("r")),
        Answer::Granted(grant)
    );
    assert_eq!(
        profile.read(
            &profile.refresh,
            &response(401, r#"{"code":"token_reused"}"#),
            None
        ),
        Answer::Refused("token_reused".to_owned())
    );
    assert_eq!(
        profile.read(&profile.refresh, &response(503, ""), None),
        Answer::Unavailable
    );
    assert!(matches!(
        profile.read(&profile.refresh, &response(500, ""), None),
        Answer::Odd(_)
    ));
    assert!(
        profile.says(Reason::Reused, "token_reused")
            && !profile.says(Reason::Reused, "token_stale")
    );
}

#[test]
fn an_oauth_2_token_endpoint_is_described() {
    let profile = ServerProfile::parse(OAUTH2).unwrap();
    let vars = Vars {
        refresh: Some("a b&c"),
        ..Vars::default()
    };
    let request = profile
        .request(&profile.refresh, "http://127.0.0.1:1", &vars)
        .unwrap();
    assert!(
        request.body.contains("grant_type=refresh_token")
            && request.body.contains("refresh_token=a+b%26c"),
        "{}",
        request.body
    );
    assert!(!request.body.contains('{'), "{}", request.body);
    // Without a new refresh token the old one stays.
    let Answer::Granted(grant) = profile.read(
        &profile.refresh,
        &response(200, r#"{"access_token":"x"}"#),
        Some("old"),
    ) else {
        panic!()
    };
    assert_eq!(grant.refresh, "old");
    assert_eq!(
        profile.read(
            &profile.refresh,
            &response(400, r#"{"error":"invalid_grant"}"#),
            None
        ),
        Answer::Refused("invalid_grant".to_owned())
    );
    // It has one code for all refusals.
    assert!(profile.says(Reason::Reused, "invalid_grant") && !profile.has_credentials());
    assert!(profile.scope(Scope::This).is_some() && profile.scope(Scope::Everywhere).is_none());
}

#[test]
fn variables_without_a_value_are_known_by_name() {
    let profile = ServerProfile::parse(OAUTH2).unwrap();
    assert_eq!(profile.unset, ["OAUTH2_CLIENT_SECRET", "OAUTH2_PASSWORD"]);
    assert!(ServerProfile::load(None).unwrap().unset.is_empty());
}

#[test]
fn a_client_authenticates_by_http_basic_in_the_encoding_of_oauth_2() {
    let text = OAUTH2.replace("env:OAUTH2_CLIENT_SECRET", "a b:c").replace(
        "[refresh]\n",
        "[refresh]\nbasic = { user = \"{client_id}\", password = \"{client_secret}\" }\n",
    );
    let profile = ServerProfile::parse(&text).unwrap();
    let request = profile
        .request(&profile.refresh, "https://ann.example", &Vars::default())
        .unwrap();
    let expected = format!("Basic {}", STANDARD.encode("torture:a+b%3Ac"));
    assert!(
        request
            .headers
            .contains(&("Authorization".to_owned(), expected)),
        "{:?}",
        request.headers
    );
}

#[test]
fn a_check_judges_by_a_json_member_as_well() {
    let profile = ServerProfile::parse(OAUTH2).unwrap();
    let check = profile.check.as_ref().unwrap();
    let read = |body: &str| profile.read(check, &response(200, body), None);
    assert_eq!(read(r#"{"active":true}"#), Answer::Done);
    let refused = Answer::Refused("/active is not true".to_owned());
    assert_eq!(read(r#"{"active":false}"#), refused);
    assert_eq!(read(""), refused);
}

#[test]
fn mistakes_in_a_profile_are_named() {
    for (from, to, words) in [
        ("[refused]\n", "[refused]\nretries = 3\n", "retries"),
        ("{refresh}", "{refesh", "{refesh"),
        ("{refresh}", "{refesh}", "{refesh} is not known"),
        ("\"/access_token\"", "\"access_token\"", "JSON pointer"),
        ("late_retries = 0", "", "late_retries"),
        ("\"/active\"", "\"active\"", "ok_if"),
    ] {
        assert!(OAUTH2.contains(from), "{from}");
        let error = ServerProfile::parse(&OAUTH2.replace(from, to)).unwrap_err();
        assert!(format!("{error:#}").contains(words), "{error:#}");
    }
}

#[test]
fn our_own_service_is_an_oauth_2_server() {
    let profile = ServerProfile::of_own_oauth2(Some("rvk_key")).unwrap();
    assert!(profile.unset.is_empty() && profile.accounts.is_empty());
    assert!(!profile.has_credentials() && profile.scope(Scope::This).is_some());
    let vars = Vars {
        refresh: Some("r"),
        access: Some("i"),
        user: Some("ann@example.org"),
        ..Vars::default()
    };
    let request = |operation: &ServerOperation| {
        profile
            .request(operation, "http://127.0.0.1:1", &vars)
            .unwrap()
    };
    let paths = [
        Some(&profile.refresh),
        profile.check.as_ref(),
        profile.sign_out.as_ref(),
        profile.sign_up.as_ref(),
    ];
    let paths = paths.map(|operation| request(operation.unwrap()).url.path().to_owned());
    let expected = [
        "/oauth/token",
        "/oauth/introspect",
        "/oauth/revoke",
        "/api/account/signup",
    ];
    assert_eq!(paths, expected);
    let check = request(profile.check.as_ref().unwrap());
    let basic = format!("Basic {}", STANDARD.encode("torture:rvk_key"));
    assert!(
        check.headers.contains(&("Authorization".to_owned(), basic)),
        "{:?}",
        check.headers
    );
    let signed_up = r#"{"tokens":{"idToken":"i","refreshToken":"r"},"device":{"credential":"c"}}"#;
    let refreshed = r#"{"access_token":"i","refresh_token":"r"}"#;
    let refresh = |operation: &ServerOperation, status, body: &str| {
        let Answer::Granted(grant) = profile.read(operation, &response(status, body), None) else {
            panic!("no tokens are found in {body}")
        };
        grant.refresh
    };
    assert_eq!(
        refresh(profile.sign_up.as_ref().unwrap(), 201, signed_up),
        "r"
    );
    assert_eq!(refresh(&profile.refresh, 200, refreshed), "r");
}
