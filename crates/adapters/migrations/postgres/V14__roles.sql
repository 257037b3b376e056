-- What operators say of an account: roles as a JSON array, app data as a JSON object; null where there are none. They are text, since jsonb
-- takes no NUL. The version rises with each change of what the account shows. No reader gets past the lock that this takes, so nothing in this
-- migration scans the table.
ALTER TABLE users ADD COLUMN roles text;
ALTER TABLE users ADD COLUMN app text;
ALTER TABLE users ADD COLUMN version bigint NOT NULL DEFAULT 0;

-- ID tokens of an earlier version are refused where the revocation feed is followed: since when, and the transaction of that change, as for
-- the ends of sessions. A trigger sets the number, whoever changes the row.
ALTER TABLE users ADD COLUMN outdated_before bigint;
ALTER TABLE users ADD COLUMN outdated_at timestamptz;
ALTER TABLE users ADD COLUMN outdated_in bigint;

CREATE FUNCTION number_outdated_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.outdated_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END
$$;

CREATE TRIGGER users_outdate BEFORE UPDATE OF outdated_before ON users
    FOR EACH ROW WHEN (OLD.outdated_before IS DISTINCT FROM NEW.outdated_before) EXECUTE FUNCTION number_outdated_tokens();

-- The next migration has what takes its place.
DROP INDEX users_disabled;
