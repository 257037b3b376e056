-- The keys of operators' programs. Of a secret only its SHA-256 is here.
CREATE TABLE api_keys (
    id          uuid        PRIMARY KEY,
    name        text        NOT NULL,
    -- With spaces between.
    scopes      text        NOT NULL,
    fingerprint bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    -- To the hour.
    used_at     timestamptz
);

-- Requests that create something, for a day, by the fingerprint of their sender and their name.
CREATE TABLE named_requests (
    name    bytea       PRIMARY KEY,
    content bytea       NOT NULL,
    -- Of what it creates.
    id      uuid        NOT NULL,
    at      timestamptz NOT NULL
);
-- For pruning.
CREATE INDEX named_requests_at ON named_requests (at);

-- For the revocation feed.
CREATE INDEX users_outdated_at ON users (outdated_at) WHERE outdated_at IS NOT NULL;
CREATE INDEX users_outdated_in ON users (outdated_in) WHERE outdated_in IS NOT NULL;

-- Lists of accounts are ranges of these: each has the accounts of one state only, so that a page costs what it shows, however few accounts
-- are in a state.
CREATE INDEX users_enabled_unverified ON users (email) WHERE disabled_at IS NULL AND email_verified_at IS NULL;
CREATE INDEX users_disabled_unverified ON users (email) WHERE disabled_at IS NOT NULL AND email_verified_at IS NULL;
CREATE INDEX users_enabled_verified ON users (email) WHERE disabled_at IS NULL AND email_verified_at IS NOT NULL;
CREATE INDEX users_disabled_verified ON users (email) WHERE disabled_at IS NOT NULL AND email_verified_at IS NOT NULL;

-- Who has which role, kept by a trigger, whatever the search path of whoever changes an account. state: 1 if the account is disabled, and 2 more if
-- its address is verified.
CREATE TABLE role_members (
    role    text     COLLATE "C" NOT NULL,
    state   smallint NOT NULL,
    email   text     COLLATE "C" NOT NULL,
    user_id uuid     NOT NULL,
    PRIMARY KEY (role, state, email)
);

INSERT INTO role_members (role, state, email, user_id)
SELECT DISTINCT role, (u.disabled_at IS NOT NULL)::int + 2 * (u.email_verified_at IS NOT NULL)::int, u.email, u.id
FROM users u CROSS JOIN LATERAL json_array_elements_text(u.roles::json) AS role
WHERE u.roles IS NOT NULL;

CREATE FUNCTION list_role_members() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.roles IS NOT NULL THEN
        DELETE FROM role_members
        WHERE role = ANY (ARRAY(SELECT json_array_elements_text(OLD.roles::json)))
            AND state = (OLD.disabled_at IS NOT NULL)::int + 2 * (OLD.email_verified_at IS NOT NULL)::int AND email = OLD.email;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.roles IS NOT NULL THEN
        INSERT INTO role_members (role, state, email, user_id)
        SELECT DISTINCT named, (NEW.disabled_at IS NOT NULL)::int + 2 * (NEW.email_verified_at IS NOT NULL)::int, NEW.email, NEW.id
        FROM json_array_elements_text(NEW.roles::json) AS named;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_join_roles AFTER INSERT ON users
    FOR EACH ROW WHEN (NEW.roles IS NOT NULL) EXECUTE FUNCTION list_role_members();

CREATE TRIGGER users_leave_roles AFTER DELETE ON users
    FOR EACH ROW WHEN (OLD.roles IS NOT NULL) EXECUTE FUNCTION list_role_members();

CREATE TRIGGER users_change_roles AFTER UPDATE OF roles, email, disabled_at, email_verified_at ON users
    FOR EACH ROW WHEN (OLD.roles IS NOT NULL OR NEW.roles IS NOT NULL) EXECUTE FUNCTION list_role_members();
