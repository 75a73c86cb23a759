-- Compromises that no order on record says: those in CRLs of issuers whose key is elsewhere. Of a certificate that is not
-- registered nothing but its serial number is known; it takes its key with it when it is.
CREATE TABLE compromised_elsewhere (
    issuer          INTEGER NOT NULL REFERENCES issuers (id),
    serial          BLOB    NOT NULL,
    revocation_date INTEGER NOT NULL,
    recorded_at     INTEGER NOT NULL,
    -- The CRL that said so first, or from an earlier date on than the one before.
    actor           INTEGER NOT NULL REFERENCES actors (id),
    PRIMARY KEY (issuer, serial)
) STRICT, WITHOUT ROWID;

-- At each start those on record are looked at which did not take their keys, and no other revocation.
CREATE INDEX revocations_compromised ON revocations (issuer, serial, revocation_date) WHERE reason = 1;
