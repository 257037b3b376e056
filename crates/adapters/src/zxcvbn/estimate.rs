//! The estimate and the number that it is compared with. The work is bounded, see [`CHUNK`] and [`MAX_COMBINATIONS`].

use revolve_domain::ports::PasswordVerdict;
use zxcvbn::{
    Match,
    matching::patterns::{DictionaryPattern, MatchPattern, RepeatPattern},
};

/// A password must withstand as many guesses as eight characters without a pattern, as the minimal length intends. zxcvbn counts ten guesses
/// for each such character. Everything in its lists of the 30,000 commonest passwords is far below.
const ENOUGH: u64 = 100_000_000;

/// Characters that are judged together: the work grows with the square of the length. A password is at least as strong as its strongest
/// part.
const CHUNK: usize = 64;

/// The digits and signs that zxcvbn takes for each letter. It tries every combination of those in a password: four for digits alone, 576 for
/// all of them.
const SUBSTITUTIONS: [(char, &str); 12] = [
    ('a', "4@"),
    ('b', "8"),
    ('c', "({[<"),
    ('e', "3"),
    ('g', "69"),
    ('i', "1!|"),
    ('l', "1|7"),
    ('o', "0"),
    ('s', "$5"),
    ('t', "+7"),
    ('x', "%"),
    ('z', "2"),
];

/// Most combinations that are tried over a whole chunk …
const MAX_COMBINATIONS: usize = 16;
/// … while more are tried over parts of this length only, and over the chunk with every sign replaced by its first letter.
const PART: usize = 16;

/// Shorter words of the user's own are in everything.
const SHORTEST_WORD: usize = 3;
/// Most words of one user.
const MAX_WORDS: usize = 64;

/// `own` is what others know about the user.
pub(super) fn verdict(password: &str, own: &[&str]) -> PasswordVerdict {
    let lower = password.to_lowercase();
    if own.iter().any(|word| word.to_lowercase() == lower) {
        return PasswordVerdict::OwnDetails;
    }
    let words = words(own);
    let characters: Vec<char> = password.chars().collect();
    let mut built_from_own = false;
    for chunk in characters.chunks(CHUNK) {
        let mut judge = |text: &str| {
            let estimate = zxcvbn::zxcvbn(text, &words);
            built_from_own |= estimate.guesses() < ENOUGH
                && estimate
                    .sequence()
                    .iter()
                    .any(|found| is_own(found, &words));
            estimate.guesses() >= ENOUGH
        };
        let enough = if combinations(chunk) <= MAX_COMBINATIONS {
            judge(&text(chunk))
        } else {
            judge(&with_letters(chunk)) && chunk.chunks(PART).any(|part| judge(&text(part)))
        };
        if enough {
            return PasswordVerdict::Fine;
        }
    }
    if built_from_own {
        PasswordVerdict::OwnDetails
    } else {
        PasswordVerdict::TooCommon
    }
}

/// The texts and the words in them.
fn words<'a>(own: &[&'a str]) -> Vec<&'a str> {
    let parts = own
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let mut words: Vec<&str> = own
        .iter()
        .copied()
        .chain(parts)
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .collect();
    words.truncate(MAX_WORDS);
    words
}

fn is_own(found: &Match, words: &[&str]) -> bool {
    match &found.pattern {
        MatchPattern::Dictionary(DictionaryPattern { matched_word, .. }) => words
            .iter()
            .any(|word| word.to_lowercase() == *matched_word),
        MatchPattern::Repeat(RepeatPattern { base_matches, .. }) => {
            base_matches.iter().any(|found| is_own(found, words))
        }
        _ => false,
    }
}

fn text(characters: &[char]) -> String {
    characters.iter().collect()
}

/// The most ways in which digits and signs may stand for letters.
fn combinations(chunk: &[char]) -> usize {
    let present = |signs: &str| {
        signs
            .chars()
            .filter(|sign| chunk.contains(sign))
            .count()
            .max(1)
    };
    SUBSTITUTIONS
        .iter()
        .map(|(_, signs)| present(signs))
        .product()
}

