-- The language of an account's mails, and when its owner last proved to read its address.
ALTER TABLE users ADD COLUMN locale TEXT;
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;

-- Proofs of mailboxes that were asked for and are neither spent nor void. scope: a new one makes others of it void.
CREATE TABLE proofs (
    id            TEXT    NOT NULL PRIMARY KEY,
    purpose       TEXT    NOT NULL,
    scope         TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    email_typed   TEXT,
    user_id       TEXT,
    bound_epoch   INTEGER,
    bound_hash    BLOB,
    bound_email   TEXT,
    asker         BLOB    NOT NULL,
    password_hash TEXT,
    locale        TEXT,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    attempts_left INTEGER NOT NULL,
    serial        INTEGER NOT NULL,
    CHECK ((bound_epoch IS NULL) = (bound_hash IS NULL) AND (bound_epoch IS NULL) = (bound_email IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX proofs_scope ON proofs (scope);
CREATE INDEX proofs_of_user ON proofs (user_id) WHERE user_id IS NOT NULL;
-- For pruning.
CREATE INDEX proofs_expire ON proofs (expires_at);
