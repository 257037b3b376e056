-- Whether a delivery that waits is not due before next_at: it pauses, is being sent, or is behind another notice. Leases go from domain to domain of
-- those that are not, so that what is not due costs them nothing. A look finds those whose time has come, and they are deferred no more.
ALTER TABLE deliveries ADD COLUMN deferred boolean NOT NULL DEFAULT true;

DROP INDEX deliveries_waiting;
CREATE INDEX deliveries_ready ON deliveries (domain, next_at) INCLUDE (due_at) WHERE state = 'waiting' AND NOT deferred;
CREATE INDEX deliveries_deferred ON deliveries (next_at) INCLUDE (due_at) WHERE state = 'waiting' AND deferred;

-- For the account that can take an address back.
CREATE INDEX proofs_undo ON proofs (email) WHERE purpose = 'undo_email';
