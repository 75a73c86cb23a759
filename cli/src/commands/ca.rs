//! `ca init`, `ca list`, `ca crl`.

use std::path::Path;

use countersign_core::{
    crl::{self, CertificateList},
    finding::Finding,
};
use countersign_signing::{
    ca::{CertificateAuthority, CrlPublication, Deltas, GivenKey, GivenKeys, InitOptions},
    crl::RevokedCertificate,
    files::FileMode,
    key::{self, KeyLocation, Passphrase},
    profile::Authority,
};
use serde_json::json;

use super::ca_crl::Listed;
use crate::{
    arguments::{CaCrlArguments, CaFolder, CaInitArguments, CaKey, CaListArguments, KeyPassphrase},
    codes,
    failure::{Failure, Outcome, path_text},
    interrupt::without_interruption,
    output::{Answer, Words},
    prompt::Purpose,
    session::Session,
    writing::{Existing, write},
};

/// A passphrase if no key file is opened or made.
const UNUSED: &str = "no key is opened";

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Makes a certificate authority.
pub(super) fn init(arguments: &CaInitArguments, session: &Session) -> Outcome<Answer> {
    let folder = arguments.folder.as_ref().or(arguments.dir.as_ref());
    let folder = folder.ok_or_else(|| Failure::usage("no folder is named"))?;
    let keys = given_keys(arguments, session)?;
    let passphrase = if keys.len() == Authority::ALL.len() {
        Passphrase::new(UNUSED)?
    } else {
        let file = arguments.ca_passphrase.file.as_deref();
        session.ca_passphrase(file, &arguments.passphrase, folder, Purpose::Protect)?
    };
    let options = InitOptions {
        organisation: arguments.organisation.clone(),
        base_url: arguments.base_url.clone(),
        algorithm: arguments.algorithm.into(),
        crls: CrlPublication {
            shards: arguments.crl_shards.unwrap_or(0),
            deltas: if arguments.crl_deltas { Deltas::Named } else { Deltas::Unnamed },
        },
        keys,
    };
    let now = session.now();
    let ca =
        without_interruption(|| CertificateAuthority::init(folder, &options, &passphrase, now))?;
    let mut text = format!("{}: a new certificate authority\n", path_text(folder));
    let mut cas = Vec::new();
    for authority in Authority::ALL {
        let certificate = ca.certificate_path(authority);
        text.add(format_args!("  {:<13} {}\n", authority.name(), path_text(&certificate)));
        cas.push(json!({
            "name": authority.name(),
            "certificate": path_text(&certificate),
            "key": ca.key_location(authority).to_string(),
        }));
    }
    text.add(format_args!(
        "Keep the root's key offline: {}\n  It is needed only to renew a CA, to sign the root's CRL, \
         and for a certificate of the root's own.\n",
        ca.key_location(Authority::Root)
    ));
    if arguments.ca_key.iter().any(|key| key.uri.names_file()) {
        session.output.say(
            "note: ca.toml names neither the PKCS#11 library nor a file with the PIN; set \
             COUNTERSIGN_PKCS11_MODULE, and give --ca-passphrase-file or set COUNTERSIGN_PKCS11_PIN",
        );
    }
    Answer::new(text, &json!({ "folder": path_text(folder), "authorities": cas }))
}

/// The keys in tokens that the new CAs are to have.
fn given_keys(arguments: &CaInitArguments, session: &Session) -> Outcome<GivenKeys> {
    let mut keys = GivenKeys::new();
    for CaKey { authority, uri } in &arguments.ca_key {
        let location = KeyLocation::Token(Box::new(uri.clone()));
        // The flag's file protects new keys; a PIN comes from the URI, the environment or a person.
        let pin = session.ca_pin(uri, None)?;
        let signer = key::open(&location, pin.as_ref())?;
        if keys.insert(*authority, GivenKey { location, signer }).is_some() {
            let found = format!("--ca-key names the key of {} twice", authority.name());
            return Err(Failure::usage(found));
        }
    }
    Ok(keys)
}

/// Makes the key of one of its CAs usable: `ca` was opened without.
pub(super) fn open(
    ca: CertificateAuthority,
    authority: Authority,
    arguments: &CaFolder,
    key: &KeyPassphrase,
    session: &Session,
) -> Outcome<CertificateAuthority> {
    let file = arguments.passphrase.file.as_deref();
    match ca.key_location(authority) {
        KeyLocation::File(_) => {
            let passphrase = session.ca_passphrase(file, key, &arguments.folder, Purpose::Open)?;
            Ok(CertificateAuthority::open(&arguments.folder, &passphrase)?)
        }
        KeyLocation::Token(uri) => Ok(match session.ca_pin(&uri, file)? {
            Some(pin) => ca.with_pin(pin),
            None => ca,
        }),
    }
}

