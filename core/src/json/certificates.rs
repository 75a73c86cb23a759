//! Certificates in Sigstore's JSON: `X509Certificate` and `X509CertificateChain` of `sigstore_common.proto`.

use alloc::vec::Vec;

use serde::Deserialize;

use super::{Base64Octets, strict};

/// One certificate.
#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CertificateForm {
    #[serde(alias = "raw_bytes")]
    raw_bytes: Base64Octets,
}

/// Several certificates, in their order.
#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CertificateChainForm {
    certificates: Vec<CertificateForm>,
}

strict! {
    object CertificateForm;
    object CertificateChainForm;
}

impl CertificateForm {
    /// Its octets; not yet decoded.
    pub(crate) fn into_octets(self) -> Vec<u8> {
        self.raw_bytes.0
    }
}

impl CertificateChainForm {
    /// The octets of each; not yet decoded.
    pub(crate) fn into_octets(self) -> Vec<Vec<u8>> {
        self.certificates.into_iter().map(CertificateForm::into_octets).collect()
    }
}
