//! Timestamps of ours, as `cms` reads them.

use cms::{
    cert::{
        CertificateChoices,
        x509::der::{Decode, Encode},
    },
    content_info::ContentInfo,
    signed_data::{SignedData as Witness, SignerIdentifier as WitnessIdentifier},
};
use countersign_core::{
    cms::{SignedData, SignerIdentifier},
    crypto::rustcrypto::RustCrypto,
    digest::{HashAlgorithm, digest},
    oid,
    tsp::TimestampResponse,
};
use countersign_signing::key::NewKey;
use countersign_tests::world::{NOW, World};

fn encoded(value: &impl Encode) -> Vec<u8> {
    value.to_der().expect("the witness writes what it read")
}

#[test]
fn a_witness_finds_in_each_token_what_core_finds() {
    for algorithm in NewKey::ALL {
        let world = World::with_algorithm(algorithm);
        let response = world.timestamp(b"a signature", NOW.minus_seconds(60));
        let response = TimestampResponse::decode(&response).expect("a response");
        let token = response.token.expect("a token");
        compare(token, &world);
    }
}

fn compare(token: &[u8], world: &World) {
    let ours = SignedData::decode(token).expect("core reads it");
    let outer = ContentInfo::from_der(token).expect("the witness reads it");
    assert_eq!(encoded(&outer), token, "the witness writes it alike");
    assert_eq!(outer.content_type.as_bytes(), oid::ID_SIGNED_DATA.as_bytes());
    let theirs: Witness = outer.content.decode_as().expect("SignedData");

    let content = &theirs.encap_content_info;
    assert_eq!(content.econtent_type.as_bytes(), ours.content_type.as_bytes());
    let octets = content.econtent.as_ref().expect("eContent").value();
    assert_eq!(octets, ours.content);
    let certificates = theirs.certificates.as_ref().map_or(vec![], |set| {
        let certificate = |choice: &CertificateChoices| match choice {
            CertificateChoices::Certificate(certificate) => encoded(certificate),
            CertificateChoices::Other(_) => panic!("no certificate"),
        };
        set.0.iter().map(certificate).collect()
    });
    assert_eq!(certificates, ours.certificates);

    let [signer] = theirs.signer_infos.0.as_slice() else { panic!("not one signer") };
    let [our_signer] = ours.signer_infos.as_slice() else { panic!("not one signer") };
    match (&signer.sid, our_signer.identifier) {
        (
            WitnessIdentifier::IssuerAndSerialNumber(name),
            SignerIdentifier::IssuerAndSerial { issuer, serial },
        ) => assert_eq!((&*encoded(&name.issuer), name.serial_number.as_bytes()), (issuer, serial)),
        other => panic!("named otherwise: {other:?}"),
    }
    let signers = countersign_tests::world::decoded(&world.timestamp_authority.certificate);
    let WitnessIdentifier::IssuerAndSerialNumber(name) = &signer.sid else { unreachable!() };
    assert_eq!(name.serial_number.as_bytes(), signers.serial);
    assert_eq!(encoded(&signer.digest_alg), our_signer.digest_algorithm.raw);
    assert_eq!(encoded(&signer.signature_algorithm), our_signer.signature_algorithm.raw);
    assert_eq!(signer.signature.as_bytes(), our_signer.signature);

    let attributes = signer.signed_attrs.as_ref().expect("signed attributes");
    // RFC 5652 §5.4: what is signed is the DER of the SET OF.
    assert_eq!(Some(encoded(attributes)), our_signer.signed_octets());
    for (id, value) in [
        (oid::AT_CONTENT_TYPE, None),
        (oid::AT_MESSAGE_DIGEST, Some(ours.content)),
        (oid::AT_SIGNING_CERTIFICATE_V2, None),
    ] {
        let one = attributes.iter().find(|each| each.oid.as_bytes() == id.as_bytes());
        let [of_witness] = one.expect("the attribute").values.as_slice() else { panic!("{id}") };
        let of_core = our_signer.attribute(id).expect("the attribute");
        assert_eq!(encoded(of_witness), of_core.raw, "{id}");
        if let Some(content) = value {
            let hash = HashAlgorithm::of(&our_signer.digest_algorithm).expect("a hash");
            assert_eq!(of_witness.value(), digest(&RustCrypto, hash, content).octets());
        }
    }
}
