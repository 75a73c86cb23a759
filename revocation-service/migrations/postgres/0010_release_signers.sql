-- A bundle is registered for each signer that somebody says it has: whoever came first with a wrong one kept the true one
-- out of what a compromise concerns.
ALTER TABLE releases
    DROP CONSTRAINT releases_pkey,
    ADD PRIMARY KEY (bundle_sha256, issuer, serial, spki_sha256);
