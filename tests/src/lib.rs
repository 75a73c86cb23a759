//! What the tests, the benches and the demo share.
//!
//! [`world`] is a whole private PKI at a fixed time, in this process; [`log`] and
//! [`certificate_log`] are logs; [`scenario`] is the demo, with the real [`programs`]; [`forge`]
//! signs what is wrong on purpose, and [`corpus`] gathers it for every verifier; [`counting`] counts
//! signature checks; [`clients`] are programs of others, [`stamping`] is a small one of ours.

pub mod certificate_log;
pub mod clients;
pub mod corpus;
pub mod counting;
pub mod forge;
pub mod log;
pub mod programs;
pub mod scenario;
pub mod stamping;
pub mod world;
