//! The program as people and scripts meet it: the real binary, its exit codes, what it prints and
//! what it leaves on disk.

mod audit;
mod audit_tree;
mod bad_input;
mod bundles;
mod certificate_authority;
mod documentation;
mod grammar;
mod http;
mod keys;
mod names_not_utf8;
mod network;
mod network_hostile;
mod pem;
mod proxies;
mod public_bundles;
mod release;
mod settings;
mod streaming;
mod timestamp_services;
mod tokens;
mod world;
mod writing;
