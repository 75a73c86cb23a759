//! `revocation status`, `revocation fetch`.

use std::path::Path;

use countersign_core::{
    Artifact, EvidenceSet, Verification,
    bundle::{Bundle, Verifier},
    crypto::aws_lc::AwsLc,
    finding::{Finding, FindingCode, quoted},
    ocsp,
    policy::{Policy, Revocation},
    revocation::{self, Freshness, Known},
    time::UnixSeconds,
    tsp::TokenForm,
    x509::{Certificate, VerifiedLink},
};
use serde_json::{Value, json};

use super::{admin::Admin, ca_issue::malformed, verify::bundle_path};
use crate::{
    arguments::{RevocationFetchArguments, RevocationStatusArguments},
    artifact::Waiting,
    failure::{Failure, Outcome, path_text},
    fetch::{self, HttpClient, shown},
    input,
    kept_crls::{KeptCrls, Place, addresses},
    output::{Answer, Words, style, styled},
    revocation_evidence::{Cache, Fetched, Network, Piece, RevocationEvidence, ask_ocsp},
    session::Session,
    writing::{Existing, write_all},
};

/// Says whether a certificate is revoked.
pub(super) fn status(arguments: &RevocationStatusArguments, session: &Session) -> Outcome<Answer> {
    if arguments.admin.admin_url.is_some() || arguments.issuer.is_some() {
        return status_by_admin(arguments, session);
    }
    let path =
        arguments.certificate.as_ref().ok_or_else(|| Failure::usage("say which: --certificate"))?;
    status_by_ocsp(path, arguments, session)
}

fn status_by_admin(arguments: &RevocationStatusArguments, session: &Session) -> Outcome<Answer> {
    let (issuer, serial) = match (&arguments.certificate, &arguments.serial) {
        (Some(path), _) => named_by(path, arguments.issuer.as_deref())?,
        (None, Some(serial)) => (arguments.issuer.clone().unwrap_or_default(), serial.clone()),
        (None, None) => {
            return Err(Failure::usage("say which: --certificate, or --issuer with --serial"));
        }
    };
    let is_path_segment = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.:_".contains(&octet))
    };
    if !is_path_segment(&issuer) || !is_path_segment(&serial) {
        return Err(Failure::usage("issuer and serial number are letters, digits and -"));
    }
    let admin = Admin::open(&arguments.admin, session)?;
    let shown = admin.get(&format!("/v1/certificates/{issuer}/{serial}"))?;
    let (is_revoked, is_unknown) = (shown["status"] == "revoked", shown["status"] == "unknown");
    let said = |value: &Value| quoted(value.as_str().unwrap_or("?").to_owned());
    let text = if is_revoked {
        let revocation = &shown["revocation"];
        let reason = said(&revocation["reason"]);
        revoked_text(&reason, &said(&revocation["revocation_date"]))
    } else if is_unknown {
        let warning = styled(style::DOUBT, "Not known.");
        format!("{warning} Its issuer's CRL is made elsewhere, and the service has no valid one.\n")
    } else {
        format!("{} It is registered, and not revoked.\n", styled(style::GOOD, "✔ Good."))
    };
    let mut answer = Answer::new(text, &shown)?;
    answer.exit_code = match (is_revoked, is_unknown) {
        (true, _) => FindingCode::REVOKED.exit_code(),
        (false, true) => FindingCode::REVOCATION_STALE.exit_code(),
        (false, false) => 0,
    };
    Ok(answer)
}

/// Issuer and serial number of a certificate, as the service's paths have them. The issuer's name
/// is in the CRL's address (`…/crl/NAME.crl`) if our CA issued it.
fn named_by(path: &Path, issuer: Option<&str>) -> Outcome<(String, String)> {
    let der = input::certificate(path)?;
    let certificate =
        Certificate::decode(&der).map_err(|error| malformed(path, &error.to_string()))?;
    let serial = certificate.serial_text();
    let of_url = |url: &&str| url.rsplit('/').next()?.strip_suffix(".crl").map(str::to_owned);
    let issuer = issuer
        .map(str::to_owned)
        .or_else(|| certificate.extensions.crl_urls.iter().find_map(of_url));
    let issuer = issuer.ok_or_else(|| {
        Failure::usage("the certificate does not name its issuer: give --issuer NAME")
    })?;
    Ok((issuer, serial))
}

fn revoked_text(reason: &str, date: &str) -> String {
    format!("{} since {date} ({reason}).\n", styled(style::BAD, "✘ Revoked"))
}

