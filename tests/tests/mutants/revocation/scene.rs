//! A signed file whose signer's revocation is asked about.

use countersign_core::{
    Artifact, Evidence,
    crl::RevocationReason,
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{HashAlgorithm, digest},
    finding::FindingCode,
    oid,
    policy::Policy,
    report::{Report, Verdict},
    trust::{Authority, TrustRoot, Window},
    verify,
};
use countersign_signing::{
    bundle::{self, Bundle},
    der::{
        self,
        Criticality::{self, NonCritical},
    },
    ocsp::cert_id,
};
use countersign_tests::forge::{
    CertificateDraft, Chain, CrlDraft, DAY, EntryDraft, ExtensionDraft, ForgeKey, IDENTITY, NOW,
    OcspDraft, SignedChain, SingleDraft, key_usage, name, usages,
};

const FILE: &[u8] = b"the published program";

/// What was decided: a pass, or the code that leads.
pub(crate) type Outcome = Result<(), FindingCode>;

/// A signed file whose signer's revocation is asked about.
pub(crate) struct Scene {
    pub(crate) chain: Chain,
    pub(crate) signed: SignedChain,
    bundle: Vec<u8>,
    trust: TrustRoot,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::of(Chain::code_signing())
    }

    pub(crate) fn of(chain: Chain) -> Self {
        let signed = chain.sign();
        let digest = digest(&AwsLc, HashAlgorithm::Sha384, FILE);
        let evidence = bundle::Evidence { certificate: &signed.leaf, timestamps: &[] };
        let signature = chain.leaf_key.signature(FILE);
        let bundle = Bundle::message_signature(&digest, &signature, evidence);
        let authorities = vec![signed.authority.clone(), signed.root.clone()];
        let authority = Authority::from_chain("http://ca.example", authorities, Window::default());
        let trust = TrustRoot {
            certificate_authorities: vec![authority.expect("an authority")],
            timestamp_authorities: Vec::new(),
            logs: Vec::new(),
            certificate_logs: Vec::new(),
        };
        Self { bundle: bundle.to_json().expect("JSON").into(), chain, signed, trust }
    }

    #[track_caller]
    pub(crate) fn report(&self, crls: &[Vec<u8>], ocsp: &[Vec<u8>]) -> Report {
        let policy = format!(
            r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}],
                "timestamps":{{"required":0}}}}"#
        );
        let policy = Policy::decode(policy.as_bytes()).expect("a policy");
        let digests = [digest(&AwsLc, HashAlgorithm::Sha384, FILE)];
        let crls: Vec<&[u8]> = crls.iter().map(Vec::as_slice).collect();
        let ocsp: Vec<&[u8]> = ocsp.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            artifact: Artifact { digests: &digests, ..Artifact::default() },
            bundle: &self.bundle,
            crls: &crls,
            ocsp_responses: &ocsp,
            key: None,
            ..Evidence::default()
        };
        let by = |crypto: &dyn CryptoProvider| verify(&evidence, &self.trust, &policy, crypto, NOW);
        let native = by(&AwsLc);
        assert_eq!(native, by(&RustCrypto), "rustcrypto differs");
        native
    }

    #[track_caller]
    pub(crate) fn outcome(&self, crls: &[Vec<u8>], ocsp: &[Vec<u8>]) -> Outcome {
        let report = self.report(crls, ocsp);
        match report.verdict() {
            Verdict::Verified => Ok(()),
            _ => Err(report.decisive().expect("a reason").code),
        }
    }

    pub(crate) fn serial(&self) -> &[u8] {
        &self.chain.leaf.serial
    }

    /// A list of the signing CA, all certificates and reasons.
    pub(crate) fn list(&self) -> CrlDraft {
        CrlDraft::new(&self.chain.authority.subject)
    }

    pub(crate) fn delta(&self, base: u64) -> CrlDraft {
        CrlDraft::delta(&self.chain.authority.subject, base)
    }

    pub(crate) fn entry(&self, reason: RevocationReason) -> EntryDraft {
        EntryDraft::new(self.serial(), reason, NOW.minus_seconds(DAY))
    }

    /// The outcome with these lists, all signed by the CA.
    #[track_caller]
    pub(crate) fn with_lists(&self, lists: &[CrlDraft]) -> Outcome {
        let lists: Vec<Vec<u8>> =
            lists.iter().map(|list| list.sign(&self.chain.authority_key)).collect();
        self.outcome(&lists, &[])
    }

    pub(crate) fn good(&self) -> SingleDraft {
        let id = cert_id(HashAlgorithm::Sha1, &self.signed.authority, self.serial());
        SingleDraft::good(&id.expect("a CertID"))
    }

    pub(crate) fn answer(&self) -> OcspDraft {
        OcspDraft::new(self.good())
    }

    /// A delegate of the signing CA.
    pub(crate) fn delegate(&self, key: &ForgeKey) -> CertificateDraft {
        let (issuer, issuer_key) = (&self.chain.authority.subject, &self.chain.authority_key);
        CertificateDraft::new(&name("OCSP"), key, issuer, issuer_key)
            .with(key_usage(&[0]))
            .with(usages(NonCritical, &[oid::KP_OCSP_SIGNING]))
            .with(no_check())
    }

    /// The outcome with an answer by a delegate with one change.
    #[track_caller]
    pub(crate) fn by_delegate(
        &self,
        change: impl FnOnce(CertificateDraft) -> CertificateDraft,
    ) -> Outcome {
        let key = ForgeKey::p384("delegate");
        let delegate = change(self.delegate(&key)).sign(&self.chain.authority_key);
        self.outcome(&[], &[self.answer().with_certificate(&delegate).sign(&key)])
    }
}

pub(crate) fn no_check() -> ExtensionDraft {
    ExtensionDraft::new(oid::OCSP_NO_CHECK, NonCritical, der::NULL.to_vec())
}

/// The outcome with one list that has one change.
#[track_caller]
pub(crate) fn list(change: impl FnOnce(CrlDraft) -> CrlDraft) -> Outcome {
    let scene = Scene::new();
    scene.with_lists(&[change(scene.list())])
}

/// The outcome with one answer of the CA itself that has one change.
#[track_caller]
pub(crate) fn answer(change: impl FnOnce(&Scene, &mut OcspDraft)) -> Outcome {
    let scene = Scene::new();
    let mut draft = scene.answer();
    change(&scene, &mut draft);
    scene.outcome(&[], &[draft.sign(&scene.chain.authority_key)])
}

/// A BOOLEAN TRUE of issuingDistributionPoint.
pub(crate) fn flag(number: u8) -> Vec<u8> {
    der::implicit(number, &[0xFF])
}

pub(crate) fn unknown(criticality: Criticality) -> ExtensionDraft {
    ExtensionDraft { criticality, ..ExtensionDraft::unknown_critical() }
}
