-- The language of an account's mails, and when its owner last proved to read its address.
ALTER TABLE users ADD COLUMN locale text;
ALTER TABLE users ADD COLUMN email_verified_at timestamptz;

-- Proofs of mailboxes that were asked for and are neither spent nor void. scope: a new one makes others of it void.
CREATE TABLE proofs (
    id            uuid        PRIMARY KEY,
    purpose       text        NOT NULL,
    scope         text        COLLATE "C" NOT NULL,
    email         text        COLLATE "C" NOT NULL,
    email_typed   text,
    user_id       uuid,
    bound_epoch   bigint,
    bound_hash    bytea,
    bound_email   text,
    asker         bytea       NOT NULL,
    password_hash text,
    locale        text,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    attempts_left bigint      NOT NULL,
    serial        bigint      NOT NULL,
    CONSTRAINT proofs_binding_is_whole
        CHECK ((bound_epoch IS NULL) = (bound_hash IS NULL) AND (bound_epoch IS NULL) = (bound_email IS NULL))
);

CREATE INDEX proofs_scope ON proofs (scope);
CREATE INDEX proofs_of_user ON proofs (user_id) WHERE user_id IS NOT NULL;
-- For pruning.
CREATE INDEX proofs_expire ON proofs (expires_at);