fn status_by_ocsp(
    path: &Path,
    arguments: &RevocationStatusArguments,
    session: &Session,
) -> Outcome<Answer> {
    let mut chain = input::certificates(path)?;
    if let Some(issuer) = &arguments.issuer_certificate {
        chain.truncate(1);
        chain.push(input::certificate(issuer)?);
    }
    let [der, issuer_der, ..] = chain.as_slice() else {
        let found =
            "the issuer's certificate is needed: --issuer-certificate, or second in --certificate";
        return Err(Failure::usage(found));
    };
    let decode =
        |der| Certificate::decode(der).map_err(|error| malformed(path, &error.to_string()));
    let (certificate, issuer) = (decode(der)?, decode(issuer_der)?);
    let link = VerifiedLink::verify(&certificate, &issuer, &AwsLc)?;
    let mut named = certificate.extensions.ocsp_urls.iter();
    let in_certificate = named.find_map(|url| fetch::address(url).ok());
    let url = arguments.ocsp_url.clone().or(in_certificate).ok_or_else(|| {
        Failure::from(
            Finding::new(FindingCode::REVOCATION_NO_SOURCE).about(certificate.subject_text()),
        )
    })?;
    let client = HttpClient::public()?;
    let waiting = Waiting::begin(session, &format!("Asking {}", shown(&url)));
    let response = ask_ocsp(&client, &url, &ocsp::request(&certificate, &issuer, &AwsLc))?;
    drop(waiting);
    let rules = Revocation::default();
    let mut evidence = revocation::RevocationEvidence::decode(&[], &[&response])?;
    let standing = evidence.standing(link, &rules, &AwsLc, session.now());
    let seen = seen_revoked(link, &issuer, &response, session.now());
    let Some(known) = seen.or(standing.known) else {
        let fault = standing.faults.into_iter().next();
        return Err(fault.unwrap_or_else(|| FindingCode::REVOCATION_UNKNOWN.into()).into());
    };
    // Of an expired certificate, the last that was known says nothing of today.
    if known.freshness != Freshness::Fresh && known.revoked.is_none() {
        return Err(Finding::new(FindingCode::REVOCATION_STALE)
            .found(format!("as of {}", known.as_of))
            .into());
    }
    let (state, text, exit_code) = match known.revoked {
        None => ("good", format!("{} As of {}.\n", styled(style::GOOD, "✔ Good."), known.as_of), 0),
        Some((reason, date)) => (
            "revoked",
            revoked_text(reason.name(), &date.to_string()),
            FindingCode::REVOKED.exit_code(),
        ),
    };
    let result = json!({
        "serial": certificate.serial_text(),
        "status": state,
        "as_of": known.as_of,
        "revocation": known.revoked.map(|(reason, date)| json!({
            "reason": reason.name(), "revocation_date": date,
        })),
        "url": shown(&url),
    });
    let mut answer = Answer::new(text, &result)?;
    answer.exit_code = exit_code;
    Ok(answer)
}

/// The revocation that the response tells, which is remembered, or that this computer has seen before and the
/// response does not lift: one from before a revocation can be replayed.
fn seen_revoked(
    link: VerifiedLink<'_, '_>,
    issuer: &Certificate<'_>,
    response: &[u8],
    now: UnixSeconds,
) -> Option<Known> {
    let revocation = |crls: &[&[u8]], responses: &[&[u8]]| {
        let mut evidence = revocation::RevocationEvidence::decode(crls, responses).ok()?;
        let known = evidence.standing(link, &Revocation::default(), &AwsLc, now).known;
        known.filter(|known| known.revoked.is_some())
    };
    let kept = KeptCrls::usual()?;
    let (certificate, issuer_key) = (link.certificate(), issuer.public_key.raw);
    let urls = addresses(certificate.extensions.crl_urls.iter().copied());
    let crls: Vec<Vec<u8>> = urls.filter_map(|url| kept.read(Place { url, issuer_key })).collect();
    let crls: Vec<&[u8]> = crls.iter().map(Vec::as_slice).collect();
    let before = kept.read_response(issuer_key, certificate.serial);
    let responses: Vec<&[u8]> = [response].into_iter().chain(before.as_deref()).collect();
    if revocation(&[], &[response]).is_some() {
        // What was on hold may be revoked for good by now.
        kept.keep_response((issuer_key, certificate.serial), response, |before| {
            let both: Vec<&[u8]> = before.into_iter().chain([response]).collect();
            revocation(&[], &both) != before.and_then(|before| revocation(&[], &[before]))
        });
    }
    revocation(&crls, &responses)
}

