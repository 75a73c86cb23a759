//! What is kept: the values that go into [`Storage`](super::Storage) and come out of it.

use std::fmt;

use countersign_core::{time::UnixSeconds, x509::Certificate};
use countersign_daemon::{
    admin::{Person, proposal::PendingState},
    ledger::{Hash, Heads},
    sha256::sha256,
};

use crate::register::rules::{Revocation, RevocationOrder};

/// An issuer's row; only [`Storage::bind_issuer`](super::Storage::bind_issuer) makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(pub(crate) i64);

/// A certificate to be registered, or one that was. The certificate itself is the CA's to keep:
/// here is what decides, and a digest that tells it from any other.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateRecord {
    /// Who issued it.
    pub issuer: IssuerId,
    /// Content octets of the serial number's INTEGER.
    pub serial: Vec<u8>,
    /// What is known of the certificate beyond its serial number; nothing for one that an index
    /// named which has no certificates in it.
    pub digests: Option<Digests>,
    /// First second of its validity.
    pub not_before: UnixSeconds,
    /// Last second of its validity.
    pub not_after: UnixSeconds,
    /// What these facts rest on.
    pub evidence: Evidence,
    /// When it was registered here.
    pub registered_at: UnixSeconds,
    /// Who registered it.
    pub actor: String,
}

impl CertificateRecord {
    /// The record of a certificate that is at hand, which `actor` registers at `now`.
    pub(crate) fn of(
        certificate: &Certificate<'_>,
        issuer: IssuerId,
        now: UnixSeconds,
        actor: &str,
    ) -> Self {
        Self {
            issuer,
            serial: certificate.serial.to_vec(),
            digests: Some(Digests::of(certificate)),
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            evidence: Evidence::Certificate,
            registered_at: now,
            actor: actor.to_owned(),
        }
    }

    /// Whether `other`, of the same issuer and serial number, may be the same certificate. What was signed
    /// decides, not the signature: anybody can make another valid one out of a signature by ECDSA (s and n − s),
    /// and so a second certificate with another digest that says the same.
    pub(crate) fn may_be(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (&self.digests, &other.digests) else { return true };
        if let (Some(own), Some(others)) = (own.tbs_sha256, others.tbs_sha256) {
            return own == others;
        }
        let proven = |of: &Self| of.evidence == Evidence::Certificate;
        let facts = |of: &Self, digests: &Digests| {
            (digests.spki_sha256, digests.subject.clone(), of.not_before, of.not_after)
        };
        // Of one that an earlier version registered there is no more than that.
        own.sha256 == others.sha256
            || (proven(self) && proven(other) && facts(self, own) == facts(other, others))
    }

    /// SHA-256 of its `SubjectPublicKeyInfo`, if the certificate itself is at hand.
    pub(crate) fn proven_key(&self) -> Option<[u8; 32]> {
        self.evidence.proves(self.digests.as_ref()?.spki_sha256)
    }

    /// First second of its validity, if the certificate itself says so.
    pub fn proven_not_before(&self) -> Option<UnixSeconds> {
        self.evidence.proves(self.not_before)
    }
}

/// What the facts about a certificate rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The certificate itself, which its issuer signed.
    Certificate,
    /// The word of somebody who imported them. Nothing is decided by them, and the certificate replaces
    /// them when it is registered.
    Import,
}

impl Evidence {
    /// `fact`, if it is proven.
    pub(crate) fn proves<T>(self, fact: T) -> Option<T> {
        (self == Self::Certificate).then_some(fact)
    }
}

/// What tells one certificate from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256 of the whole certificate.
    pub sha256: [u8; 32],
    /// SHA-256 of its `TBSCertificate`; nothing for one that an earlier version of this service registered,
    /// or that an import did not tell.
    pub tbs_sha256: Option<[u8; 32]>,
    /// SHA-256 of the DER `SubjectPublicKeyInfo`.
    pub spki_sha256: [u8; 32],
    /// Subject, a DER `Name`.
    pub subject: Vec<u8>,
}

impl Digests {
    /// Those of a certificate.
    pub(crate) fn of(certificate: &Certificate<'_>) -> Self {
        Self {
            sha256: sha256(certificate.raw),
            tbs_sha256: Some(sha256(certificate.tbs)),
            spki_sha256: sha256(certificate.public_key.raw),
            subject: certificate.subject.to_vec(),
        }
    }
}

impl fmt::Debug for CertificateRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateRecord")
            .field("issuer", &self.issuer)
            .field("serial", &countersign_core::x509::certificate::serial_text(&self.serial))
            .finish_non_exhaustive()
    }
}

/// What is known of a serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was never registered.
    NeverIssued,
    /// Registered, not revoked.
    Good,
    /// Registered and revoked.
    Revoked(Revocation),
}

/// What became of one certificate handed in for registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// It is new, and on disk now.
    Registered,
    /// It is new, or it was there and good, and is revoked now: its key was revoked. Or it was revoked for
    /// keyCompromise when only its serial number was known; now its key is, and is revoked with it.
    RegisteredRevoked,
    /// Its serial number was known from an index; now the certificate is, too.
    Completed,
    /// Something else was on record. A certificate: by an import; now it is as the certificate says. A
    /// release: an earlier time of signing; now it is the later one.
    Corrected,
    /// The same certificate was there already.
    Known,
}

