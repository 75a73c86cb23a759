//! The revocation service as a whole: real CA, real sockets, real `openssl`.

mod admin;
mod administration;
mod clock;
mod crash;
mod crl;
mod crl_series;
mod delegates;
mod http;
mod kept_answers;
mod ocsp;
mod openssl;
mod postgres;
mod program;
mod replicas;
mod start;
mod storage;
mod world;
