-- A proposal is bound to the revocation that it changes. State: 0 waits, 1 approved, 2 rejected, 3 withdrawn,
-- 4 void, since that revocation changed. What waited under the rules before is void: nobody knows what its second
-- person would have been shown.
ALTER TABLE proposals
    DROP CONSTRAINT proposals_state_check,
    ADD CONSTRAINT proposals_state_check CHECK (state BETWEEN 0 AND 4),
    -- The revocation as it stood; missing in proposals of earlier versions.
    ADD COLUMN was_reason      BIGINT,
    ADD COLUMN was_date        BIGINT,
    ADD COLUMN was_recorded_at BIGINT,
    ADD COLUMN was_actor       TEXT;

UPDATE proposals SET state = 4 WHERE state = 0;

DROP INDEX proposals_waiting;
CREATE INDEX proposals_waiting ON proposals (issuer, serial) WHERE state = 0;
