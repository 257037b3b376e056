-- Which kinds of factor are set up: 1 for an authenticator app, and 2 more for passkeys.
ALTER TABLE users ADD COLUMN factors INTEGER NOT NULL DEFAULT 0;

CREATE TABLE passkeys (
    id              TEXT    NOT NULL PRIMARY KEY,
    user_id         TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    credential_id   BLOB    NOT NULL UNIQUE,
    public_key      BLOB    NOT NULL,
    algorithm       INTEGER NOT NULL,
    aaguid          TEXT    NOT NULL,
    counter         INTEGER NOT NULL,
    backup_eligible INTEGER NOT NULL,
    backed_up       INTEGER NOT NULL,
    -- With spaces between.
    transports      TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    used_at         INTEGER
) STRICT;
CREATE INDEX passkeys_of_user ON passkeys (user_id, created_at);

-- Authenticator apps. One that was not confirmed counts for nothing.
CREATE TABLE totp_secrets (
    user_id      TEXT    NOT NULL PRIMARY KEY,
    -- Under the master key.
    sealed       BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    confirmed_at INTEGER,
    -- Codes of this step and of earlier ones count no more.
    last_step    INTEGER
) STRICT, WITHOUT ROWID;
-- For pruning.
CREATE INDEX totp_secrets_waiting ON totp_secrets (created_at) WHERE confirmed_at IS NULL;

CREATE TABLE recovery_codes (
    user_id    TEXT    NOT NULL PRIMARY KEY,
    -- The key of the MACs, under the master key.
    sealed     BLOB    NOT NULL,
    -- Those of the codes that were not used yet, one behind the other: 32 bytes each.
    macs       BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Resets of all factors that operators have ordered.
CREATE TABLE factor_resets (
    user_id    TEXT    NOT NULL PRIMARY KEY,
    ordered_at INTEGER NOT NULL,
    due_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX factor_resets_due ON factor_resets (due_at);

-- Sign-ins and ceremonies that wait for their second half. scope: the oldest over a number go.
CREATE TABLE challenges (
    id            TEXT    NOT NULL PRIMARY KEY,
    kind          TEXT    NOT NULL,
    scope         TEXT,
    user_id       TEXT,
    epoch         INTEGER,
    session_id    TEXT,
    device_id     TEXT,
    device_known  INTEGER,
    device_name   TEXT,
    proved        TEXT,
    ceremony      BLOB,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    attempts_left INTEGER NOT NULL,
    CHECK ((user_id IS NULL) = (epoch IS NULL) AND (device_id IS NULL) = (device_known IS NULL))
) STRICT;
CREATE INDEX challenges_scope ON challenges (scope, created_at) WHERE scope IS NOT NULL;
CREATE INDEX challenges_of_user ON challenges (user_id) WHERE user_id IS NOT NULL;
-- For pruning.
CREATE INDEX challenges_expire ON challenges (expires_at);
