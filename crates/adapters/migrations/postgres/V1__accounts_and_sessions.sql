-- The collation of addresses never changes with the machine's libraries, so the unique index can't rot in an upgrade.
CREATE TABLE users (
    id            uuid        PRIMARY KEY,
    email         text        COLLATE "C" NOT NULL CONSTRAINT users_email_key UNIQUE,
    password_hash text        NOT NULL,
    name          text,
    website       text,
    image_url     text,
    created_at    timestamptz NOT NULL,
    disabled_at   timestamptz,
    session_epoch bigint      NOT NULL CHECK (session_epoch BETWEEN 0 AND 4294967295),
    kept_sid      uuid
);

-- No foreign key: the rows of ended sessions outlive a deleted account, until they are pruned.
CREATE TABLE sessions (
    id          uuid        PRIMARY KEY,
    user_id     uuid        NOT NULL,
    device_id   uuid        NOT NULL,
    device_name text,
    user_agent  text,
    address     inet,
    epoch       bigint      NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    began_at    timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    bound_at    timestamptz,
    ended_at    timestamptz,
    end_reason  text,
    CONSTRAINT sessions_end_is_whole CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);

-- Serves a user's live sessions (ended_at IS NULL) and the oldest of the ended ones alike.
CREATE INDEX sessions_of_user ON sessions (user_id, ended_at);
-- For pruning.
CREATE INDEX sessions_over ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_ends ON sessions (ends_at);
