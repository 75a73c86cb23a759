//! A whole PKI made by `openssl` alone: a root, a CA for signers, one for timestamps, a signer, a
//! timestamp authority, an OCSP delegate, and everything they can make.

use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign_core::{
    Artifact, Evidence,
    crypto::aws_lc::AwsLc,
    digest::{Digest, HashAlgorithm, digest},
    policy::Policy,
    report::Report,
    time::UnixSeconds,
    trust::TrustRoot,
    verify,
};
use countersign_signing::{
    bundle::{self, Bundle, pre_authentication_encoding},
    statement::{RELEASE_PREDICATE_TYPE, Statement, Subject},
    trust::{self, TrustedAuthority},
};

use crate::bench::Bench;

/// The signer's identity.
pub(crate) const IDENTITY: &str = "release@example.com";

/// The name under which the file is published.
pub(crate) const NAME: &str = "app";

/// The file that is signed.
pub(crate) const FILE: &[u8] = b"the published program";

/// A kind of key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keys {
    P256,
    P384,
    P521,
    Rsa,
}

impl Keys {
    pub(crate) const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Rsa];

    fn options(self) -> &'static str {
        match self {
            Self::P256 => "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
            Self::P384 => "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
            Self::P521 => "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
            Self::Rsa => "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        }
    }

    fn hash(self) -> HashAlgorithm {
        match self {
            Self::P384 => HashAlgorithm::Sha384,
            Self::P521 => HashAlgorithm::Sha512,
            Self::P256 | Self::Rsa => HashAlgorithm::Sha256,
        }
    }
}

