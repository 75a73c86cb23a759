-- Issuers: one row for each [[issuer]] ever configured. A name stays bound to its key.
CREATE TABLE issuers (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    spki_sha256 BLOB    NOT NULL UNIQUE CHECK (length(spki_sha256) = 32),
    -- Grows with every change to this issuer's revocations; a CRL remembers the one it was built from.
    revision    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What was issued. The unique index alone answers "was this serial issued?"; the row with the DER stays unread.
CREATE TABLE certificates (
    id            INTEGER PRIMARY KEY,
    issuer        INTEGER NOT NULL REFERENCES issuers (id),
    serial        BLOB    NOT NULL,
    sha256        BLOB    NOT NULL CHECK (length(sha256) = 32),
    subject       BLOB    NOT NULL,
    spki_sha256   BLOB    NOT NULL CHECK (length(spki_sha256) = 32),
    not_before    INTEGER NOT NULL,
    not_after     INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    actor         TEXT    NOT NULL,
    der           BLOB    NOT NULL,
    UNIQUE (issuer, serial)
) STRICT;

-- What was revoked; small rows, sorted as they are looked up and as a CRL lists them.
CREATE TABLE revocations (
    issuer          INTEGER NOT NULL,
    serial          BLOB    NOT NULL,
    reason          INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 10 AND reason NOT IN (7, 8)),
    revocation_date INTEGER NOT NULL,
    recorded_at     INTEGER NOT NULL,
    actor           TEXT    NOT NULL,
    PRIMARY KEY (issuer, serial),
    FOREIGN KEY (issuer, serial) REFERENCES certificates (issuer, serial)
) STRICT, WITHOUT ROWID;

-- The highest CRLNumber ever reserved for an issuer: it is on disk before the CRL is signed.
CREATE TABLE crl_numbers (
    issuer INTEGER PRIMARY KEY REFERENCES issuers (id),
    number INTEGER NOT NULL
) STRICT;

-- The CRL served now, so that a restart serves the same one.
CREATE TABLE crls (
    issuer      INTEGER PRIMARY KEY REFERENCES issuers (id),
    number      INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    der         BLOB    NOT NULL
) STRICT;
