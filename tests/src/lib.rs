//! What the tests, the benches and the demo share.
//!
//! [`world`] is a whole private PKI at a fixed time, in this process; [`scenario`] is the demo, with
//! the real [`programs`]; [`forge`] signs what is wrong on purpose.

pub mod documents;
pub mod forge;
pub mod programs;
pub mod scenario;
pub mod world;
