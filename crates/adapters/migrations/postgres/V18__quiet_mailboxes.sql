-- Notices of a kind are counted and pause for each mailbox of an account: what goes to a former address must not be counted in what waits for the
-- present one, nor hold it up.
DROP INDEX deliveries_untried_notice;
CREATE UNIQUE INDEX deliveries_untried_notice ON deliveries (user_id, kind, email) WHERE notice AND state = 'waiting' AND attempts = 0;

-- Pauses begun so far are taken for those of the present address. Those of accounts that are not there any more are of no use.
ALTER TABLE quiet_notices ADD COLUMN email text;
UPDATE quiet_notices q SET email = u.email FROM users u WHERE u.id = q.user_id;
DELETE FROM quiet_notices WHERE email IS NULL;
ALTER TABLE quiet_notices
    ALTER COLUMN email SET NOT NULL,
    DROP CONSTRAINT quiet_notices_pkey,
    ADD PRIMARY KEY (user_id, kind, email);
