//! What the tests, the benches and the demo share.
//!
//! [`world`] is a whole private PKI at a fixed time, in this process, [`log`] a transparency log;
//! `scenario` is the demo, with the real programs.

pub mod documents;
pub mod log;
pub mod world;