/// What `openssl` reads. `DIGEST` and `IDENTITY` are put in.
const CONFIGURATION: &str = "\
[root]
database = root.index
rand_serial = yes
crlnumber = root.number
certificate = root.pem
private_key = root.key
new_certs_dir = .
default_md = DIGEST
default_days = 90
default_crl_days = 7
policy = any
crl_extensions = crl_root
[signing]
database = signing.index
rand_serial = yes
crlnumber = signing.number
certificate = signing.pem
private_key = signing.key
new_certs_dir = .
default_md = DIGEST
default_days = 30
default_crl_days = 7
policy = any
crl_extensions = crl_signing
[timestamping]
database = timestamping.index
rand_serial = yes
crlnumber = timestamping.number
certificate = timestamping.pem
private_key = timestamping.key
new_certs_dir = .
default_md = DIGEST
default_days = 30
default_crl_days = 7
policy = any
crl_extensions = crl_signing
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
O = Example
CN = replaced
[x_root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[x_ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:http://pki.example/root.crl
[x_ca_without_usage]
basicConstraints = critical, CA:TRUE
keyUsage = critical, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[x_signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning
subjectAltName = email:IDENTITY
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:http://pki.example/signing.crl
authorityInfoAccess = OCSP;URI:http://pki.example/ocsp
[x_server]
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = email:IDENTITY
authorityKeyIdentifier = keyid
[x_other_signer]
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning
subjectAltName = email:someone@else.example
authorityKeyIdentifier = keyid
[x_tsa]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[x_ocsp]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[crl_root]
authorityKeyIdentifier = keyid:always
[crl_signing]
authorityKeyIdentifier = keyid:always
issuingDistributionPoint = critical, @distribution_point
[distribution_point]
fullname = URI:http://pki.example/signing.crl
[tsa]
serial = tsa.serial
crypto_device = builtin
signer_digest = DIGEST
default_policy = 1.3.6.1.4.1.32473.7
other_policies = 1.3.6.1.4.1.32473.8
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
[tsa_talkative]
serial = tsa.serial
crypto_device = builtin
signer_digest = sha512
default_policy = 1.3.6.1.4.1.32473.7
other_policies = 1.3.6.1.4.1.32473.8
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:250
clock_precision_digits = 6
ordering = yes
tsa_name = yes
ess_cert_id_chain = yes
ess_cert_id_alg = sha384
";

/// How a timestamp is asked for and made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp<'a> {
    /// Options of `openssl ts -query`.
    pub(crate) query: &'a str,
    /// The section of the configuration.
    pub(crate) section: &'a str,
}

/// The usual one: with the authority's certificate.
pub(crate) const USUAL: Stamp<'static> = Stamp { query: "-sha256 -cert", section: "tsa" };

/// The PKI.
pub(crate) struct Authority {
    pub(crate) bench: Bench,
    keys: Keys,
}

impl Authority {
    pub(crate) fn new(keys: Keys) -> Self {
        let authority = Self { bench: Bench::new(), keys };
        let bench = &authority.bench;
        let text =
            CONFIGURATION.replace("DIGEST", keys.hash().name()).replace("IDENTITY", IDENTITY);
        bench.write("openssl.cnf", text);
        bench.write("tsa.serial", "01");
        for name in ["root", "signing", "timestamping"] {
            bench.write(&format!("{name}.index"), "");
            bench.write(&format!("{name}.index.attr"), "unique_subject = no\n");
            bench.write(&format!("{name}.number"), "01");
        }
        authority.new_key("root", keys.options());
        bench.openssl(
            "req -x509 -new -config openssl.cnf -extensions x_root -key root.key \
             -subj /O=Example/CN=Root -days 365 -out root.pem",
        );
        authority.issue("root", "signing", "x_ca", "");
        authority.issue("root", "timestamping", "x_ca", "");
        authority.issue("signing", "signer", "x_signer", "");
        authority.issue("signing", "ocsp", "x_ocsp", "");
        authority.issue("timestamping", "tsa", "x_tsa", "");
        authority
    }

    fn new_key(&self, name: &str, options: &str) {
        self.bench.openssl(&format!("genpkey {options} -out {name}.key"));
    }

    /// A certificate `NAME.pem` by a CA, with a key of the usual kind.
    pub(crate) fn issue(&self, ca: &str, name: &str, extensions: &str, options: &str) {
        self.issue_for(ca, name, extensions, options, self.keys.options());
    }

    /// A certificate `NAME.pem` by a CA, with a key of another kind.
    pub(crate) fn issue_for(
        &self,
        ca: &str,
        name: &str,
        extensions: &str,
        options: &str,
        key: &str,
    ) {
        self.new_key(name, key);
        self.bench.openssl(&format!(
            "req -new -config openssl.cnf -key {name}.key -subj /O=Example/CN={name} -out {name}.csr"
        ));
        self.bench.openssl(&format!(
            "ca -batch -notext -config openssl.cnf -name {ca} -extensions {extensions} {options} \
             -in {name}.csr -out {name}.pem"
        ));
    }

    /// The trust root that names the CAs, decoded.
    pub(crate) fn trust(&self) -> TrustRoot {
        TrustRoot::decode(self.trusted_root().as_bytes()).expect("our trust root decodes")
    }

    /// `trusted_root.json`.
    pub(crate) fn trusted_root(&self) -> String {
        let chain = |names: &[&str]| {
            names.iter().map(|name| self.bench.read_certificate(&format!("{name}.pem"))).collect()
        };
        trust::build(
            &[TrustedAuthority::new("https://ca.example", chain(&["signing", "root"]))],
            &[TrustedAuthority::new(
                "https://tsa.example",
                chain(&["tsa", "timestamping", "root"]),
            )],
        )
        .expect("a trust root")
    }

    /// A whole `TimeStampResp` by `openssl ts` over `octets`.
    pub(crate) fn stamp(&self, octets: &[u8], stamp: Stamp<'_>) -> Vec<u8> {
        let Stamp { query, section } = stamp;
        self.bench.write("stamped", octets);
        self.bench.openssl(&format!("ts -query -data stamped {query} -out query.tsq"));
        self.bench.openssl(&format!(
            "ts -reply -config openssl.cnf -section {section} -queryfile query.tsq -inkey tsa.key \
             -signer tsa.pem -chain timestamping.pem -out reply.tsr"
        ));
        self.bench.read("reply.tsr")
    }

    /// A signature by `openssl dgst` with `NAME.key`.
    pub(crate) fn signature(&self, name: &str, message: &[u8], options: &str) -> Vec<u8> {
        self.bench.write("message", message);
        let hash = self.keys.hash().name();
        self.bench
            .openssl(&format!("dgst -{hash} -sign {name}.key {options} -out signature message"));
        self.bench.read("signature")
    }

    /// A bundle with a message signature over [`FILE`] by `NAME.key`.
    pub(crate) fn sign_as(&self, name: &str, stamp: Option<Stamp<'_>>) -> Vec<u8> {
        let signature = self.signature(name, FILE, "");
        self.bundle_of(name, &signature, stamp)
    }

    /// A bundle around a signature over [`FILE`] that is there.
    pub(crate) fn bundle_of(
        &self,
        name: &str,
        signature: &[u8],
        stamp: Option<Stamp<'_>>,
    ) -> Vec<u8> {
        let digest = digest(&AwsLc, self.keys.hash(), FILE);
        let (certificate, timestamps) = self.material(name, signature, stamp);
        let evidence = bundle::Evidence { certificate: &certificate, timestamps: &timestamps };
        Bundle::message_signature(&digest, signature, evidence).to_json().expect("JSON").into()
    }

    /// A bundle with a statement about [`FILE`], signed by what `sign` makes of the message.
    pub(crate) fn attest_with(
        &self,
        name: &str,
        stamp: Option<Stamp<'_>>,
        sign: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Vec<u8> {
        let subject = Subject::new(NAME, &digests(), FILE.len() as u64);
        let statement =
            Statement::new(vec![subject], RELEASE_PREDICATE_TYPE, serde_json::Map::new());
        let payload = statement.to_json().expect("JSON");
        let signature = sign(&pre_authentication_encoding(bundle::IN_TOTO_PAYLOAD_TYPE, &payload));
        let (certificate, timestamps) = self.material(name, &signature, stamp);
        let evidence = bundle::Evidence { certificate: &certificate, timestamps: &timestamps };
        Bundle::dsse(bundle::IN_TOTO_PAYLOAD_TYPE, &payload, &signature, evidence)
            .to_json()
            .expect("JSON")
            .into()
    }

    fn material(
        &self,
        name: &str,
        signature: &[u8],
        stamp: Option<Stamp<'_>>,
    ) -> (Vec<u8>, Vec<Vec<u8>>) {
        let certificate = self.bench.read_certificate(&format!("{name}.pem"));
        (certificate, stamp.map(|stamp| self.stamp(signature, stamp)).into_iter().collect())
    }

    /// Revokes `NAME.pem` in the signing CA's index.
    pub(crate) fn revoke(&self, name: &str, why: &str) {
        self.bench
            .openssl(&format!("ca -config openssl.cnf -name signing -revoke {name}.pem {why}"));
    }

    /// A CRL by `openssl ca -gencrl`, DER.
    pub(crate) fn crl(&self, ca: &str) -> Vec<u8> {
        let options = "ca -gencrl -config openssl.cnf -name";
        self.bench.openssl(&format!("{options} {ca} -out {ca}.crl.pem"));
        self.bench.openssl(&format!("crl -in {ca}.crl.pem -outform DER -out {ca}.crl"));
        self.bench.read(&format!("{ca}.crl"))
    }

    /// An OCSP response about `NAME.pem`, signed by `RESPONDER.key`.
    pub(crate) fn ocsp(&self, name: &str, responder: &str, options: &str) -> Vec<u8> {
        self.bench.openssl(&format!(
            "ocsp -no_nonce {options} -issuer signing.pem -cert {name}.pem -reqout ocsp.request"
        ));
        self.bench.openssl(&format!(
            "ocsp -index signing.index -CA signing.pem -rsigner {responder}.pem \
             -rkey {responder}.key -ndays 1 -reqin ocsp.request -respout ocsp.response"
        ));
        self.bench.read("ocsp.response")
    }

    /// Verifies a bundle for [`FILE`] with this evidence.
    pub(crate) fn verify(&self, bundle: &[u8], crls: &[Vec<u8>], ocsp: &[Vec<u8>]) -> Report {
        self.verify_at(bundle, crls, ocsp, now())
    }

    /// As [`Self::verify`], at another time.
    pub(crate) fn verify_at(
        &self,
        bundle: &[u8],
        crls: &[Vec<u8>],
        ocsp: &[Vec<u8>],
        now: UnixSeconds,
    ) -> Report {
        let digests = digests();
        let crls: Vec<&[u8]> = crls.iter().map(Vec::as_slice).collect();
        let ocsp: Vec<&[u8]> = ocsp.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            artifact: Artifact {
                name: Some(NAME),
                size: Some(FILE.len() as u64),
                digests: &digests,
                content: None,
                beginning: Some(FILE),
                ..Artifact::default()
            },
            bundle,
            crls: &crls,
            ocsp_responses: &ocsp,
            key: None,
            ..Evidence::default()
        };
        let policy = Policy::for_identity(IDENTITY, None).expect("a policy");
        verify(&evidence, &self.trust(), &policy, &AwsLc, now)
    }
}

fn digests() -> [Digest; 3] {
    HashAlgorithm::STRONG.map(|algorithm| digest(&AwsLc, algorithm, FILE))
}

/// The time by the clock that `openssl` reads too.
pub(crate) fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    UnixSeconds::new(i64::try_from(since.as_secs()).expect("a time"))
}

/// Waits until the clock has passed `time`.
pub(crate) fn wait_until_after(time: UnixSeconds) {
    while now() <= time {
        thread::sleep(Duration::from_millis(20));
    }
}
