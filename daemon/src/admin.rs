//! Administration by people: who calls, what they may, what takes two of them, and what is put on
//! record.
//!
//! It is the same for every service, and none of it knows what an order does. A service brings its
//! roles ([`Role`]), its routes with what each [`Needs`], its storage for proposals and for answers
//! under idempotency keys, and whether a client's certificate is revoked. A request takes this way:
//!
//! ```text
//! client certificate ── certificate_of ── Actor::of ── (revoked? the service says) ── refuse_pages
//!        ── Actor::require(needs) ── Keyed::wanted / replay ── Record::order ── the order
//!        ── Record::outcome ── Keyed::kept ── Answer
//! ```

mod actor;
mod answer;
mod denials;
mod idempotency;
mod pages;
pub mod paging;
mod people;
mod person;
pub mod proposal;
mod record;

pub use self::{
    actor::{Actor, certificate_of},
    answer::{Answer, JSON_LINES},
    denials::Which,
    idempotency::{KeyReserved, KeyUse, Keyed, Remembered, replayed},
    pages::refuse_pages,
    people::{Administrator, Needs, Role, validate},
    person::Person,
    record::Record,
};
