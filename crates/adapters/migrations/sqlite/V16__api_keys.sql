-- The keys of operators' programs. Of a secret only its SHA-256 is here.
CREATE TABLE api_keys (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    -- With spaces between.
    scopes      TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    revoked_at  INTEGER,
    -- To the hour.
    used_at     INTEGER
) STRICT, WITHOUT ROWID;

-- Requests that create something, for a day, by the fingerprint of their sender and their name.
CREATE TABLE named_requests (
    name    BLOB    NOT NULL PRIMARY KEY,
    content BLOB    NOT NULL,
    -- Of what it creates.
    id      TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- For pruning.
CREATE INDEX named_requests_at ON named_requests (at);

-- Lists of accounts are ranges of these: each has the accounts of one state only, so that a page costs what it shows, however few accounts
-- are in a state. They take the place of the one with all disabled accounts.
CREATE INDEX users_enabled_unverified ON users (email) WHERE disabled_at IS NULL AND email_verified_at IS NULL;
CREATE INDEX users_disabled_unverified ON users (email) WHERE disabled_at IS NOT NULL AND email_verified_at IS NULL;
CREATE INDEX users_enabled_verified ON users (email) WHERE disabled_at IS NULL AND email_verified_at IS NOT NULL;
CREATE INDEX users_disabled_verified ON users (email) WHERE disabled_at IS NOT NULL AND email_verified_at IS NOT NULL;
DROP INDEX users_disabled;

-- Who has which role, kept by triggers. state: 1 if the account is disabled, and 2 more if its address is verified.
CREATE TABLE role_members (
    role    TEXT    NOT NULL,
    state   INTEGER NOT NULL,
    email   TEXT    NOT NULL,
    user_id TEXT    NOT NULL,
    PRIMARY KEY (role, state, email)
) STRICT, WITHOUT ROWID;

INSERT INTO role_members (role, state, email, user_id)
SELECT DISTINCT role.value, (u.disabled_at IS NOT NULL) + 2 * (u.email_verified_at IS NOT NULL), u.email, u.id
FROM users u, json_each(u.roles) AS role;

CREATE TRIGGER users_join_roles AFTER INSERT ON users WHEN NEW.roles IS NOT NULL
BEGIN
    INSERT INTO role_members (role, state, email, user_id)
    SELECT DISTINCT role.value, (NEW.disabled_at IS NOT NULL) + 2 * (NEW.email_verified_at IS NOT NULL), NEW.email, NEW.id
    FROM json_each(NEW.roles) AS role;
END;

CREATE TRIGGER users_leave_roles AFTER DELETE ON users WHEN OLD.roles IS NOT NULL
BEGIN
    DELETE FROM role_members
    WHERE role IN (SELECT value FROM json_each(OLD.roles))
        AND state = (OLD.disabled_at IS NOT NULL) + 2 * (OLD.email_verified_at IS NOT NULL) AND email = OLD.email;
END;

CREATE TRIGGER users_change_roles AFTER UPDATE OF roles, email, disabled_at, email_verified_at ON users
WHEN OLD.roles IS NOT NULL OR NEW.roles IS NOT NULL
BEGIN
    DELETE FROM role_members
    WHERE role IN (SELECT value FROM json_each(OLD.roles))
        AND state = (OLD.disabled_at IS NOT NULL) + 2 * (OLD.email_verified_at IS NOT NULL) AND email = OLD.email;
    INSERT INTO role_members (role, state, email, user_id)
    SELECT DISTINCT role.value, (NEW.disabled_at IS NOT NULL) + 2 * (NEW.email_verified_at IS NOT NULL), NEW.email, NEW.id
    FROM json_each(NEW.roles) AS role;
END;
