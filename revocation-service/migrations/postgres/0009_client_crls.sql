-- The last CRL of each authority whose clients may administer: an older one, or one that forgets somebody, is refused
-- after a restart too. `authority` is the SHA-256 of its public key.
CREATE TABLE client_crls (
    authority   BYTEA  NOT NULL PRIMARY KEY CHECK (length(authority) = 32),
    this_update BIGINT NOT NULL,
    der         BYTEA  NOT NULL
);
