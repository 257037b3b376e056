//! Hashes that were made elsewhere: by the reference implementation of argon2 (argon2-cffi 25.1), by bcrypt 4.0.1 from PyPI and libxcrypt's
//! `crypt(3)`, and by OpenSSL's scrypt through Python's `hashlib`.

use super::{CHEAP, flow, hasher, make, password, relaxed, stored};
use revolve_adapters::argon2::{
    BareFormat, HashBounds, HashCost, PoolConfig, UnusableHash, adopt, marked,
};
use revolve_domain::{
    model::Password,
    ports::{PasswordCheck, PasswordHasher, StoreErrorKind},
};
use secrecy::SecretString;
use std::{error::Error, time::Duration};

pub(super) const BUDGET: u64 = 64 << 20;

pub(super) fn bounds() -> HashBounds {
    HashBounds::at_import(BUDGET, relaxed().patience)
}

/// The hash matches its password and no other, and is to be made again.
pub(super) async fn assert_matches(text: &str, hash: &str) {
    let (hasher, hash) = (make().await, stored(hash));
    assert!(
        !matches!(adopt(hash.clone(), None, bounds()), Err(why) if why != UnusableHash::Unmarked),
        "{}",
        hash.expose()
    );
    let check = async |text: &str| {
        hasher
            .check(&flow("ann"), &password(text), Some(&hash))
            .await
            .unwrap()
    };
    assert_eq!(
        check(text).await,
        PasswordCheck::Match { outdated: true },
        "{}",
        hash.expose()
    );
    for other in [format!("x{text}"), text.to_uppercase() + "x"] {
        assert_eq!(
            check(&other).await,
            PasswordCheck::Mismatch,
            "{}",
            hash.expose()
        );
    }
}

#[tokio::test]
async fn argon2_of_every_kind_and_version() {
    // `echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32 -e`, from the argon2 reference's own test vectors.
    assert_matches(
        "password",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    )
    .await;
    for (parameters, output) in [
        (
            "argon2i$v=16$m=64,t=2,p=1",
            "5UIo77LDgbv5O+UdBR1fnnduzjsy4skDtBlCu+8VAzk",
        ),
        (
            "argon2i$v=16$m=256,t=3,p=4",
            "M059qgeoU6RxPw3d5kjlYRWBP5P0oFr5",
        ),
        (
            "argon2i$v=19$m=64,t=2,p=1",
            "+ZM6qIHKWUY4ZEkMSTQpzAefvkLMgPC7fLokalwJpuI",
        ),
        (
            "argon2i$v=19$m=256,t=3,p=4",
            "H2GGh2x+APViX23FShjNNPJsgRr9N5z3",
        ),
        (
            "argon2d$v=16$m=64,t=2,p=1",
            "jc4WWTL8gxyhI1LRnnu3fxN380d481e3hH1uCNBLufk",
        ),
        (
            "argon2d$v=16$m=256,t=3,p=4",
            "o2iI5f/LaxlSMby2sDAU9TYuxm2+9X4Q",
        ),
        (
            "argon2d$v=19$m=64,t=2,p=1",
            "8lhcvhjSIY6fPoLaURksQi2UXOTKBgu3qS4cG5SkmjA",
        ),
        (
            "argon2d$v=19$m=256,t=3,p=4",
            "Aw3nNmm0FiudTSwBYrMotnhGYidcSsZR",
        ),
        (
            "argon2id$v=16$m=64,t=2,p=1",
            "MR+nMXBuOmf+jVmbaxLUxEfDX+l0gK8Zultoq498Rbg",
        ),
        (
            "argon2id$v=16$m=256,t=3,p=4",
            "kumUHRigJcd1VQyhqqJQ5W307QKG6Jrt",
        ),
        (
            "argon2id$v=19$m=64,t=2,p=1",
            "dPtrHTEawLtMiR9+/XloAkXZ+EtyrY+bvmHIbiufhk0",
        ),
        (
            "argon2id$v=19$m=256,t=3,p=4",
            "9yJpeg5+o6xhuooFIRUqsUMYU7esOq7a",
        ),
        // The first version did not name itself.
        (
            "argon2i$m=64,t=2,p=1",
            "5UIo77LDgbv5O+UdBR1fnnduzjsy4skDtBlCu+8VAzk",
        ),
    ] {
        assert_matches(
            "correct horse",
            &format!("${parameters}$MDEyMzQ1Njc4OWFiY2RlZg${output}"),
        )
        .await;
    }
}

