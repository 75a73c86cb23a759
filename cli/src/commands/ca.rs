//! `ca init`, `ca list`, `ca crl`.

use std::path::Path;

use countersign_core::{
    asn1,
    crl::{self, CertificateList, RevocationReason},
    finding::{Finding, FindingCode},
    limits,
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_signing::{
    ca::{CertificateAuthority, CrlPublication, Deltas, GivenKey, GivenKeys, InitOptions},
    crl::RevokedCertificate,
    files::FileMode,
    key::{self, KeyLocation, Passphrase},
    profile::Authority,
};
use serde_json::json;

use crate::{
    arguments::{
        CaCrlArguments, CaFolder, CaInitArguments, CaKey, CaListArguments, CaRevocation,
        KeyPassphrase,
    },
    failure::{Failure, Outcome, path_text},
    input,
    interrupt::without_interruption,
    output::{Answer, Words},
    prompt::Purpose,
    session::Session,
    writing::{Existing, write},
};

/// A passphrase where no key file is opened or made.
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
    };
    let crls = CrlPublication {
        shards: arguments.crl_shards.unwrap_or(0),
        deltas: if arguments.crl_deltas { Deltas::Named } else { Deltas::Unnamed },
    };
    let now = session.now();
    let ca = without_interruption(|| {
        CertificateAuthority::init_with_keys(folder, &options, crls, &keys, &passphrase, now)
    })?;
    let mut text = format!("{}: a new certificate authority\n", path_text(folder));
    let mut cas = Vec::new();
    for authority in Authority::ALL {
        let certificate = ca.certificate_path(authority);
        text.add(format_args!("  {:<13} {}\n", authority.name(), path_text(&certificate)));
        cas.push(json!({
            "name": authority.name(),
            "certificate": certificate,
            "key": ca.key_location(authority),
        }));
    }
    text.push_str(
        "Keep the root's key offline; nothing can be issued or revoked again without it.\n",
    );
    Answer::new(text, &json!({ "folder": folder, "authorities": cas }))
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

/// What stays of the list that is to be replaced.
#[derive(Default)]
struct EarlierList {
    number: Option<u64>,
    /// Serial number, date and reason of each revocation for good: none is undone by a new list.
    revoked: Vec<(Vec<u8>, UnixSeconds, RevocationReason)>,
}

/// The list that is to be replaced. Nothing else is replaced: a wrong path must not cost a key.
fn earlier_list(output: &Path, issuer: &[u8]) -> Outcome<EarlierList> {
    if !output.exists() {
        return Ok(EarlierList::default());
    }
    let kept = |found: &str| Failure::unwritable(output, found);
    let octets = input::read_der(output, limits::CRL_BYTES)
        .map_err(|_| kept("it exists and cannot be read as a CRL"))?;
    let earlier = CertificateList::decode(&octets).map_err(|_| kept("it exists and is no CRL"))?;
    let issuer = Certificate::decode(issuer)
        .map_err(|error| Failure::internal(format!("the authority's certificate: {error}")))?;
    if earlier.issuer != issuer.subject {
        return Err(kept("it is the CRL of another authority"));
    }
    let mut revoked = Vec::new();
    for entry in earlier.entries() {
        let entry = entry.map_err(|_| kept("it exists and cannot be read as a CRL"))?;
        if entry.reason != RevocationReason::CertificateHold {
            revoked.push((entry.serial.to_vec(), entry.effective_date(), entry.reason));
        }
    }
    let number = asn1::unsigned(earlier.extensions.number.unwrap_or(&[0]), "cRLNumber").ok();
    Ok(EarlierList { number, revoked })
}

/// Signs a CRL where the key is, for a CA that the revocation service does not sign for.
pub(super) fn crl(arguments: &CaCrlArguments, session: &Session) -> Outcome<Answer> {
    let (authority, nobody) = (arguments.authority, KeyPassphrase::default());
    let ca = open_without_keys(&arguments.ca.folder)?;
    let ca = open(ca, authority, &arguments.ca, &nobody, session)?;
    let now = session.now();
    let serials: Vec<Vec<u8>> = arguments
        .revoke
        .iter()
        .map(|revocation| serial_of(&ca, arguments.authority, revocation))
        .collect::<Outcome<_>>()?;
    let earlier = earlier_list(&arguments.output, ca.certificate(arguments.authority))?;
    let number = match (arguments.number, earlier.number) {
        (Some(number), Some(earlier)) if number <= earlier => {
            let found = format!("CRL number {number} does not grow: {earlier} is out");
            return Err(Failure::usage(found));
        }
        (Some(number), _) => number,
        (None, earlier) => {
            let next = earlier.map_or(0, |earlier| earlier.saturating_add(1));
            now.seconds().unsigned_abs().max(next)
        }
    };
    let next = now.plus_seconds(i64::from(arguments.days) * DAY_SECONDS);
    let mut builder = ca.crl(arguments.authority, number, now, next)?;
    for (revocation, serial) in arguments.revoke.iter().zip(&serials) {
        builder.revoke(&RevokedCertificate {
            serial,
            revocation_date: revocation.date,
            reason: revocation.reason,
        });
    }
    let mut kept = 0_usize;
    for (serial, date, reason) in &earlier.revoked {
        if !serials.contains(serial) {
            builder.revoke(&RevokedCertificate { serial, revocation_date: *date, reason: *reason });
            kept += 1;
        }
    }
    let revoked = arguments.revoke.len() + kept;
    let crl = builder.build(&*ca.signer(arguments.authority)?)?;
    let decoded = CertificateList::decode(&crl)
        .map_err(|error| Failure::internal(format!("our own CRL: {error}")))?;
    if let Some(finding) = crl::inspect(&decoded).into_iter().next() {
        return Err(finding.into());
    }
    write(&arguments.output, &crl, FileMode::Public, Existing::Replace)?;
    let output = path_text(&arguments.output);
    let text = format!(
        "{output}: CRL {number} of {}, {revoked} revoked{}, until {next}\n",
        arguments.authority.name(),
        if kept > 0 { format!(" ({kept} of them as before)") } else { String::new() },
    );
    let result = json!({
        "crl": output,
        "authority": arguments.authority.name(),
        "number": number,
        "this_update": now,
        "next_update": next,
        "revoked": revoked,
        "kept": kept,
    });
    Answer::new(text, &result)
}

/// The serial number's octets, of a certificate that this CA issued: a CRL with a serial number
/// that nobody has would revoke nothing.
fn serial_of(
    ca: &CertificateAuthority,
    authority: Authority,
    revocation: &CaRevocation,
) -> Outcome<Vec<u8>> {
    let serial = revocation.serial.replace(':', "");
    let (entry, certificate) = ca.issued(&serial)?;
    if entry.ca != authority {
        return Err(Finding::new(FindingCode::UsageInvalid)
            .about(serial)
            .expected(format!("a certificate that {} issued", authority.name()))
            .found(format!("one of {}", entry.ca.name()))
            .into());
    }
    let decoded = countersign_core::x509::Certificate::decode(&certificate)
        .map_err(|error| Failure::internal(error.to_string()))?;
    Ok(decoded.serial.to_vec())
}
