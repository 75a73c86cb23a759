//! How a service's program ends: its exit codes, and the line that says why.
//!
//! Which error has which code is the service's to say.

use std::error::Error;

use countersign_signing::concealed::concealed;

/// The exit code for a configuration, key or certificate that cannot be used.
pub const UNUSABLE: u8 = 2;

/// The exit code for an address that cannot be listened on, a database that cannot be opened, and
/// whatever else the system refuses: the same configuration may do another time.
pub const CANNOT_RUN: u8 = 3;

/// The error and its causes in one line, without a cause that the text before has in it, and without the password
/// of an address that the configuration has in a wrong place.
pub fn reason(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let said = causes.map(ToString::to_string).fold(String::new(), |said, cause| {
        match (said.is_empty(), said.contains(&cause)) {
            (true, _) => cause,
            (false, true) => said,
            (false, false) => format!("{said}: {cause}"),
        }
    });
    concealed(&said).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Outer {
        text: &'static str,
        #[source]
        cause: io::Error,
    }

    #[test]
    fn says_each_cause_once() {
        for (text, want) in
            [("a.pem: no such file", "a.pem: no such file"), ("a.pem", "a.pem: no such file")]
        {
            let error = Outer { text, cause: io::Error::other("no such file") };
            assert_eq!(reason(&error), want);
        }
    }
}
