//! Certificate paths: every path from a leaf to a trust anchor is tried, and each is held against
//! all rules by itself (RFC 5280 §6.1 and our profile).
//!
//! `build` searches, `validate` judges one path, `constraints` and `policies` are the two
//! rules of their own. So a renewed or cross-signed CA, or a second certificate of one CA key, never
//! decides the outcome by its place in a file: candidates are brought into one order before the
//! search. Signatures are verified by the [`CryptoProvider`]; nothing here computes.
//!
//! Revocation is not looked at: who has the evidence chooses among the paths that hold.

mod build;
mod constraints;
mod leaf;
mod policies;
mod validate;

use alloc::{format, vec::Vec};
use core::cell::Cell;

use const_oid::ObjectIdentifier;

pub use leaf::inspect_leaf;

use super::{Certificate, VerifiedLink};
use crate::{
    asn1::Asn1Error,
    crypto::CryptoProvider,
    finding::{Finding, FindingCode},
    limits, oid,
    time::UnixSeconds,
};

/// What the path's leaf must be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Sign artifacts: keyUsage digitalSignature, extKeyUsage codeSigning.
    CodeSigning,
    /// Sign timestamps: extKeyUsage critical and only timeStamping (RFC 3161 §2.3).
    TimeStamping,
}

impl Purpose {
    fn usage(self) -> ObjectIdentifier {
        match self {
            Self::CodeSigning => oid::KP_CODE_SIGNING,
            Self::TimeStamping => oid::KP_TIME_STAMPING,
        }
    }
}

/// By what means searches for paths that belong together are made.
#[derive(Clone, Copy)]
pub(crate) struct Means<'c> {
    pub(crate) crypto: &'c dyn CryptoProvider,
    /// How many certificates all of them together may still try as the next issuer. One search tries at most
    /// [`limits::PATH_STEPS`](crate::limits::PATH_STEPS).
    pub(crate) steps: &'c Cell<usize>,
}

/// A path that was verified at one time for one purpose; only [`verify`] and [`verify_all`] make
/// one.
#[derive(Clone, Debug)]
pub struct VerifiedPath<'a> {
    leaf: Certificate<'a>,
    issuers: Vec<Certificate<'a>>,
}

impl<'a> VerifiedPath<'a> {
    /// The leaf.
    pub fn leaf(&self) -> &Certificate<'a> {
        &self.leaf
    }

    /// The leaf's issuer, its issuer and so on; the last is the trust anchor.
    pub fn issuers(&self) -> &[Certificate<'a>] {
        &self.issuers
    }

    /// Each certificate below the anchor with its issuer, the leaf first.
    pub fn links(&self) -> impl Iterator<Item = VerifiedLink<'_, 'a>> {
        let links = core::iter::once(&self.leaf).chain(&self.issuers).zip(&self.issuers);
        links.map(|(certificate, issuer)| VerifiedLink::of_path(certificate, issuer))
    }

    /// Leaf to anchor.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate<'a>> {
        core::iter::once(&self.leaf).chain(&self.issuers)
    }
}

/// Finds a path from `leaf` to one of `anchors`, valid at `time` and fit for `purpose`.
///
/// `intermediates` and `anchors` are DER certificates; an anchor is trusted for its name and key
/// and must itself be valid at `time`.
///
/// # Errors
/// The most telling finding, with the certificate it is about.
pub fn verify<'a>(
    leaf: &Certificate<'a>,
    intermediates: &[&'a [u8]],
    anchors: &[&'a [u8]],
    time: UnixSeconds,
    purpose: Purpose,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedPath<'a>, Finding> {
    let paths = verify_all(leaf, intermediates, anchors, time, purpose, crypto)?;
    paths.into_iter().next().ok_or_else(|| Finding::new(FindingCode::INTERNAL))
}

/// Like [`verify`], but gives every path that holds, at least one and at most
/// [`limits::PATHS`], the shortest way to an anchor first. The order of
/// `intermediates` and `anchors` makes no difference.
///
/// # Errors
/// The most telling finding, with the certificate it is about.
pub fn verify_all<'a>(
    leaf: &Certificate<'a>,
    intermediates: &[&'a [u8]],
    anchors: &[&'a [u8]],
    time: UnixSeconds,
    purpose: Purpose,
    crypto: &dyn CryptoProvider,
) -> Result<Vec<VerifiedPath<'a>>, Finding> {
    let steps = Cell::new(limits::PATH_STEPS);
    let means = Means { crypto, steps: &steps };
    verify_all_by(means, leaf, intermediates, anchors, time, purpose)
}

/// Like [`verify_all`], as one of several searches.
pub(crate) fn verify_all_by<'a>(
    means: Means<'_>,
    leaf: &Certificate<'a>,
    intermediates: &[&'a [u8]],
    anchors: &[&'a [u8]],
    time: UnixSeconds,
    purpose: Purpose,
) -> Result<Vec<VerifiedPath<'a>>, Finding> {
    // The leaf's own fitness first: "wrong use" tells more than "no path for that use".
    inspect_leaf(leaf, purpose)?;
    build::Search::new(leaf, intermediates, anchors, build::Terms { time, purpose, means }).run()
}

/// The finding for a certificate that cannot be decoded.
pub(crate) fn malformed(error: &Asn1Error) -> Finding {
    Finding::new(FindingCode::CERTIFICATE_MALFORMED).found(format!("{error}"))
}