#[tokio::test]
async fn bcrypt_under_each_of_its_names() {
    for name in ["2a", "2b", "2y"] {
        for (text, output) in [
            ("correct horse", "HNbAKRhpaujgo33bRWs.NLUTJO3lOy2"),
            ("pässwörd 🦀", "YBT0GNVNlnpzi8s89BrxG7/pW4pwb3u"),
            ("", "0oImNDIy4flhldV9YqunRgBAePKmw7m"),
            (&"x".repeat(71), "fmnYtZf4/LVIEdk8v40tikf/KPsqQ4m"),
            // A NUL within is a byte like any other: this is not the hash of "abc".
            ("abc\0def", "H5Lh/.ef2dMG.7a9dPdG5vkmH0/KBh."),
            ("abc", "RWUgMyyCUnsDr8evYotXg5ZXVF/HhzS"),
        ] {
            assert_matches(text, &format!("${name}$05$abcdefghijklmnopqrstuu{output}")).await;
        }
    }
    // The bits of a salt's last character that mean nothing.
    assert_matches(
        "correct horse",
        "$2b$05$abcdefghijklmnopqrstuvHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
    )
    .await;
}

#[tokio::test]
async fn bcrypt_takes_72_bytes_and_no_more() {
    let hasher = make().await;
    let hash = stored("$2b$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q");
    for length in [72, 73, 80, 256] {
        let check = hasher
            .check(&flow("ann"), &password(&"x".repeat(length)), Some(&hash))
            .await
            .unwrap();
        assert_eq!(
            check,
            PasswordCheck::Match { outdated: true },
            "{length} bytes"
        );
    }
    assert_eq!(
        hasher
            .check(&flow("ann"), &password(&"x".repeat(71)), Some(&hash))
            .await
            .unwrap(),
        PasswordCheck::Mismatch
    );
}