fn with_letters(chunk: &[char]) -> String {
    let plain = |&c: &char| {
        SUBSTITUTIONS
            .iter()
            .find(|(_, signs)| signs.contains(c))
            .map_or(c, |(letter, _)| *letter)
    };
    chunk.iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [&str; 4] = [
        "annsmith@example.org",
        "Ann Smith",
        "revolve",
        "accounts.example.org",
    ];

    #[test]
    fn what_people_use_is_refused() {
        for password in [
            "password",
            "Password1",
            "P@ssw0rd",
            "P@ssw0rd123",
            "password123!",
            "passwordpassword",
            "drowssap",
            "qwertyuiop",
            "qwerty123456",
            "1qaz2wsx3edc",
            "zaq12wsx",
            "q1w2e3r4t5y6",
            "iloveyou2",
            "letmein1234",
            "trustno1!",
            "football99",
            "Sunshine1!",
            "admin123",
            "Admin@123",
            "Welcome123!",
            "Summer2024!",
            "January2024",
            "dragon2020",
            "monkey123!",
            "MyPassword1",
            "12345678",
            "1234567890",
            "12345678901234567890",
            "abcdefgh",
            "abcd1234",
            "aaaaaaaaaaaa",
            "abababababab",
            "11/12/1991",
            "password one",
            "letmeinplease",
        ] {
            assert_eq!(
                verdict(password, &[]),
                PasswordVerdict::TooCommon,
                "{password}"
            );
        }
        for length in [8, 64, 65, 256] {
            assert_eq!(
                verdict(&"a".repeat(length), &[]),
                PasswordVerdict::TooCommon,
                "{length} times a"
            );
            assert_eq!(
                verdict(&"🦀".repeat(length), &[]),
                PasswordVerdict::TooCommon,
                "{length} crabs"
            );
        }
    }

    #[test]
    fn what_others_know_is_refused() {
        for password in [
            "annsmith@example.org",
            "ANNSMITH@EXAMPLE.ORG",
            "annsmith",
            "annsmith1",
            "AnnSmith2024!",
            "Ann Smith",
            "smithann",
            "htimsnna",
            "4nnsmith",
            "annsmithannsmith",
            "revolve1",
            "Revolve2024!",
            "accounts.example.org",
            "accounts.example.org1",
            "example.org",
        ] {
            assert_eq!(
                verdict(password, &OWN),
                PasswordVerdict::OwnDetails,
                "{password}"
            );
        }
    }

    #[test]
    fn what_nobody_guesses_is_fine() {
        for password in [
            // Words that have nothing to do with each other.
            "correct horse battery",
            "another horse, another battery",
            "tree lamp ocean sixteen",
            "quiet river stone",
            "my dog barks at noon",
            "caf\u{e9} au lait tous les matins",
            "vier Bäume am Rande",
            "дерево лампа океан щука",
            "木🦀灯海十六水雲橋紙猫",
            // Characters that follow no pattern, of the least length and longer.
            "xkqzjvwm",
            "8163950274",
            "tR7#pLq9",
            "fH2$mW8!kQ",
            "0x9f3a7c51be",
            "Gv5hNc2Lw8Zt",
            "mqzv-ktwp-xjrb",
            "}8(kQ!4@x{2<",
            "zB|+7[6%3$",
            // Long ones.
            "It was the third time that week I had missed the bus",
            "7b1e9c04-52fa-4d63-8e0b-a9f61c2d3e57",
        ] {
            assert_eq!(verdict(password, &OWN), PasswordVerdict::Fine, "{password}");
        }
    }

    #[test]
    fn a_strong_part_is_enough_wherever_it_is() {
        for at in [0, 64, 192] {
            let weak = "a".repeat(at);
            assert_eq!(
                verdict(
                    &format!("{weak}tree lamp ocean sixteen{}", "a".repeat(200 - at)),
                    &[]
                ),
                PasswordVerdict::Fine,
                "at {at}"
            );
        }
    }

    #[test]
    fn few_substitutions_are_all_tried_and_many_are_taken_for_letters() {
        let ways = |text: &str| combinations(&text.chars().collect::<Vec<_>>());
        assert_eq!(
            (
                ways("no signs"),
                ways("1234567890"),
                ways("p4$$w0rd!"),
                ways(ALL)
            ),
            (1, 4, 1, 576)
        );
        assert_eq!(
            with_letters(&ALL.chars().collect::<Vec<_>>()),
            "aabcccceggioiilsstxz"
        );
        assert_eq!(
            verdict(&ALL.repeat(13)[..256], &[]),
            PasswordVerdict::Fine,
            "signs without a pattern are worth what letters are"
        );
    }

    const ALL: &str = "4@8({[<36910!|7$5+%2";
}
