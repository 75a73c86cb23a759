-- An idempotency key is reserved before its order is carried out: status 0, until there is an answer. The owner is the
-- ledger of whoever carries it out; what they left behind is void when they start again.
ALTER TABLE answers ADD COLUMN owner TEXT NOT NULL DEFAULT '';

CREATE INDEX answers_by_actor ON answers (actor, given_at);
