//! `key`.

use std::path::Path;

use countersign_core::{
    crypto::{KeyAlgorithm as PublicKeyAlgorithm, aws_lc::AwsLc},
    digest::{HashAlgorithm, digest},
    x509::PublicKey,
};
use countersign_signing::{
    csr,
    files::FileMode,
    key::{
        FileKey, KeyLocation, TokenKeyAlgorithm, TokenUri, generate_in_token,
        store_certificate as store_in_token,
    },
    name::DistinguishedName,
    pem,
};
use serde_json::json;

use crate::{
    arguments::{
        KeyGenerateArguments, KeyRequestArguments, KeyShowArguments, KeyStoreCertificateArguments,
    },
    failure::{Failure, Outcome, path_text},
    input,
    interrupt::without_interruption,
    output::Answer,
    prompt::Purpose,
    session::Session,
    writing::{Existing, prepare, write},
};

/// Makes a key in a new file or in a token.
pub(super) fn generate(arguments: &KeyGenerateArguments, session: &Session) -> Outcome<Answer> {
    let named = arguments.key.clone().or_else(|| arguments.key_option.clone());
    let location = named.or_else(|| arguments.output.clone().map(KeyLocation::File));
    match location.ok_or_else(|| Failure::usage("no key is named"))? {
        KeyLocation::File(path) => generate_file(&path, arguments, session),
        KeyLocation::Token(uri) => make_in_token(&uri, arguments, session),
    }
}

fn generate_file(
    path: &Path,
    arguments: &KeyGenerateArguments,
    session: &Session,
) -> Outcome<Answer> {
    let TokenKeyAlgorithm::Usual(algorithm) = arguments.algorithm.into() else {
        let found = "such keys are made in tokens alone; for a file, choose p384, p256 or rsa3072";
        return Err(Failure::usage(format!("--algorithm: {found}")));
    };
    if path.symlink_metadata().is_ok() {
        // Before anybody types a passphrase twice. The write looks again.
        return Err(Failure::unwritable(path, "it exists already; a key is never replaced"));
    }
    let passphrase = session.key_passphrase(&arguments.passphrase, path, Purpose::Protect)?;
    let key = FileKey::generate(algorithm)?;
    without_interruption(|| key.save_new(path, &passphrase))?;
    let text = format!("{}: a new {} key, encrypted\n", path_text(path), algorithm.name());
    Answer::new(text, &json!({ "key": path_text(path), "algorithm": algorithm.name() }))
}

fn make_in_token(
    uri: &TokenUri,
    arguments: &KeyGenerateArguments,
    session: &Session,
) -> Outcome<Answer> {
    let pin = session.token_pin(uri, &arguments.passphrase)?;
    let algorithm = TokenKeyAlgorithm::from(arguments.algorithm);
    let made = without_interruption(|| generate_in_token(uri, algorithm, pin.as_ref()))?;
    let name = algorithm.name();
    let text = format!("{}\n  a new {name} key; it cannot leave the token\n", made.uri);
    Answer::new(text, &json!({ "key": made.uri.to_string(), "algorithm": name }))
}

/// Shows a key's public half. Opening a key in a token has it sign: what is shown works.
pub(super) fn show(arguments: &KeyShowArguments, session: &Session) -> Outcome<Answer> {
    let existing = Existing::of(arguments.force);
    if let Some(path) = &arguments.output {
        prepare(path, existing)?;
    }
    let location = required(arguments.key.as_ref(), session)?;
    let key = session.open_key(&location, &arguments.passphrase)?;
    let algorithm = match PublicKey::decode(key.spki()).map(|key| key.algorithm) {
        Ok(PublicKeyAlgorithm::Rsa { bits }) => format!("RSA of {bits} bits"),
        Ok(other) => other.name().to_owned(),
        Err(_) => "unknown".to_owned(),
    };
    let fingerprint = digest(&AwsLc, HashAlgorithm::Sha256, key.spki()).to_string();
    let public_key = pem::encode_public_key(key.spki());
    if let Some(path) = &arguments.output {
        write(path, public_key.as_bytes(), FileMode::Public, existing)?;
    }
    let name = location.to_string();
    let text = format!(
        "{name}\n  {algorithm}, signs {}\n  fingerprint {fingerprint}\n{public_key}",
        key.scheme().name()
    );
    Answer::new(
        text,
        &json!({
            "key": name,
            "algorithm": algorithm,
            "scheme": key.scheme().name(),
            "fingerprint": fingerprint,
            "public_key": public_key,
        }),
    )
}

/// Makes a certification request.
pub(super) fn request(arguments: &KeyRequestArguments, session: &Session) -> Outcome<Answer> {
    let existing = Existing::of(arguments.force);
    prepare(&arguments.output, existing)?;
    let location = required(arguments.key.as_ref(), session)?;
    let key = session.open_key(&location, &arguments.passphrase)?;
    let subject = DistinguishedName {
        organisation: arguments.organisation.clone(),
        common_name: Some(arguments.common_name.clone()),
        ..DistinguishedName::default()
    };
    let request = csr::encode_pem(&csr::build(&subject, &*key)?);
    write(&arguments.output, request.as_bytes(), FileMode::Public, existing)?;
    let output = path_text(&arguments.output);
    let text = format!("{output}: a certification request for {location}\n");
    Answer::new(text, &json!({ "request": output, "key": location.to_string() }))
}

/// Stores a certificate beside its key.
pub(super) fn store_certificate(
    arguments: &KeyStoreCertificateArguments,
    session: &Session,
) -> Outcome<Answer> {
    let KeyLocation::Token(uri) = required(arguments.key.as_ref(), session)? else {
        return Err(Failure::usage(
            "--key: a certificate is stored in a token; name a pkcs11: URI",
        ));
    };
    let certificate = input::certificate(&arguments.certificate)?;
    let pin = session.token_pin(&uri, &arguments.passphrase)?;
    without_interruption(|| store_in_token(&uri, &certificate, pin.as_ref()))?;
    let file = path_text(&arguments.certificate);
    let text = format!("{uri}\n  {file} is stored beside it\n");
    Answer::new(text, &json!({ "key": uri.to_string(), "certificate": file }))
}

fn required(typed: Option<&KeyLocation>, session: &Session) -> Outcome<KeyLocation> {
    input::required(typed, session.settings.key.as_ref(), "--key")
}
