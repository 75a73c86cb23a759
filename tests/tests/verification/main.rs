//! What verification answers, through `core` itself: one program, because each takes as long to compile and link.

mod bundle_forms;
mod inspecting;
mod key_compromise;
mod legacy_tokens;
mod managed_keys;
mod provenance;
mod public_good;
mod revocation_expiry;
mod revocation_token;
mod tampering;
mod timestamp_profile;
mod transparency;
mod trust_roots;
mod verdicts;
mod whole_files;
