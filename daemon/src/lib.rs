//! What the Countersign services share: everything around a request, nothing inside it.
//!
//! A service builds its routes with warp and hands them to [`server::Server`]; this crate owns the
//! socket, the limits, TLS, health, logs and the stop. It knows neither OCSP nor RFC 3161, and it
//! holds no key but those of its own TLS listeners.

mod activity;
pub mod admin;
mod admission;
mod body_room;
mod client;
pub mod clock;
pub mod clock_monitor;
pub mod config;
mod connection;
pub mod crash_point;
mod descriptors;
pub mod exit;
mod guard;
pub mod health;
pub mod json_body;
pub mod ledger;
pub mod limits;
mod log_lines;
pub mod logs;
pub mod media_type;
pub mod metrics;
mod observe;
pub mod peer;
mod per_address;
pub mod problem;
pub mod rate;
pub mod reception;
pub mod request_id;
pub mod route;
pub mod server;
pub mod sha256;
mod shares;
pub mod shutdown;
pub mod systemd;
pub mod tls;

pub use guard::Held;
