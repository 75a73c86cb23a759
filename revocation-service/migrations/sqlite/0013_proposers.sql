-- The certificate with which somebody proposed: one who was locked out since proposes nothing. Nothing in what was
-- proposed before.
ALTER TABLE proposals ADD COLUMN proposer BLOB;
