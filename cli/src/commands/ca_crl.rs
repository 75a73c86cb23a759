//! What a CA's lists said before. `ca crl` makes the next one from that: an option that somebody forgets
//! brings no revoked certificate back to life.

use std::{collections::BTreeMap, path::Path};

use countersign_core::{
    asn1,
    crl::{CertificateList, CompleteList, RevocationReason, Revoked, revives},
    crypto::aws_lc::AwsLc,
    limits,
    pem::{self, Kind},
    x509::{Certificate, certificate::serial_text},
};
use countersign_signing::{ca::CertificateAuthority, profile::Authority};

use crate::{
    failure::{Failure, Outcome},
    input,
};

/// Number and entries of the lists before; an entry by its serial number's content octets.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) number: Option<u64>,
    pub(super) entries: BTreeMap<Vec<u8>, Revoked>,
}

impl Listed {
    /// Reads the list that the CA's folder keeps, and the one that is to be replaced. Nothing but a list
    /// of this CA is replaced: a wrong path must not cost a key.
    ///
    /// # Errors
    /// One of them is no list of that CA, leaves something out, or was changed.
    pub(super) fn read(
        ca: &CertificateAuthority,
        authority: Authority,
        output: &Path,
    ) -> Outcome<Self> {
        let issuer = Certificate::decode(ca.certificate(authority))
            .map_err(|error| Failure::internal(format!("the authority's certificate: {error}")))?;
        let mut listed = Self::default();
        let url = ca.pointers(authority).crl_url;
        if let Some(octets) = ca.last_crl(authority)? {
            let changed = |found: &str| {
                let restore = "restore it, or remove it and give every --revoke again";
                Failure::unreadable(&ca.last_crl_path(authority), format!("{found}; {restore}"))
            };
            listed.add(pem::object(octets, Kind::Crl).ok(), (&issuer, &url), changed)?;
        }
        if output.exists() {
            let octets = input::object(output, Kind::Crl, limits::CRL_BYTES).ok();
            listed.add(octets, (&issuer, &url), |found| Failure::unwritable(output, found))?;
        }
        Ok(listed)
    }

    /// An entry that is in both lists is taken from the one with the greater number.
    fn add(
        &mut self,
        octets: Option<Vec<u8>>,
        (issuer, url): (&Certificate<'_>, &str),
        failure: impl Fn(&str) -> Failure,
    ) -> Outcome<()> {
        let octets = octets.ok_or_else(|| failure("it exists and cannot be read as a CRL"))?;
        let list =
            CertificateList::decode(&octets).map_err(|_| failure("it exists and is no CRL"))?;
        if !list.is_by(issuer, &AwsLc) {
            return Err(failure("it is the CRL of another authority"));
        }
        let complete = CompleteList::of(list, &[url]).map_err(|finding| {
            let [expected, found] =
                [finding.expected, finding.found].map(Option::unwrap_or_default);
            let code = finding.code.code();
            failure(&format!(
                "it is not the whole list ({code}: expected {expected}, found {found})"
            ))
        })?;
        let list = complete.list();
        let number = list.extensions.number.unwrap_or(&[0]);
        let number = asn1::unsigned(number, "cRLNumber").ok();
        let is_newer = number >= self.number;
        for entry in list.entries() {
            let entry = entry.map_err(|error| failure(&error.to_string()))?;
            let revoked = (entry.reason, entry.effective_date());
            let serial = entry.serial.to_vec();
            if is_newer {
                self.entries.insert(serial, revoked);
            } else {
                self.entries.entry(serial).or_insert(revoked);
            }
        }
        self.number = self.number.max(number);
        Ok(())
    }

    /// Adds an entry, or makes one stricter.
    ///
    /// # Errors
    /// It is listed already, for a graver reason or from an earlier date on.
    pub(super) fn revoke(&mut self, serial: Vec<u8>, revoked: Revoked) -> Outcome<()> {
        if let Some(before) = self.entries.get(&serial)
            && revives(*before, Some(revoked)).is_some()
        {
            let (reason, date) = before;
            let found = format!(
                "{} is listed already, for {} since {date}; a revocation cannot be undone",
                serial_text(&serial),
                reason.name()
            );
            return Err(Failure::usage(found));
        }
        self.entries.insert(serial, revoked);
        Ok(())
    }

    /// Takes a hold back.
    ///
    /// # Errors
    /// It is not on hold.
    pub(super) fn release(&mut self, serial: &[u8]) -> Outcome<()> {
        let text = serial_text(serial);
        match self.entries.get(serial) {
            Some((RevocationReason::CertificateHold, _)) => {
                self.entries.remove(serial);
                Ok(())
            }
            Some((reason, _)) => Err(Failure::usage(format!(
                "{text} is revoked for {}; only a hold can be lifted",
                reason.name()
            ))),
            None => Err(Failure::usage(format!("{text} is not on hold"))),
        }
    }
}
