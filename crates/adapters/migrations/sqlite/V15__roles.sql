-- What operators say of an account: roles as a JSON array, app data as a JSON object; null where there are none. The version rises with each
-- change of what the account shows.
ALTER TABLE users ADD COLUMN roles TEXT;
ALTER TABLE users ADD COLUMN app TEXT;
ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

-- ID tokens of an earlier version are refused where the revocation feed is followed: since when, and the number of that change among the
-- ends of sessions. A trigger sets the number, whoever changes the row.
ALTER TABLE users ADD COLUMN outdated_before INTEGER;
ALTER TABLE users ADD COLUMN outdated_at INTEGER;
ALTER TABLE users ADD COLUMN outdated_in INTEGER;
CREATE INDEX users_outdated_at ON users (outdated_at) WHERE outdated_at IS NOT NULL;
CREATE INDEX users_outdated_in ON users (outdated_in) WHERE outdated_in IS NOT NULL;

CREATE TRIGGER users_outdate AFTER UPDATE OF outdated_before ON users
WHEN NEW.outdated_before IS NOT OLD.outdated_before
BEGIN
    UPDATE session_ends SET last = last + 1;
    UPDATE users SET outdated_in = (SELECT last FROM session_ends) WHERE id = NEW.id;
END;
