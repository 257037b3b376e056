//! Hashes as other systems export them: by Django 5.2, passlib 1.7.4, Keycloak (its parameters, computed by Python's
//! hashlib and argon2-cffi), Auth0 (the examples of its documentation of bulk imports), Firebase (the README of its `scrypt` repository), Supabase (the
//! tests of GoTrue) and Kratos (the tests of its hashes).

use super::{
    CHEAP, flow,
    foreign::{BUDGET, assert_matches, bounds},
    hasher, password, relaxed, stored,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use revolve_adapters::argon2::{
    DigestName, FirebaseParameters, ForeignHash, HashBounds, PasswordEncoding, SaltUse,
    UnusableHash, adopt, from_kratos,
};
use revolve_domain::{
    model::PasswordHash,
    ports::{PasswordCheck, PasswordHasher},
};
use std::time::Duration;

const CRAB: &str = "pässwörd 🦀";

/// The hash is taken, in a form that is kept here, matches its password and no other, and is to be made again.
async fn assert_adopted(text: &str, hash: PasswordHash) {
    let given = hash.expose().to_owned();
    let kept = adopt(hash, None, bounds()).unwrap_or_else(|why| panic!("{given}: {why}"));
    assert!(kept.expose().starts_with('$'), "{given}");
    assert_matches(text, kept.expose()).await;
    let again = adopt(kept.clone(), None, bounds()).unwrap();
    assert_eq!(
        again.expose(),
        kept.expose(),
        "what is kept can be moved on"
    );
}

fn bytes(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

#[tokio::test]
async fn django() {
    for (text, hash) in [
        (
            "correct horse",
            "pbkdf2_sha256$1000$seasalt$mQnueSakb748zqBAC1tmWVZsZbi2zPGZarEzTGdfmso=",
        ),
        (
            CRAB,
            "pbkdf2_sha256$1000$seasalt$dbjc/J9Ooh90418U+K8M2UyZuQhGOMPRjLKnLU3YIYY=",
        ),
        (
            "correct horse",
            "pbkdf2_sha1$1000$seasalt$iQvkNOF1wEL4Khh8eogJ8rUhipM=",
        ),
        (
            "correct horse",
            "argon2$argon2id$v=19$m=64,t=2,p=2$c2Vhc2FsdHNlYXNhbHQ$HH/asRCdxgOWd6YBt2F25pR4p4jYjoNC8IvSSkpCL5s",
        ),
        (
            "correct horse",
            "bcrypt_sha256$$2b$04$oW8Op8SN2AVpC10ca5PgJeL9S8tCmI3Y.R5zgiuz7z21l6geZ8zV.",
        ),
        (
            CRAB,
            "bcrypt_sha256$$2b$04$iIx7rFgPgQjEx929gV0JaO6qnyIz/UyyAq0TL2Fpnew4NiaVgEvRm",
        ),
        (
            "correct horse",
            "bcrypt$$2b$04$/6DRVGBNUX9ML4nUIoOIB.9B0/369KaTfh/AzDu.uDhUcECElkZoi",
        ),
        (
            "correct horse",
            "scrypt$1024$seasalt$8$5$U5L/E4s8HSw/x7c2z5Ose/wRS4Ex+nZFwhoeVl7Y/Ivmfxi7M91P9jpq7MYsDfV9WCzv+HMsQaovdkOikEuBXg==",
        ),
        (
            "correct horse",
            "md5$seasalt$b614725f4cc025a51ab6a354d12890ab",
        ),
        (
            "correct horse",
            "sha1$seasalt$55eef163bf2e349b9946e3183eef620dde0247f5",
        ),
    ] {
        assert_adopted(text, stored(hash)).await;
    }
}

#[tokio::test]
async fn passlib() {
    for (text, hash) in [
        (
            "correct horse",
            "$pbkdf2$1000$AAECAwQFBgcICQoLDA0ODw$ndhWw3a4srcTtr4HQFTLiKRlVuA",
        ),
        (
            CRAB,
            "$pbkdf2$1000$....................$sJ59vumPrWiY/aJ9t.v0KPyQLAg",
        ),
        (
            "correct horse",
            "$pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw$yRTMTwbMbo9G0VfjobWqerzuuxe7BETNTErBbKKumGQ",
        ),
        (
            CRAB,
            "$pbkdf2-sha512$1000$....................$gPEbIqiyZfu2.Jrd3gJhf7hdkwQmevfUO.xZ7l8GCs0Vy/5FClsh73EhMb9WdFALH8R5Esz1ANIIQdPoyXr6MQ",
        ),
        ("correct horse", "{MD5}PLTnMmMfR+brlh80VUt83g=="),
        ("correct horse", "{SMD5}x8/YOsRnDtUUsxfTx1O+sXNlYXNhbHQh"),
        ("correct horse", "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="),
        ("correct horse", "{ssha}LhKrkM9Fy+zlstjdD7Kv2s6QvhBzYWx0"),
        (
            "correct horse",
            "{SSHA256}jh0ZATG8y/w6NgM9TrghuB3pasdxenTIh8R96D8IqhNzZWFzYWx0IQ==",
        ),
        (
            CRAB,
            "{SSHA512}gMTabnpCAIDi8EH8Zwx7lCZHU1ud0CZcDIKHZSJKmFFBQKNpbERRe78PdvuP3NX5jBxXfWdeGmhYDX25a91oaXNlYXNhbHQh",
        ),
    ] {
        assert_adopted(text, stored(hash)).await;
    }
    // The hash of Windows: MD4 of UTF-16.
    for (text, hash) in [
        ("correct horse", "cfc43211ba8dc470832267827cac1407"),
        (CRAB, "83fbf9d5c20c68999ca8d4de4bca97ce"),
    ] {
        let nt = ForeignHash::Digest {
            digest: DigestName::Md4,
            encoding: PasswordEncoding::Utf16Le,
            salt_use: SaltUse::Prefix,
        };
        let hash = u128::from_str_radix(hash, 16).unwrap().to_be_bytes();
        assert_adopted(text, nt.to_hash(&[], &hash).unwrap()).await;
    }
}

#[tokio::test]
async fn keycloak() {
    let pbkdf2 = |digest, iterations| ForeignHash::Pbkdf2 { digest, iterations };
    let argon2 = ForeignHash::Argon2 {
        kind: "argon2id",
        version: 19,
        memory_kib: 7168,
        passes: 5,
        lanes: 1,
    };
    for (text, made, salt, hash) in [
        (
            "correct horse",
            pbkdf2(DigestName::Sha256, 27_500),
            "AAECAwQFBgcICQoLDA0ODw==",
            "qnA427fe69fAjkevcHZvnm7vp3MewnxKL4g2WLfI7U6teQVH1eR2L5DfcV0psPIfjGPtlZbkpnogYX+2TaSl6w==",
        ),
        (
            "correct horse",
            pbkdf2(DigestName::Sha256, 27_500),
            "AAECAwQFBgcICQoLDA0ODw==",
            "qnA427fe69fAjkevcHZvnm7vp3MewnxKL4g2WLfI7U4=",
        ),
        (
            "correct horse",
            pbkdf2(DigestName::Sha512, 210_000),
            "AAECAwQFBgcICQoLDA0ODw==",
            "l4pqr0UVqxiWEnbGDBV//hzeVcB7ZgsFnr5Z+SZYIYjhXWCECCVC/oKM2WWMwBzQGCBfe2yb+20zK3Rr1rkPjg==",
        ),
        (
            "correct horse",
            argon2,
            "AAECAwQFBgcICQoLDA0ODw==",
            "I9aBicNnH49yuiIjQJC85giAQWszITIjdobXf3FdYMg=",
        ),
        // As its `pbkdf2` makes them, with SHA-1 and 64 bytes.
        (
            "correct horse",
            pbkdf2(DigestName::Sha1, 2000),
            "AAECAwQFBgcICQoLDA0ODw==",
            "G7NuF/kuxRUU+cJdGmhKNlVpCDPx8W9YSNVwrGj1rB+hfSrp5NAB8/cWy0FvFjIuwpnU8fUdusBidjpxa1NCVg==",
        ),
    ] {
        assert_adopted(text, made.to_hash(&bytes(salt), &bytes(hash)).unwrap()).await;
    }
}

#[tokio::test]
async fn auth0() {
    let digest = |digest, salt_use| ForeignHash::Digest {
        digest,
        encoding: PasswordEncoding::Utf8,
        salt_use,
    };
    let scrypt = ForeignHash::Scrypt {
        n: 4096,
        r: 8,
        p: 1,
    };
    for (text, made, salt, hash) in [
        (
            "shh",
            digest(DigestName::Md4, SaltUse::Prefix),
            "",
            "AbuUujgF0pPPkJPSFRTpmA==",
        ),
        (
            "shh",
            digest(DigestName::Sha256, SaltUse::Prefix),
            "abc123",
            "0k55T85QPD3bHNG6HdXZslDPmRczagMW/v2H/s95IA8=",
        ),
        (
            "test",
            digest(DigestName::Sha1, SaltUse::Key),
            "shh",
            "cg7f42jH39/2EaAU4wNd4s2lKIk=",
        ),
        (
            "password",
            scrypt,
            "abc123",
            "CX9hl+G0FTj3I+Mqp6aOjXYifY5DLOX6pIgqkTAy2yk=",
        ),
    ] {
        assert_adopted(text, made.to_hash(salt.as_bytes(), &bytes(hash)).unwrap()).await;
    }
    for hash in [
        "$2b$10$C9hB01.YxRSTcn/ZOOo4j.TW7xCKKFKBSF.C7E0xiUwumqIDqWUXG",
        "$argon2id$v=19$m=65536,t=2,p=1$J6Q/82PCyaNpYKRELJyTZg$m04qUAB8rexWDR4+/0f+SFB+4XMFxt7YAvAq2UycYos",
        "$pbkdf2-sha512$i=100000,l=64$KNyFsA2rWoE$I2CQGI9H0JxdDf3kERRI97kPCGxh0KWBIV3MxyaS191gDGfzVBGyS4BibhgqWQ0/ails8mHuU9ckASxHOOq58w",
        "{SSHA384}/cgEjdoZh85DhurDeOQEMO1rMlAur93SVPbYe5XSD4lF7nNuvrBju5hUeg9A6agRemgSXGl5YuE=",
    ] {
        assert_adopted("shh", stored(hash)).await;
    }
}

#[tokio::test]
async fn firebase_and_supabase() {
    let project = FirebaseParameters {
        log_n: 14,
        r: 8,
        p: 1,
        salt_separator: bytes("Bw=="),
        signer_key: bytes(
            "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
        ),
    };
    let hash = ForeignHash::Firebase(&project).to_hash(
        &bytes("42xEC+ixf3L2lw=="),
        &bytes(
            "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        ),
    );
    assert_adopted("user1password", hash.unwrap()).await;
    assert_adopted(
        "mytestpassword",
        stored(
            "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==\
             $C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw==",
        ),
    )
    .await;
}

#[tokio::test]
async fn kratos() {
    for (text, hash) in [
        (
            "test",
            "$scrypt$ln=16384,r=8,p=1$2npRo7P03Mt8keSoMbyD/tKFWyUzjiQf2svUaNDSrhA=$MiCzNcIplSMqSBrm4HckjYqYhaVPPjTARTzwB1cVNYE=",
        ),
        (
            "8x4WjoDbSxJZdR",
            "$firescrypt$ln=14,r=8,p=1$sPtDhWcd1MfdAw==$xbSou7FOl6mChCyzpCPIQ7tku7nsQMTFtyOZSXXd7tjBa4NtimOx7v42Gv2SfzPQu1oxM2/k4SsbOu73wlKe1A==\
             $Bw==$YE0dO4bwD4JnJafh6lZZfkp1MtKzuKAXQcDCJNJNyeCHairWHKENOkbh3dzwaCdizzOspwr/FITUVlnOAwPKyw==",
        ),
        (
            "test",
            "$argon2id$v=19$m=32,t=2,p=4$cm94YnRVOW5jZzFzcVE4bQ$MNzk5BtR2vUhrp6qQEjRNw",
        ),
        (
            "test",
            "$pbkdf2-sha256$i=100000,l=32$1jP+5Zxpxgtee/iPxGgOz0RfE9/KJuDElP1ley4VxXc$QJxzfvdbHYBpydCbHoFg3GJEqMFULwskiuqiJctoYpI",
        ),
        ("test123", "{SSHA}JFZFs0oHzxbMwkSJmYVeI8MnTDy/276a"),
        ("test", "$md5$CY9rzUYh03PK3k6DJie09g=="),
        (
            "test",
            "$md5$pf=e1NBTFR9e1BBU1NXT1JEfQ==$MTIz$q+RdKCgc+ipCAcm5ChQwlQ==",
        ),
        (
            "test",
            "$sha256$pf=e1NBTFR9e1BBU1NXT1JEfQ==$NW9wbWtnejAzcg==$0gfRVLCvtBCk20udLDEY5vNhujWx7RGjwRIS1ebMsLY=",
        ),
        (
            "test",
            "$hmac-md4$MWQ5ZTI4Nzc2Zjg4YmE2MTQ5YjQ0OTMyOGE4NWU4YjA=$MTIzNDU=",
        ),
        (
            "test",
            "$hmac-sha256$ZTAzMWJhMWMyOTM4YjFkMjgzZjkxOWExZGY5YWM2NmMxOTJhN2RkNzQ0MzJkNWZkNGFkYTI5OTk0MWJhMTA5Zg==$MTIzNDU=",
        ),
    ] {
        assert_adopted(text, from_kratos(stored(hash)).unwrap()).await;
    }
    // Only where Kratos is named: the same text as everywhere else is of an N beyond all bounds.
    let scrypt = "$scrypt$ln=16384,r=8,p=1$2npRo7P03Mt8keSoMbyD/tKFWyUzjiQf2svUaNDSrhA=$MiCzNcIplSMqSBrm4HckjYqYhaVPPjTARTzwB1cVNYE=";
    assert_eq!(
        adopt(stored(scrypt), None, bounds()).err(),
        Some(UnusableHash::Malformed("scrypt"))
    );
    for broken in [
        scrypt.replace("16384", "16385"),
        scrypt.replace("16384", "0"),
        "$firescrypt$ln=14,r=8,p=1$sPtDhWcd1MfdAw==$xbSou7FOl6mChCyzpCPIQ7tku7nsQMTFtyOZSXXd7tg="
            .to_owned(),
        // A template with something between, which no form here has.
        "$md5$pf=e1NBTFR9JCR7UEFTU1dPUkR9$MTIzNA==$ud392Z8rfZ+Ou7ZFXYLKbA==".to_owned(),
        "$hmac-md4$MWQ5$MTIzNDU=$x".to_owned(),
    ] {
        let refused = from_kratos(stored(&broken)).err();
        assert!(
            matches!(refused, Some(UnusableHash::Malformed(_))),
            "{broken}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_password_is_encoded_as_the_other_system_encoded_it() {
    // MD5 of the password in that encoding and "salt", by Python's hashlib.
    for (encoding, hash) in [
        (
            PasswordEncoding::Utf8,
            0xa987_2fad_80b3_800f_0cfa_67cb_84e6_a3d4,
        ),
        (
            PasswordEncoding::Utf16Le,
            0x85c4_59ab_e739_bcfa_b242_8693_9774_b674,
        ),
        (
            PasswordEncoding::Latin1,
            0xb503_deb3_2cc8_96bc_c4d7_1fc7_17c3_be2e_u128,
        ),
    ] {
        let digest = ForeignHash::Digest {
            digest: DigestName::Md5,
            encoding,
            salt_use: SaltUse::Suffix,
        };
        let hash = digest.to_hash(b"salt", &hash.to_be_bytes()).unwrap();
        assert_adopted(CRAB, hash).await;
    }
}

#[tokio::test]
async fn a_digest_is_answered_no_sooner_than_an_address_without_an_account() {
    let hasher = hasher(CHEAP, relaxed());
    let digest = stored("$digest$a=md5,e=utf8,s=prefix$$CY9rzUYh03PK3k6DJie09g");
    for (text, check) in [
        ("wrong", PasswordCheck::Mismatch),
        ("test", PasswordCheck::Match { outdated: true }),
    ] {
        let before = hasher.stats().peak;
        let checked = hasher
            .check(&flow("ann"), &password(text), Some(&digest))
            .await;
        assert_eq!(checked.unwrap(), check);
        assert_eq!(before == 0, text == "wrong", "the first one");
        assert_eq!(hasher.stats().peak, CHEAP.bytes(), "an argon2id beside it");
    }
}

#[tokio::test]
async fn hostile_parameters_are_refused_before_anything_is_computed() {
    let hash = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let key =
        "ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw";
    let firebase =
        |parameters: &str| format!("$fbscrypt${parameters},ss=Bw,sk={key}$C0sHCg9ek77hsg${key}");
    let malformed = [
        format!("$pbkdf2-sha256$i=0$c2FsdA${hash}"),
        format!("$pbkdf2-sha256$i=-1$c2FsdA${hash}"),
        format!("$pbkdf2-sha256$i=4294967296$c2FsdA${hash}"),
        format!("$pbkdf2-sha256$i=1000,l=31$c2FsdA${hash}"),
        format!("$pbkdf2-sha256$i=1000,x=1$c2FsdA${hash}"),
        format!("$pbkdf2-md5$i=1000$c2FsdA${hash}"),
        "$pbkdf2-sha256$i=1000$c2FsdA$AAAA".to_owned(),
        format!("$pbkdf2-sha256$v=1$i=1000$c2FsdA${hash}"),
        firebase("v=2,n=14,r=8,p=1"),
        firebase("v=1,n=0,r=8,p=1"),
        firebase("v=1,n=14,r=0,p=1"),
        firebase("v=1,n=14,r=8,p=1").replace(&format!("sk={key}"), "sk=AAAA"),
        firebase("v=1,n=14,r=8,p=1,x=1"),
        format!("$digest$a=sha512,e=utf8,s=prefix$$${hash}"),
        format!("$digest$a=sha256,e=utf8,s=prefix$${hash}A"),
        format!("$digest$a=sha256,e=ebcdic,s=prefix$${hash}"),
        format!("$digest$a=sha256,e=utf8,s=middle$${hash}"),
        format!("$digest$a=crc32,e=utf8,s=prefix$${hash}"),
        "pbkdf2_sha256$0x10$salt$AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        "pbkdf2_crc32$10$salt$AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        "scrypt$1023$salt$8$5$AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        "md5$salt$b614".to_owned(),
        "bcrypt_sha256$plain".to_owned(),
        "{SSHA}AAAA".to_owned(),
        "{SHA}LhKrkM9Fy+zlstjdD7Kv2s6QvhBzYWx0".to_owned(),
    ];
    for text in &malformed {
        let refused = adopt(stored(text), None, bounds()).err();
        assert!(
            matches!(refused, Some(UnusableHash::Malformed(_))),
            "{text}: {refused:?}"
        );
    }
    let short = HashBounds::at_import(BUDGET, Duration::from_secs(5));
    for text in [
        format!("$pbkdf2-sha256$i=4294967295$c2FsdA${hash}"),
        format!("$pbkdf2-sha512$i=4294967295$c2FsdA${hash}"),
        firebase("v=1,n=30,r=8,p=1"),
        firebase("v=1,n=4,r=8,p=100000000"),
    ] {
        let refused = adopt(stored(&text), None, short).err();
        assert!(
            matches!(
                refused,
                Some(UnusableHash::TooSlow { .. } | UnusableHash::TooLarge { .. })
            ),
            "{text}: {refused:?}"
        );
        let said = refused.unwrap().to_string();
        assert!(said.contains("more than") && !said.contains('$'), "{said}");
    }
}
