-- The outbox: mails, each committed with what it tells. One that was sent is deleted.
CREATE TABLE deliveries (
    id           uuid        PRIMARY KEY,
    kind         text        NOT NULL,
    -- Key and typed form of the address, as in users.
    email        text        NOT NULL,
    email_typed  text,
    domain       text        COLLATE "C" NOT NULL,
    locale       text,
    -- No foreign keys: the owner of a deleted account is told, and proofs go before their mails.
    user_id      uuid,
    proof_id     uuid,
    -- What the mail tells, as JSON.
    facts        text        NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    notice       boolean     NOT NULL,
    -- How many more notices of the kind it stands for.
    more         bigint      NOT NULL DEFAULT 0 CHECK (more >= 0),
    state        text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'given_up')),
    -- When it is or was to be sent first.
    due_at       timestamptz NOT NULL,
    -- When it is tried next, when its lease runs out, when it is forgotten.
    next_at      timestamptz NOT NULL,
    leased_until timestamptz,
    attempts     bigint      NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error   text
);

-- Leases go from domain to domain, and take of each what is due: a domain with a million rows costs as much as one with two.
CREATE INDEX deliveries_waiting ON deliveries (domain, next_at) INCLUDE (due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_given_up ON deliveries (next_at) WHERE state = 'given_up';
CREATE INDEX deliveries_of_user ON deliveries (user_id, kind) WHERE user_id IS NOT NULL;
-- Another notice of a kind that was not tried yet is counted in the first.
CREATE UNIQUE INDEX deliveries_untried_notice ON deliveries (user_id, kind) WHERE notice AND state = 'waiting' AND attempts = 0;

-- Until when an account gets no notice of a kind, because one was sent.
CREATE TABLE quiet_notices (
    user_id uuid        NOT NULL,
    kind    text        NOT NULL,
    until   timestamptz NOT NULL,
    PRIMARY KEY (user_id, kind)
);
CREATE INDEX quiet_notices_until ON quiet_notices (until);
