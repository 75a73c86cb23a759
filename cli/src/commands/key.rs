//! `key`.

use countersign_signing::key::{FileKey, KeyAlgorithm};
use serde_json::json;

use crate::{
    arguments::KeyGenerateArguments,
    failure::{Failure, Outcome, path_text},
    interrupt::without_interruption,
    output::Answer,
    prompt::Purpose,
    session::Session,
};

/// Makes a key in a new file.
pub(super) fn generate(arguments: &KeyGenerateArguments, session: &Session) -> Outcome<Answer> {
    let path = arguments.file.as_ref().or(arguments.output.as_ref());
    let path = path.ok_or_else(|| Failure::usage("no key file is named"))?;
    if path.symlink_metadata().is_ok() {
        // Before anybody types a passphrase twice. The write looks again.
        return Err(Failure::unwritable(path, "it exists already; a key is never replaced"));
    }
    let passphrase = session.key_passphrase(&arguments.passphrase, path, Purpose::Protect)?;
    let algorithm = KeyAlgorithm::from(arguments.algorithm);
    let key = FileKey::generate(algorithm)?;
    without_interruption(|| key.save_new(path, &passphrase))?;
    let text = format!("{}: a new {} key, encrypted\n", path_text(path), algorithm.name());
    Answer::new(text, &json!({ "key": path, "algorithm": algorithm.name() }))
}
