-- A bundle is registered for each signer that somebody says it has: whoever came first with a wrong one kept the true one
-- out of what a compromise concerns.
DROP INDEX releases_by_key;
DROP INDEX releases_by_certificate;
ALTER TABLE releases RENAME TO releases_of_one_signer;

CREATE TABLE releases (
    bundle_sha256 BLOB    NOT NULL CHECK (length(bundle_sha256) = 32),
    name          TEXT    NOT NULL,
    -- As the timestamp says; missing where there is none.
    signed_at     INTEGER,
    issuer        INTEGER NOT NULL REFERENCES issuers (id),
    serial        BLOB    NOT NULL,
    spki_sha256   BLOB    NOT NULL CHECK (length(spki_sha256) = 32),
    registered_at INTEGER NOT NULL,
    actor         INTEGER NOT NULL REFERENCES actors (id),
    PRIMARY KEY (bundle_sha256, issuer, serial, spki_sha256)
) STRICT, WITHOUT ROWID;

INSERT INTO releases (bundle_sha256, name, signed_at, issuer, serial, spki_sha256, registered_at, actor)
SELECT bundle_sha256, name, signed_at, issuer, serial, spki_sha256, registered_at, actor FROM releases_of_one_signer;

DROP TABLE releases_of_one_signer;

CREATE INDEX releases_by_key ON releases (spki_sha256);
CREATE INDEX releases_by_certificate ON releases (issuer, serial);
