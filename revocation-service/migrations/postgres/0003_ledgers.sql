-- The head of each audit ledger, as it stood when the latest change was made: a ledger that ends before it was cut
-- off, and one with another hash there was written anew.
CREATE TABLE ledgers (
    -- The ledger's random number.
    id          TEXT   PRIMARY KEY,
    -- Which replica writes it.
    replica     TEXT   NOT NULL,
    sequence    BIGINT NOT NULL,
    hash        BYTEA  NOT NULL CHECK (length(hash) = 32),
    -- The ledger that an operator put in its place.
    replaced_by TEXT
);
