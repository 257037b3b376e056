//! What becomes of an account that a former system knows the password of, once it has another address.

/// For each statement that sets the address, whose key is the parameter: the former system may know somebody else by that. A mark of such an
/// account becomes that of one without a password.
macro_rules! forget_legacy {
    ($key:literal) => {
        concat!(
            "password_hash = CASE WHEN password_hash = '$legacy$' AND email <> ",
            $key,
            " THEN '$none$' ELSE password_hash END"
        )
    };
}

pub(crate) use forget_legacy;

#[cfg(test)]
mod tests {
    use revolve_domain::model::PasswordHash;

    #[test]
    fn the_marks_are_those_of_the_domain() {
        let (legacy, none) = (PasswordHash::legacy(), PasswordHash::no_password());
        let expected = format!(
            "password_hash = CASE WHEN password_hash = '{}' AND email <> $2 THEN '{}' ELSE password_hash END",
            legacy.expose(),
            none.expose()
        );
        assert_eq!(forget_legacy!("$2"), expected);
    }
}
