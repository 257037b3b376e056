-- From here on email holds the key that addresses are compared by. What its owner typed is here; null where it is the same.
ALTER TABLE users ADD COLUMN email_typed TEXT;

-- The addresses whose key may not be what an earlier release stored: starts find those without a look at all others.
CREATE INDEX users_unkeyed ON users (id)
    WHERE email_typed IS NULL AND (length(CAST(email AS BLOB)) <> length(email) OR substr(email, 1, 1) = '"');