/// All revocations of one issuer at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// Grows with every change; two lists of one revision are equal.
    pub revision: i64,
    /// Serial number (content octets) and revocation, in the order of the octets.
    pub entries: Vec<(Vec<u8>, Revocation)>,
}

/// What changed among an issuer's revocations since a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationChanges {
    /// The revision they lead to.
    pub revision: i64,
    /// Serial number (content octets) and what it is now, in the order of the octets; `None` if
    /// a hold was lifted.
    pub entries: Vec<(Vec<u8>, Option<Revocation>)>,
}

/// The outcome of a revocation that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The state now on disk; removeFromCRL after a hold was lifted.
    pub revocation: Revocation,
    /// The issuer's revision that contains it; a CRL built from this or a later one shows it.
    pub revision: i64,
    /// The revisions of the issuers whose certificates were revoked with it, since they have its key.
    pub others: Vec<(IssuerId, i64)>,
}

/// A certificate in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The certificate.
    pub certificate: CertificateRecord,
    /// Its revocation, if it is revoked.
    pub revocation: Option<Revocation>,
}

/// Which certificates to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Of which issuer.
    pub issuer: IssuerId,
    /// All, or those that are revoked.
    pub which: Which,
    /// Only serial numbers (content octets) behind this one; empty: from the first.
    pub after: Vec<u8>,
    /// At most so many.
    pub limit: u32,
}

/// All certificates, or the revoked ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those that are revoked.
    Revoked,
}

/// A certificate that an order against its key concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfKey {
    /// Who issued it.
    pub issuer: IssuerId,
    /// Its serial number (content octets).
    pub serial: Vec<u8>,
    /// Its state now.
    pub revocation: Option<Revocation>,
    /// Whether this order changed that.
    pub changed: bool,
}

/// The outcome of an order against a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecorded {
    /// Its certificates, revoked now where their issuer was among those asked for.
    pub certificates: Vec<OfKey>,
    /// The revisions of the issuers that changed.
    pub revisions: Vec<(IssuerId, i64)>,
}

/// A key that is never good again: what is registered with it later is revoked at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedKey {
    /// SHA-256 of the DER `SubjectPublicKeyInfo`.
    pub spki_sha256: [u8; 32],
    /// The order against it: reason, date, when and by whom. Its date is not after any certificate's.
    pub revocation: Revocation,
}

/// An order that waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Whose certificate.
    pub issuer: IssuerId,
    /// Which (content octets).
    pub serial: Vec<u8>,
    /// The order; its actor is what the first person was called.
    pub order: RevocationOrder,
    /// The first person.
    pub by: Person,
    /// The revocation that it changes, as it stood when it was proposed: what another change makes
    /// of that is not what anybody proposed, and the proposal is void. Nothing in one that an earlier
    /// version of this service kept.
    pub was: Option<Revocation>,
    /// Why.
    pub comment: String,
    /// The certificate with which it was proposed, DER: when that is revoked, it may be void. Nothing in
    /// one that an earlier version of this service kept.
    pub proposer: Option<Vec<u8>>,
    /// When it is void if nobody approved it.
    pub expires_at: UnixSeconds,
}

/// A proposal as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its number.
    pub id: i64,
    /// What was proposed.
    pub proposal: Proposal,
    /// What became of it.
    pub state: PendingState,
}

impl Pending {
    /// SHA-256 over everything that a second person judges: who decides names it, so that what is
    /// approved is what was shown. What became of the proposal does not change it.
    pub fn sha256(&self) -> [u8; 32] {
        let Proposal { issuer, serial, order, by, was, comment, expires_at, proposer: _ } =
            &self.proposal;
        let by: Vec<&str> = by.identities().collect();
        let was = was
            .as_ref()
            .map(|was| (was.reason.code(), was.revocation_date, was.recorded_at, &was.actor));
        let order = (order.reason.code(), order.compromised_since, order.now, &order.actor);
        let whole = (self.id, issuer.0, serial, order, by, was, comment, expires_at);
        let whole = serde_json::json!(whole);
        sha256(whole.to_string().as_bytes())
    }
}

/// An audit ledger that this process writes, for its head to be kept with every change.
#[derive(Clone, Debug)]
pub struct HeldLedger {
    /// Its random number.
    pub id: String,
    /// Which replica writes it; empty if there is one process.
    pub replica: String,
    /// What tells its head.
    pub heads: Heads,
}

/// An audit ledger as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownLedger {
    /// Its random number.
    pub id: String,
    /// Which replica wrote it last; empty if there is one process.
    pub replica: String,
    /// The number of a record that must be in it.
    pub sequence: u64,
    /// Its head when that record was the last.
    pub hash: Hash,
    /// The ledger that an operator put in its place, if one did.
    pub replaced_by: Option<String>,
}

/// A CRL as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCrl {
    /// Its `CRLNumber`.
    pub number: u64,
    /// The revision it was built from; 0 for a CRL made elsewhere.
    pub revision: i64,
    /// The CRL, DER.
    pub der: Vec<u8>,
}

impl StoredCrl {
    /// Whether it may have been made elsewhere. One that was made here from revision 0 has no entries.
    pub(crate) fn was_made_elsewhere(&self) -> bool {
        self.revision == 0
    }
}
