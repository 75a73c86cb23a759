//! Witnesses for our DER: `RustCrypto`'s `x509-cert` and `cms`, which others wrote, read what
//! `signing` makes and find in it what core finds; and core finds in what they make what was put
//! there.

mod built;
mod certificates;
mod lists;
mod tokens;