/// Downloads what verification of a bundle will need.
pub(super) fn fetch(arguments: &RevocationFetchArguments, session: &Session) -> Outcome<Answer> {
    let trust = session.trust_root(arguments.trusted_root.as_ref())?;
    let path = match (&arguments.bundle, &arguments.file) {
        (Some(bundle), _) => bundle.clone(),
        (None, Some(file)) => bundle_path(file),
        (None, None) => return Err(Failure::usage("say which: FILE or --bundle")),
    };
    let octets = input::bundle(&path)?;
    let bundle = Bundle::decode(&octets)?;
    let key = arguments.key.as_deref().map(input::public_key).transpose()?;
    let by_key = matches!(bundle.verifier, Verifier::PublicKey { .. });
    if by_key && bundle.timestamps.is_empty() {
        return nothing_to_fetch(&path);
    }
    if by_key && key.is_none() {
        return Err(Finding::new(FindingCode::KEY_NOT_GIVEN)
            .about(path_text(&path))
            .expected("--key FILE: only what timestamps this key's signature counts")
            .into());
    }
    let now = session.now();
    // Whoever signed: only addresses are wanted, and those of trusted authorities are taken alone.
    let policy = Policy::for_identity("anybody@example.invalid", None)?;
    let set = EvidenceSet::decode(&octets, TokenForm::BerToo);
    let verification =
        Verification::open(&set, &trust, &policy, &session.crypto, key.as_deref(), now);
    let sources = verification.sources(&Artifact::default(), &[], &[]);
    if sources.is_empty() && by_key {
        return nothing_to_fetch(&path);
    }
    if sources.is_empty() {
        return Err(Finding::new(FindingCode::CERTIFICATE_UNKNOWN_ISSUER)
            .about(path_text(&path))
            .expected("a bundle whose certificates chain to the trust root")
            .into());
    }
    let mut collected = RevocationEvidence::open(&[], &[], Network::Online, Cache::Used)?;
    let Fetched { pieces, failed, .. } =
        collected.fetch(session, &sources, &policy.revocation, now);
    let unavailable = FindingCode::REVOCATION_UNAVAILABLE;
    if pieces.is_empty() && failed == 0 && by_key {
        return nothing_to_fetch(&path);
    }
    if pieces.is_empty() {
        let (code, found) = if failed > 0 {
            (unavailable, format!("no CRL or OCSP answer for {} certificates", sources.len()))
        } else {
            let found = format!("{} certificates, and none names a CRL or OCSP", sources.len());
            (FindingCode::REVOCATION_NO_SOURCE, found)
        };
        return Err(Finding::new(code).about(path_text(&path)).found(found).into());
    }
    let mut answer = save(&pieces, &arguments.output_dir, Existing::of(arguments.force))?;
    if failed > 0 {
        // What came is kept; that something is missing must not look like success.
        answer.text.add(format_args!(
            "There is no CRL or OCSP answer for {failed} of {} certificates.\n",
            sources.len()
        ));
        answer.exit_code = unavailable.exit_code();
    }
    Ok(answer)
}

/// No failure: verification of such a bundle needs nothing either.
fn nothing_to_fetch(bundle: &Path) -> Outcome<Answer> {
    let text = format!(
        "Nothing to fetch: {} is signed by a bare key. No CRL or OCSP speaks of one; whoever \
         trusts it stops doing so.\n",
        path_text(bundle)
    );
    Answer::new(text, &json!({ "fetched": [] }))
}

fn save(pieces: &[Piece], folder: &Path, existing: Existing) -> Outcome<Answer> {
    let files = named(pieces);
    write_all(folder, &files, existing)?;
    let mut text = String::new();
    let mut saved = Vec::new();
    for (piece, (name, _)) in pieces.iter().zip(&files) {
        let (kind, path) = (kind(piece), folder.join(name));
        text.add(format_args!(
            "{}  --{kind} from {}\n",
            path_text(&path),
            quoted(piece.url().to_owned())
        ));
        let file = path_text(&path);
        saved.push(json!({ "kind": kind, "file": file, "url": quoted(piece.url().to_owned()) }));
    }
    Answer::new(text, &json!({ "fetched": saved }))
}

/// What is written, each piece under a name of its own.
fn named(pieces: &[Piece]) -> Vec<(String, &[u8])> {
    let mut files: Vec<(String, &[u8])> = Vec::new();
    for piece in pieces {
        let plain = file_name(piece.url(), kind(piece));
        let mut name = plain.clone();
        for number in 2.. {
            if !files.iter().any(|(taken, _)| *taken == name) {
                break;
            }
            name = format!("{number}-{plain}");
        }
        files.push((name, piece.octets()));
    }
    files
}

fn kind(piece: &Piece) -> &'static str {
    match piece {
        Piece::Crl(..) => "crl",
        Piece::Ocsp(..) => "ocsp",
    }
}

/// A file name from an address: its last part, with nothing in it that could lead elsewhere.
fn file_name(url: &str, kind: &str) -> String {
    let last =
        url.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let stem = last.strip_suffix(&format!(".{kind}")).unwrap_or(last);
    let harmless =
        |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    let stem: String = stem.chars().map(harmless).take(64).collect();
    let stem = if stem.trim_matches('-').is_empty() { "evidence".to_owned() } else { stem };
    format!("{stem}.{kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_lead_nowhere_else() {
        assert_eq!(file_name("http://a/crl/signing.crl", "crl"), "signing.crl");
        assert_eq!(file_name("http://a/crl/../..%2Fetc?x=/y", "crl"), "---2Fetc.crl");
        assert_eq!(file_name("http://a/ocsp", "ocsp"), "ocsp.ocsp");
        assert_eq!(file_name("http://a/..", "crl"), "evidence.crl");
        assert_eq!(file_name("", "crl"), "evidence.crl");
    }
}
