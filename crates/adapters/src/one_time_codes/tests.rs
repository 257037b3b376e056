use super::*;

/// The secret of RFC 4226 appendix D and RFC 6238 appendix B.
const SECRET: &[u8] = b"12345678901234567890";

fn secret() -> SecretSlice<u8> {
    SECRET.to_vec().into()
}

fn typed(code: &str) -> OneTimeCode {
    OneTimeCode::parse(&code.into()).unwrap()
}

#[test]
fn the_table_of_rfc_4226_appendix_d() {
    let table = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    for (counter, expected) in (0..).zip(table) {
        let code = hotp::code(SECRET, counter);
        assert_eq!(code.expose_secret(), expected, "counter {counter}");
    }
}

/// Its codes have eight digits, of which ours are the last six.
#[test]
fn the_rows_for_sha_1_of_rfc_6238_appendix_b() {
    let table = [
        (59, 0x1, "94287082"),
        (1_111_111_109, 0x0235_23EC, "07081804"),
        (1_111_111_111, 0x0235_23ED, "14050471"),
        (1_234_567_890, 0x0273_EF07, "89005924"),
        (2_000_000_000, 0x03F9_40AA, "69279037"),
        (20_000_000_000, 0x27BC_86AA, "65353130"),
    ];
    for (seconds, step, code) in table {
        let step_of = Totp::new("Revolve").step(
            &secret(),
            &typed(&code[2..]),
            Timestamp::from_seconds(seconds),
        );
        assert_eq!(step_of, Some(TotpStep::new(step)), "{seconds} s");
    }
}

#[test]
fn a_code_counts_one_step_before_and_after_its_own() {
    let totp = Totp::new("Revolve");
    let code = typed(hotp::code(SECRET, 1000).expose_secret());
    for (seconds, counts) in [
        (29_969, false),
        (29_970, true),
        (30_000, true),
        (30_059, true),
        (30_060, false),
    ] {
        let step = totp.step(&secret(), &code, Timestamp::from_seconds(seconds));
        assert_eq!(step, counts.then(|| TotpStep::new(1000)), "{seconds} s");
    }
    for beyond in [i64::MIN, -1, i64::MAX] {
        totp.step(&secret(), &code, Timestamp::from_millis(beyond));
    }
}

/// No code counts twice: the earlier of the two would leave the later one to be used.
#[test]
fn of_two_neighbours_with_the_same_code_the_later_one_counts() {
    let twin = 910_737;
    let code = hotp::code(SECRET, twin);
    let code = code.expose_secret();
    assert_eq!(hotp::code(SECRET, twin + 1).expose_secret(), code);
    let at = Timestamp::from_seconds(910_737 * 30);
    let step = Totp::new("Revolve").step(&secret(), &typed(code), at);
    assert_eq!(step, Some(TotpStep::new(twin + 1)));
}

/// RFC 4648 §10, without its padding.
#[test]
fn base_32_is_that_of_rfc_4648() {
    for (bytes, text) in [
        ("", ""),
        ("f", "MY"),
        ("fo", "MZXQ"),
        ("foo", "MZXW6"),
        ("foob", "MZXW6YQ"),
        ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ] {
        assert_eq!(uri::base32(bytes.as_bytes()).expose_secret(), text);
    }
}

#[test]
fn an_app_is_set_up_by_a_uri_and_its_qr_code() {
    let totp = Totp::new("Example: Accounts & more");
    let made = totp.enrolment(&secret(), "ann@example.org").unwrap();
    assert_eq!(
        made.secret.expose_secret(),
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    );
    assert_eq!(
        made.uri.expose_secret(),
        "otpauth://totp/Example%20%20Accounts%20%26%20more:ann%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
         &issuer=Example%20%20Accounts%20%26%20more&algorithm=SHA1&digits=6&period=30"
    );
    let svg = made.qr_code.expose_secret();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
    assert_eq!(svg.matches("<svg").count(), 1);
    for absent in ["<script", "href", "style", "<?", "<!"] {
        assert!(!svg.contains(absent), "{absent}");
    }
}

#[test]
fn an_address_of_any_length_fits_the_code_or_is_a_fault() {
    let longest = format!("{}@example.org", "ä".repeat(121));
    let totp = Totp::new("Revolve");
    assert!(totp.enrolment(&secret(), &longest).is_ok());
    let beyond = totp.enrolment(&secret(), &"ä".repeat(1000));
    assert!(matches!(beyond, Err(FactorFault::NotMade(_))));
}
