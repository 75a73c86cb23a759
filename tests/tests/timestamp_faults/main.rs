//! The timestamp service as a process, under attack and under accidents: floods, slow senders,
//! `kill -9`, several replicas.

mod bench;
mod crash;
mod floods;
mod replicas;
