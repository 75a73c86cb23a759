-- What is known of a certificate comes from the certificate itself (0) or from an import (1), which proves nothing. In
-- imports of earlier versions, digests are missing or the actor's name says so.
ALTER TABLE certificates ADD COLUMN evidence INTEGER NOT NULL DEFAULT 0 CHECK (evidence IN (0, 1));

UPDATE certificates SET evidence = 1
WHERE sha256 IS NULL OR actor IN (SELECT id FROM actors WHERE name LIKE 'imported by %');
