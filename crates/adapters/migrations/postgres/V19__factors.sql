-- The factors of accounts. What changes them holds the lock of the account's row, and keeps users.factors in step.
CREATE TABLE passkeys (
    id              uuid        PRIMARY KEY,
    user_id         uuid        NOT NULL,
    name            text        NOT NULL,
    credential_id   bytea       NOT NULL CONSTRAINT passkeys_credential_id_key UNIQUE,
    public_key      bytea       NOT NULL,
    algorithm       bigint      NOT NULL,
    aaguid          uuid        NOT NULL,
    counter         bigint      NOT NULL,
    backup_eligible boolean     NOT NULL,
    backed_up       boolean     NOT NULL,
    -- With spaces between.
    transports      text        NOT NULL,
    created_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE INDEX passkeys_of_user ON passkeys (user_id, created_at);

-- Authenticator apps. One that was not confirmed counts for nothing.
CREATE TABLE totp_secrets (
    user_id      uuid        PRIMARY KEY,
    -- Under the master key.
    sealed       bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    confirmed_at timestamptz,
    -- Codes of this step and of earlier ones count no more.
    last_step    bigint
);
-- For pruning.
CREATE INDEX totp_secrets_waiting ON totp_secrets (created_at) WHERE confirmed_at IS NULL;

CREATE TABLE recovery_codes (
    user_id    uuid        PRIMARY KEY,
    -- The key of the MACs, under the master key.
    sealed     bytea       NOT NULL,
    -- Those of the codes that were not used yet, one behind the other: 32 bytes each.
    macs       bytea       NOT NULL,
    created_at timestamptz NOT NULL
);

-- Resets of all factors that operators have ordered.
CREATE TABLE factor_resets (
    user_id    uuid        PRIMARY KEY,
    ordered_at timestamptz NOT NULL,
    due_at     timestamptz NOT NULL
);
CREATE INDEX factor_resets_due ON factor_resets (due_at);

-- Sign-ins and ceremonies that wait for their second half. scope: the oldest over a number go.
CREATE TABLE challenges (
    id            uuid        PRIMARY KEY,
    kind          text        NOT NULL,
    scope         text        COLLATE "C",
    user_id       uuid,
    epoch         bigint,
    session_id    uuid,
    device_id     uuid,
    device_known  boolean,
    device_name   text,
    proved        text,
    ceremony      bytea,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    attempts_left bigint      NOT NULL,
    CONSTRAINT challenges_parts_are_whole
        CHECK ((user_id IS NULL) = (epoch IS NULL) AND (device_id IS NULL) = (device_known IS NULL))
);
CREATE INDEX challenges_scope ON challenges (scope, created_at) WHERE scope IS NOT NULL;
CREATE INDEX challenges_of_user ON challenges (user_id) WHERE user_id IS NOT NULL;
-- For pruning.
CREATE INDEX challenges_expire ON challenges (expires_at);

-- Which kinds of factor are set up: 1 for an authenticator app, and 2 more for passkeys. No reader gets past the lock that this takes, so nothing
-- in this migration scans the table.
ALTER TABLE users ADD COLUMN factors bigint NOT NULL DEFAULT 0;