#[tokio::test]
async fn scrypt_as_a_phc_string_and_as_a_hex_pair() {
    let crab = "pässwörd 🦀";
    for (text, hash) in [
        (
            "correct horse",
            "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M",
        ),
        (
            crab,
            "$scrypt$ln=11,r=4,p=3$+vv8/f7/AAAAAAAAAAAAAA\
             $MwuRJVUNGmEJQXoul/uYi2BAnJhfrTX97q4yGuAZRs8KkCzLapbdR2hKu/Ky7QwP0WSHBoAl+uh35UPNjAyhcA",
        ),
        (
            "",
            "$scrypt$ln=4,r=1,p=1$c2FsdHNhbHQ$9Qs5LmSpRWONGR2EZKl+Wg",
        ),
        (
            "correct horse",
            "1f7e3f8177f2ebba25fc61bc2851630b64978195d094bf365e6b5cea7fd2505e.\
             000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        ),
        (
            crab,
            "5B66219E1AEC6121889F015E5982D75B5F1E38E1429B7D8A8661C1A8AD2572D5F3002A7FCCBB7CCFE60603AAD03523094FA9EE2B3FEA127B36CAE22C56DC5C4C.\
             c8c9cacbcccdcecf",
        ),
    ] {
        assert_matches(text, hash).await;
    }
}

#[tokio::test]
async fn salts_and_hashes_are_as_long_as_their_algorithms_allow() {
    // By argon2-cffi 25.1 and by OpenSSL, of salts and hashes beyond the 48 and 64 bytes of the PHC string format.
    let salt = "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzcw";
    for hash in [
        format!(
            "$argon2id$v=19$m=64,t=2,p=1${salt}$pPm0fTlh+QZ7ZlOY2aNmMjQmh2oFfNNG8h14fX8Ac1u4caNmmrzVu7gh/u/HbgkzwNojVsfpGIiIWYbk63+EZn3HLt5A476T\
             OLdXVH5JWZwlOCU+6lpiBKyzEQDBXsqzASMwL7emaYtjBpfelElZeK58X7ofYl9CzACJF++VJ6A"
        ),
        "$argon2id$v=19$m=64,t=2,p=1$MTIzNDU2Nzg$41/hUQ".to_owned(),
        format!(
            "$scrypt$ln=10,r=8,p=1${salt}$GP4jTiTx0FKygX3QI7A7ZRStKz7SANi8Q2RzZUye6itNOo7jA7ecmwmHu6/NOaD3v926kaeX8vGAsrcTX3SDbR3TL37A8+WYhjVE\
             AETSIjvcQdX/fwpSytcpFHD8zFtWaZO4a6XYYah6Tgsa6GEHAFcj4IB6KRgSb4Kmx/VDm/U"
        ),
    ] {
        assert_matches("correct horse", &hash).await;
    }
}

#[tokio::test]
async fn a_bare_form_is_read_as_it_is_named_and_kept_in_one_that_says_so() {
    // Node's `scrypt(password, salt, 64)` with the salt's text, which is hex as well: both forms look alike.
    let node = "3e19ebeabf15ad17c24de695284e79441c0d80c6d98b95a3c052c58a0d57b09f83b0742a5805af28a0b5bbcf673af62819b91eb830a104fb0bb42def767f52aa.\
                00112233445566778899aabbccddeeff";
    let go = "1f7e3f8177f2ebba25fc61bc2851630b64978195d094bf365e6b5cea7fd2505e.\
              000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let (hasher, password) = (make().await, password("correct horse"));
    for (text, format, matches) in [
        (node, BareFormat::ScryptTextSalt, true),
        (node, BareFormat::ScryptHexSalt, false),
        (go, BareFormat::ScryptHexSalt, true),
        (go, BareFormat::ScryptTextSalt, false),
    ] {
        let adopted = adopt(stored(text), Some(format), bounds()).unwrap();
        assert!(adopted.expose().starts_with("$scrypt$ln=1"), "{text}");
        let check = hasher
            .check(&flow("ann"), &password, Some(&adopted))
            .await
            .unwrap();
        assert_eq!(
            check != PasswordCheck::Mismatch,
            matches,
            "{format:?} {text}"
        );
        assert_eq!(
            adopt(stored(text), None, bounds()).err(),
            Some(UnusableHash::Unmarked),
            "it is not guessed"
        );
    }
    // A named bare form changes nothing for a hash that says what it is.
    let phc =
        "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M";
    let kept = adopt(stored(phc), Some(BareFormat::ScryptTextSalt), bounds()).unwrap();
    assert_eq!(kept.expose(), phc);
    assert_eq!(
        adopt(stored("plain"), Some(BareFormat::ScryptTextSalt), bounds()).err(),
        Some(UnusableHash::UnknownForm)
    );
    // What an earlier release stored bare leaves as what it was read as.
    let exported = marked(&stored(go));
    assert!(
        exported.expose().starts_with("$scrypt$ln=15,r=8,p=1$"),
        "{}",
        exported.expose()
    );
    assert_ne!(
        hasher
            .check(&flow("ann"), &password, Some(&exported))
            .await
            .unwrap(),
        PasswordCheck::Mismatch
    );
}

#[tokio::test]
async fn what_is_no_hash_is_a_broken_store_that_tells_nothing_and_does_not_stop_the_pool() {
    let hasher = make().await;
    let pair = "1f7e3f8177f2ebba25fc61bc2851630b.0001020304050607";
    assert_eq!(
        adopt(stored(pair), None, bounds()).err(),
        Some(UnusableHash::Unmarked)
    );
    for (broken, why) in [
        ("", UnusableHash::UnknownForm),
        ("plain", UnusableHash::UnknownForm),
        (
            "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
            UnusableHash::UnknownForm,
        ),
        (
            "{CRYPT}$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
            UnusableHash::UnknownForm,
        ),
        // What stands in the place of a hash where there is none.
        ("$none$", UnusableHash::UnknownForm),
        ("$legacy$", UnusableHash::UnknownForm),
        (&pair[1..], UnusableHash::UnknownForm),
        (
            "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ",
            UnusableHash::Malformed("argon2"),
        ),
        (
            "$argon2id$v=20$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            UnusableHash::Malformed("argon2"),
        ),
        (
            "$argon2id$v=19$m=4,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            UnusableHash::Malformed("argon2"),
        ),
        (
            "$2b$12$abcdefghijklmnopqrstuu",
            UnusableHash::Malformed("bcrypt"),
        ),
        (
            "$2x$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
            UnusableHash::Malformed("bcrypt"),
        ),
        (
            "$2b$03$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
            UnusableHash::Malformed("bcrypt"),
        ),
        (
            "$2b$+5$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
            UnusableHash::Malformed("bcrypt"),
        ),
        (
            "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOé",
            UnusableHash::Malformed("bcrypt"),
        ),
        (
            "$scrypt$ln=0,r=1,p=1$c2FsdHNhbHQ$9Qs5LmSpRWONGR2EZKl+Wg",
            UnusableHash::Malformed("scrypt"),
        ),
        (
            "$scrypt$ln=70,r=1,p=1$c2FsdHNhbHQ$9Qs5LmSpRWONGR2EZKl+Wg",
            UnusableHash::Malformed("scrypt"),
        ),
        (
            "$argon2id$v=19$m=64,t=1,p=1$c2hvcnQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            UnusableHash::Malformed("argon2"),
        ),
        (
            "$argon2id$v=19$m=64,m=64,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            UnusableHash::Malformed("argon2"),
        ),
        (
            "$scrypt$ln=4,r=1,p=1$c2FsdHNhbHQ$",
            UnusableHash::Malformed("scrypt"),
        ),
        (
            "$scrypt$ln=4,r=1$c2FsdHNhbHQ$9Qs5LmSpRWONGR2EZKl+Wg",
            UnusableHash::Malformed("scrypt"),
        ),
    ] {
        assert_eq!(
            adopt(stored(broken), None, bounds()).err(),
            Some(why),
            "{broken}"
        );
        let error = hasher
            .check(&flow("ann"), &password("x"), Some(&stored(broken)))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Broken, "{broken}");
        let said = format!("{error} {}", error.source().unwrap());
        assert!(broken.is_empty() || !said.contains(broken), "{said}");
    }
    hasher.hash(&flow("ann"), &password("x")).await.unwrap();
}

