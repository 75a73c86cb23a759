//! The timestamp authority as its clients and its operator see it.

mod http_side;
mod openssl;
mod program;
mod rig;
mod rows;
mod start;
mod time;
