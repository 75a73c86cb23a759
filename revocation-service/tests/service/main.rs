//! The revocation service as a whole: real CA, real sockets, real `openssl`.

mod admin;
mod administration;
mod clock;
mod crash;
mod crl;
mod crl_complete;
mod crl_series;
mod crl_succession;
mod delegates;
mod full_disk;
mod hold_release;
mod http;
mod kept_answers;
mod ledger;
mod object_store;
mod ocsp;
mod openssl;
mod postgres;
mod postgres_programs;
mod program;
mod replicas;
mod s3;
mod start;
mod storage;
mod world;
mod write_points;
