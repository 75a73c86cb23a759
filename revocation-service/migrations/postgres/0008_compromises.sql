-- Compromises that no order on record says: those in CRLs of issuers whose key is elsewhere. Of a certificate that is not
-- registered nothing but its serial number is known; it takes its key with it when it is.
CREATE TABLE compromised_elsewhere (
    issuer          BIGINT NOT NULL REFERENCES issuers (id),
    serial          BYTEA  NOT NULL,
    revocation_date BIGINT NOT NULL,
    recorded_at     BIGINT NOT NULL,
    -- The CRL that said so first, or from an earlier date on than the one before.
    actor           BIGINT NOT NULL REFERENCES actors (id),
    PRIMARY KEY (issuer, serial)
);

-- At each start those on record are looked at which did not take their keys, and no other revocation.
CREATE INDEX revocations_compromised ON revocations (issuer, serial, revocation_date) WHERE reason = 1;