/// Opens an authority of which only certificates and index are needed: no key is decrypted, so no
/// passphrase is asked for.
pub(super) fn open_without_keys(folder: &Path) -> Outcome<CertificateAuthority> {
    Ok(CertificateAuthority::open(folder, &Passphrase::new(UNUSED)?)?)
}

/// Lists what was issued.
pub(super) fn list(arguments: &CaListArguments) -> Outcome<Answer> {
    let entries = open_without_keys(&arguments.folder)?.list()?;
    let mut text = String::new();
    for entry in &entries {
        text.add(format_args!(
            "{:<32}  {:<12}  {:<19}  {}  {}\n",
            entry.serial,
            entry.ca.name(),
            entry.profile.name(),
            entry.not_after,
            countersign_core::finding::quoted(entry.subject.clone()),
        ));
    }
    Answer::new(text, &json!({ "certificates": entries }))
}

/// Signs a CRL where the key is, for a CA that the revocation service does not sign for.
pub(super) fn crl(arguments: &CaCrlArguments, session: &Session) -> Outcome<Answer> {
    let (authority, nobody) = (arguments.authority, KeyPassphrase::default());
    let ca = open_without_keys(&arguments.ca.folder)?;
    let ca = open(ca, authority, &arguments.ca, &nobody, session)?;
    let now = session.now();
    let mut listed = Listed::read(&ca, authority, &arguments.output)?;
    let before = listed.entries.len();
    for revocation in &arguments.revoke {
        let serial = serial_of(&ca, authority, &revocation.serial)?;
        listed.revoke(serial, (revocation.reason, revocation.date))?;
    }
    let added = listed.entries.len() - before;
    for serial in &arguments.release {
        listed.release(&serial_of(&ca, authority, serial)?)?;
    }
    let number = match (arguments.number, listed.number) {
        (Some(number), Some(earlier)) if number <= earlier => {
            let found =
                format!("CRL number {number} is too low: number {earlier} was published already");
            return Err(Failure::usage(found));
        }
        (Some(number), _) => number,
        (None, earlier) => {
            let next = earlier.map_or(0, |earlier| earlier.saturating_add(1));
            now.seconds().unsigned_abs().max(next)
        }
    };
    let next = now.plus_seconds(i64::from(arguments.days) * DAY_SECONDS);
    let mut builder = ca.crl(authority, number, now, next)?;
    for (serial, (reason, revocation_date)) in &listed.entries {
        let (reason, revocation_date) = (*reason, *revocation_date);
        builder.revoke(&RevokedCertificate { serial, revocation_date, reason });
    }
    let crl = builder.build(&*ca.signer(authority)?)?;
    let decoded = CertificateList::decode(&crl)
        .map_err(|error| Failure::internal(format!("our own CRL: {error}")))?;
    if let Some(finding) = crl::inspect(&decoded).into_iter().next() {
        return Err(finding.into());
    }
    // It is kept before it is handed out: what nobody got may be listed, what somebody got must be.
    without_interruption(|| ca.keep_crl(authority, &crl))?;
    write(&arguments.output, &crl, FileMode::Public, Existing::Replace)?;
    let (output, revoked) = (path_text(&arguments.output), listed.entries.len());
    let text = format!(
        "{output}: CRL {number} of {}, {revoked} revoked ({added} new, {} released), until {next}\n",
        authority.name(),
        arguments.release.len(),
    );
    let result = json!({
        "crl": output,
        "authority": authority.name(),
        "number": number,
        "this_update": now,
        "next_update": next,
        "revoked": revoked,
        "added": added,
        "released": arguments.release.len(),
    });
    Answer::new(text, &result)
}

/// The serial number's octets, of a certificate that this CA issued: a CRL with a serial number
/// that nobody has would revoke nothing.
fn serial_of(ca: &CertificateAuthority, authority: Authority, serial: &str) -> Outcome<Vec<u8>> {
    let serial = serial.replace(':', "");
    let (entry, certificate) = ca.issued(&serial)?;
    if entry.ca != authority {
        return Err(Finding::new(codes::USAGE_INVALID)
            .about(serial)
            .expected(format!("a certificate that {} issued", authority.name()))
            .found(format!("one of {}", entry.ca.name()))
            .into());
    }
    let decoded = countersign_core::x509::Certificate::decode(&certificate)
        .map_err(|error| Failure::internal(error.to_string()))?;
    Ok(decoded.serial.to_vec())
}