#[tokio::test]
async fn what_would_take_too_much_is_refused_before_anything_is_allocated() {
    let hasher = hasher(
        CHEAP,
        PoolConfig {
            budget: BUDGET,
            ..relaxed()
        },
    );
    for hash in [
        // 4 TiB, and more than the budget by one block.
        "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65540,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$scrypt$ln=40,r=8,p=1$c2FsdHNhbHQ$9Qs5LmSpRWONGR2EZKl+Wg",
        // Little memory, but time without end.
        "$argon2id$v=19$m=65536,t=4294967295,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$2b$31$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
        "$scrypt$ln=4,r=8,p=100000000$c2FsdHNhbHQ$9Qs5LmSpRWONGR2EZKl+Wg",
    ] {
        let error = hasher
            .check(&flow("ann"), &password("x"), Some(&stored(hash)))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Broken, "{hash}");
        let said = error.source().unwrap().to_string();
        assert!(
            said.contains("more than") && !said.contains('$'),
            "the message says what is wrong, without the hash: {said}"
        );
        assert_eq!(hasher.stats().peak, 0, "nothing was allocated");
    }
}

#[tokio::test]
async fn what_would_use_up_the_patience_of_others_is_refused_at_import_and_at_sign_in() {
    let patience = Duration::from_secs(2);
    let endless = stored(
        "$argon2d$v=19$m=32768,t=300000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    );
    let why = adopt(
        endless.clone(),
        None,
        HashBounds::at_import(BUDGET, patience),
    )
    .err()
    .unwrap();
    let said = why.to_string();
    assert!(
        matches!(why, UnusableHash::TooSlow { bound, .. } if bound == patience / 4)
            && said.contains("m=32768,t=300000")
            && said.contains("0.50 s")
            && said.contains("hashing.patience"),
        "{said}"
    );
    let hasher = hasher(
        CHEAP,
        PoolConfig {
            patience,
            ..relaxed()
        },
    );
    let refused = hasher
        .check(&flow("ann"), &password("x"), Some(&endless))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Broken);
    assert_eq!(hasher.stats().peak, 0, "no thread began it");
}

#[tokio::test]
async fn a_foreign_hash_is_outdated_also_when_its_cost_is_todays() {
    let cost = HashCost {
        memory_kib: 64,
        passes: 2,
        lanes: 1,
    };
    let hasher = hasher(cost, relaxed());
    let password = Password::present(&SecretString::from("correct horse")).unwrap();
    for (parameters, output, outdated) in [
        (
            "argon2i$v=19",
            "+ZM6qIHKWUY4ZEkMSTQpzAefvkLMgPC7fLokalwJpuI",
            true,
        ),
        (
            "argon2id$v=16",
            "MR+nMXBuOmf+jVmbaxLUxEfDX+l0gK8Zultoq498Rbg",
            true,
        ),
        (
            "argon2id$v=19",
            "dPtrHTEawLtMiR9+/XloAkXZ+EtyrY+bvmHIbiufhk0",
            false,
        ),
    ] {
        let hash = stored(&format!(
            "${parameters}$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg${output}"
        ));
        assert_eq!(
            hasher
                .check(&flow("ann"), &password, Some(&hash))
                .await
                .unwrap(),
            PasswordCheck::Match { outdated },
            "{parameters}"
        );
    }
}
