-- People are known by what their certificates prove, each identity with its kind, a JSON list of text; their names are
-- shown. What waits from before is void: nobody knows any more who proposed it.
ALTER TABLE proposals ADD COLUMN identities TEXT;
ALTER TABLE proposals ADD COLUMN decided_by_identities TEXT;

UPDATE proposals SET state = 4 WHERE state = 0;
