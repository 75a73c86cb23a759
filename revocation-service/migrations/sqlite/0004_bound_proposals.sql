-- A proposal is bound to the revocation that it changes. State: 0 waits, 1 approved, 2 rejected, 3 withdrawn,
-- 4 void, since that revocation changed. What waited under the rules before is void: nobody knows what its second
-- person would have been shown.
ALTER TABLE proposals RENAME TO proposals_unbound;
DROP INDEX proposals_waiting;

CREATE TABLE proposals (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    issuer           INTEGER NOT NULL,
    serial           BLOB    NOT NULL,
    reason           INTEGER NOT NULL,
    revocation_date  INTEGER,
    actor            TEXT    NOT NULL,
    proposed_at      INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    comment          TEXT    NOT NULL,
    state            INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
    decided_by       TEXT,
    decided_at       INTEGER,
    decision_comment TEXT,
    -- The revocation as it stood; missing in proposals of earlier versions.
    was_reason       INTEGER,
    was_date         INTEGER,
    was_recorded_at  INTEGER,
    was_actor        TEXT,
    FOREIGN KEY (issuer, serial) REFERENCES certificates (issuer, serial)
) STRICT;

INSERT INTO proposals (id, issuer, serial, reason, revocation_date, actor, proposed_at, expires_at, comment, state,
    decided_by, decided_at, decision_comment)
SELECT id, issuer, serial, reason, revocation_date, actor, proposed_at, expires_at, comment,
    CASE state WHEN 0 THEN 4 ELSE state END, decided_by, decided_at, decision_comment
FROM proposals_unbound;

DROP TABLE proposals_unbound;

CREATE INDEX proposals_waiting ON proposals (issuer, serial) WHERE state = 0;
