//! Which of our CAs issues certificates of which profile, and for how long.
//!
//! What such a certificate carries is `countersign_core`'s table, by which the result is linted
//! too before it is signed.

pub use countersign_core::x509::profile::{Kind, Names, Profile};
use serde::{Deserialize, Serialize};

/// A CA of ours; each has a folder of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authority {
    /// Issues the three others, and OCSP delegates for itself.
    Root,
    /// Issues code signers.
    Signing,
    /// Issues timestamp authorities.
    Timestamping,
    /// Issues TLS certificates.
    Service,
}

impl Authority {
    /// Every CA, the root first.
    pub const ALL: [Self; 4] = [Self::Root, Self::Signing, Self::Timestamping, Self::Service];

    /// Its name in folders and URLs: `timestamping`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Signing => "signing",
            Self::Timestamping => "timestamping",
            Self::Service => "service",
        }
    }

    /// The CA with that [`name`](Self::name).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|authority| authority.name() == name)
    }

    /// The profile of its certificate.
    pub const fn profile(self) -> Profile {
        match self {
            Self::Root => Profile::Root,
            Self::Signing => Profile::SigningCa,
            Self::Timestamping => Profile::TimestampingCa,
            Self::Service => Profile::ServiceCa,
        }
    }
}

/// What holds for the certificates of a profile beside what they carry.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Who may issue them. If there are several, the request says which.
    pub issuers: &'static [Authority],
    /// How long they are valid if the request does not say, in seconds.
    pub validity_seconds: i64,
}

const DAY_SECONDS: i64 = 24 * 60 * 60;
const YEAR_SECONDS: i64 = 365 * DAY_SECONDS;

/// The terms of a profile.
pub const fn terms(profile: Profile) -> Terms {
    use Authority as A;
    let (issuers, validity_seconds): (&[A], i64) = match profile {
        Profile::Root => (&[A::Root], 20 * YEAR_SECONDS),
        Profile::SigningCa | Profile::TimestampingCa | Profile::ServiceCa => {
            (&[A::Root], 10 * YEAR_SECONDS)
        }
        Profile::CodeSigner => (&[A::Signing], YEAR_SECONDS),
        Profile::TimestampAuthority => (&[A::Timestamping], 5 * YEAR_SECONDS),
        // Nobody asks whether a delegate is revoked (id-pkix-ocsp-nocheck): hence short.
        Profile::OcspDelegate => (&A::ALL, 14 * DAY_SECONDS),
        Profile::TlsServer | Profile::TlsClient => (&[A::Service], 90 * DAY_SECONDS),
    };
    Terms { issuers, validity_seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_parse() {
        for profile in Profile::ALL {
            assert_eq!(Profile::parse(profile.name()), Some(profile));
            let quoted = serde_json::to_string(&profile).expect("JSON");
            assert_eq!(quoted, format!("{:?}", profile.name()), "one name everywhere");
        }
        for authority in Authority::ALL {
            assert_eq!(Authority::parse(authority.name()), Some(authority));
        }
    }
}
