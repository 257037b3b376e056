-- From here on email holds the key that addresses are compared by. What its owner typed is here; null where it is the same.
ALTER TABLE users ADD COLUMN email_typed text;

-- The addresses whose key may not be what an earlier release stored: starts find those without a look at all others.
CREATE INDEX users_unkeyed ON users (id)
    WHERE email_typed IS NULL AND (octet_length(email) <> char_length(email) OR left(email, 1) = '"');
