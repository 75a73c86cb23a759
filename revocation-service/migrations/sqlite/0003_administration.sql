-- Small rows for a million certificates, and what administration keeps: revoked keys, proposals, releases, answers.

CREATE TABLE actors (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE
) STRICT;
INSERT INTO actors (name) SELECT actor FROM certificates UNION SELECT actor FROM revocations;

ALTER TABLE certificates RENAME TO certificates_with_der;
ALTER TABLE revocations RENAME TO revocations_before;

-- The certificate itself is the CA's to keep. Digests are missing where an index named a serial number alone.
CREATE TABLE certificates (
    issuer        INTEGER NOT NULL REFERENCES issuers (id),
    serial        BLOB    NOT NULL,
    not_before    INTEGER NOT NULL,
    not_after     INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    actor         INTEGER NOT NULL REFERENCES actors (id),
    sha256        BLOB    CHECK (length(sha256) = 32),
    spki_sha256   BLOB    CHECK (length(spki_sha256) = 32),
    subject       BLOB,
    PRIMARY KEY (issuer, serial)
) STRICT, WITHOUT ROWID;

INSERT INTO certificates (issuer, serial, not_before, not_after, registered_at, actor, sha256, spki_sha256, subject)
SELECT c.issuer, c.serial, c.not_before, c.not_after, c.registered_at, a.id, c.sha256, c.spki_sha256, c.subject
FROM certificates_with_der c JOIN actors a ON a.name = c.actor;

-- Eight octets find the key; the row has all of them.
CREATE INDEX certificates_by_key ON certificates (substr(spki_sha256, 1, 8)) WHERE spki_sha256 IS NOT NULL;

-- Reason 8 (removeFromCRL) is a hold that was lifted: deltas must say so.
CREATE TABLE revocations (
    issuer          INTEGER NOT NULL,
    serial          BLOB    NOT NULL,
    reason          INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 10 AND reason <> 7),
    revocation_date INTEGER NOT NULL,
    recorded_at     INTEGER NOT NULL,
    actor           INTEGER NOT NULL REFERENCES actors (id),
    -- The issuer's revision that this change made.
    revision        INTEGER NOT NULL,
    PRIMARY KEY (issuer, serial),
    FOREIGN KEY (issuer, serial) REFERENCES certificates (issuer, serial)
) STRICT, WITHOUT ROWID;

INSERT INTO revocations (issuer, serial, reason, revocation_date, recorded_at, actor, revision)
SELECT r.issuer, r.serial, r.reason, r.revocation_date, r.recorded_at, a.id, i.revision
FROM revocations_before r JOIN actors a ON a.name = r.actor JOIN issuers i ON i.id = r.issuer;

CREATE INDEX revocations_by_revision ON revocations (issuer, revision);

DROP TABLE revocations_before;
DROP TABLE certificates_with_der;

-- Keys that are never good again: what is registered with one is revoked at once.
CREATE TABLE revoked_keys (
    spki_sha256     BLOB    PRIMARY KEY CHECK (length(spki_sha256) = 32),
    reason          INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 10 AND reason NOT IN (6, 7, 8)),
    revocation_date INTEGER NOT NULL,
    recorded_at     INTEGER NOT NULL,
    actor           INTEGER NOT NULL REFERENCES actors (id)
) STRICT, WITHOUT ROWID;

-- Orders that wait for a second person. State: 0 waits, 1 approved, 2 rejected.
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
    state            INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2),
    decided_by       TEXT,
    decided_at       INTEGER,
    decision_comment TEXT,
    FOREIGN KEY (issuer, serial) REFERENCES certificates (issuer, serial)
) STRICT;
CREATE INDEX proposals_waiting ON proposals (expires_at) WHERE state = 0;

CREATE TABLE releases (
    bundle_sha256 BLOB    PRIMARY KEY CHECK (length(bundle_sha256) = 32),
    name          TEXT    NOT NULL,
    -- As the timestamp says; missing where there is none.
    signed_at     INTEGER,
    issuer        INTEGER NOT NULL REFERENCES issuers (id),
    serial        BLOB    NOT NULL,
    spki_sha256   BLOB    NOT NULL CHECK (length(spki_sha256) = 32),
    registered_at INTEGER NOT NULL,
    actor         INTEGER NOT NULL REFERENCES actors (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX releases_by_key ON releases (spki_sha256);
CREATE INDEX releases_by_certificate ON releases (issuer, serial);

-- Answers given under an idempotency key.
CREATE TABLE answers (
    actor          TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    request_sha256 BLOB    NOT NULL,
    status         INTEGER NOT NULL,
    media_type     TEXT    NOT NULL,
    body           BLOB    NOT NULL,
    given_at       INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT;
CREATE INDEX answers_by_age ON answers (given_at);
