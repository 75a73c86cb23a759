-- What was signed tells one certificate from another: anybody can make a second signature by ECDSA out of one, and with
-- it another digest of the whole. Nothing for what was registered before.
ALTER TABLE certificates ADD COLUMN tbs_sha256 BLOB CHECK (length(tbs_sha256) = 32);
