-- Notices of a kind are counted and pause for each mailbox of an account: what goes to a former address must not be counted in what waits for the
-- present one, nor hold it up.
DROP INDEX deliveries_untried_notice;
CREATE UNIQUE INDEX deliveries_untried_notice ON deliveries (user_id, kind, email) WHERE notice AND state = 'waiting' AND attempts = 0;

-- Pauses begun so far are taken for those of the present address. Those of accounts that are not there any more are of no use.
CREATE TABLE quiet_mailboxes (
    user_id TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    email   TEXT    NOT NULL,
    until   INTEGER NOT NULL,
    PRIMARY KEY (user_id, kind, email)
) STRICT, WITHOUT ROWID;
INSERT INTO quiet_mailboxes (user_id, kind, email, until)
SELECT q.user_id, q.kind, u.email, q.until FROM quiet_notices q JOIN users u ON u.id = q.user_id;
DROP TABLE quiet_notices;
ALTER TABLE quiet_mailboxes RENAME TO quiet_notices;
CREATE INDEX quiet_notices_until ON quiet_notices (until);
