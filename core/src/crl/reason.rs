//! Reasons of a revocation: one of them, and sets of them.

use crate::asn1::{Result, named_bits};

/// Why a certificate was revoked (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RevocationReason {
    /// No reason given; the extension is left out.
    #[default]
    Unspecified = 0,
    /// The subject's key is known or suspected to be in other hands.
    KeyCompromise = 1,
    /// The same for a CA's key.
    CaCompromise = 2,
    /// The subject's name or affiliation changed.
    AffiliationChanged = 3,
    /// The certificate was replaced.
    Superseded = 4,
    /// The certificate is no longer needed.
    CessationOfOperation = 5,
    /// Suspended; may be lifted.
    CertificateHold = 6,
    /// The suspension was lifted; in delta CRLs only.
    RemoveFromCrl = 8,
    /// A privilege was withdrawn.
    PrivilegeWithdrawn = 9,
    /// The key of an attribute authority is in other hands.
    AaCompromise = 10,
}

impl RevocationReason {
    /// All reasons.
    pub const ALL: [Self; 10] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The ENUMERATED value.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The reason with that ENUMERATED value.
    pub fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The name in the specification: `keyCompromise`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    /// How much the reason takes away from signatures older than the revocation's date: the order of the
    /// decision table in docs/revocation.md, with its row for timestamp authorities ("keyCompromise or no
    /// reason: the timestamp is void") putting `unspecified` above the administrative reasons.
    pub const fn weight(self) -> u8 {
        match self {
            Self::CertificateHold | Self::RemoveFromCrl => 0,
            Self::AffiliationChanged | Self::Superseded | Self::CessationOfOperation => 1,
            Self::PrivilegeWithdrawn => 2,
            Self::Unspecified => 3,
            Self::CaCompromise | Self::AaCompromise => 4,
            Self::KeyCompromise => 5,
        }
    }

    /// The reason with that name, letter case aside.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name().eq_ignore_ascii_case(name))
    }
}

/// `ReasonFlags` (RFC 5280 §4.2.1.13), bit n being bit n of the named-bit list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReasonFlags(u16);

impl ReasonFlags {
    /// keyCompromise(1) to aACompromise(8).
    const EVERY: u16 = 0b1_1111_1110;

    /// All reasons: what an absent `ReasonFlags` means.
    pub const ALL: Self = Self(Self::EVERY);

    /// Reads the content octets of a `ReasonFlags`.
    pub(crate) fn decode(content: &[u8], field: &'static str) -> Result<Self> {
        named_bits(content, field).map(Self)
    }

    /// The reasons of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The reasons that are in both.
    #[must_use]
    pub const fn shared_with(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether no reason is missing.
    pub const fn is_complete(self) -> bool {
        self.0 & Self::EVERY == Self::EVERY
    }
}
