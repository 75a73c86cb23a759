-- An issuer has several lists: the whole one, its delta, and one for each shard. `list` names which.
ALTER TABLE crls RENAME TO crls_before_lists;

CREATE TABLE crls (
    issuer      INTEGER NOT NULL REFERENCES issuers (id),
    list        TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    der         BLOB    NOT NULL,
    UNIQUE (issuer, list)
) STRICT;

INSERT INTO crls (issuer, list, number, revision, der)
SELECT issuer, 'whole', number, revision, der FROM crls_before_lists;

DROP TABLE crls_before_lists;
