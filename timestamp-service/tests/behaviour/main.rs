//! The timestamp authority as its clients and its operator see it.

mod api;
mod audit;
mod clock;
mod http_side;
mod openssl;
mod policies;
mod program;
mod reload;
mod rig;
mod rotation;
mod rows;
mod start;
mod time;
