//! Object identifiers, each with the document that assigns it.

use const_oid::ObjectIdentifier;

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($text);)*
    };
}

oids! {
    /// id-sha1 (RFC 3279 §2.1); identifies certificates in OCSP, proves nothing.
    SHA1 = "1.3.14.3.2.26";
    /// id-sha256 (RFC 5754 §2.2).
    SHA256 = "2.16.840.1.101.3.4.2.1";
    /// id-sha384 (RFC 5754 §2.3).
    SHA384 = "2.16.840.1.101.3.4.2.2";
    /// id-sha512 (RFC 5754 §2.4).
    SHA512 = "2.16.840.1.101.3.4.2.3";

    /// id-ecPublicKey (RFC 5480 §2.1.1).
    EC_PUBLIC_KEY = "1.2.840.10045.2.1";
    /// secp256r1 (RFC 5480 §2.1.1.1).
    SECP256R1 = "1.2.840.10045.3.1.7";
    /// secp384r1.
    SECP384R1 = "1.3.132.0.34";
    /// secp521r1.
    SECP521R1 = "1.3.132.0.35";
    /// id-Ed25519 (RFC 8410 §3).
    ED25519 = "1.3.101.112";
    /// rsaEncryption (RFC 8017 A.1).
    RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
    /// id-RSASSA-PSS (RFC 8017 A.2.3).
    RSA_PSS = "1.2.840.113549.1.1.10";
    /// sha256WithRSAEncryption.
    SHA256_WITH_RSA = "1.2.840.113549.1.1.11";
    /// sha384WithRSAEncryption.
    SHA384_WITH_RSA = "1.2.840.113549.1.1.12";
    /// sha512WithRSAEncryption.
    SHA512_WITH_RSA = "1.2.840.113549.1.1.13";
    /// ecdsa-with-SHA256 (RFC 5758 §3.2).
    ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
    /// ecdsa-with-SHA384.
    ECDSA_WITH_SHA384 = "1.2.840.10045.4.3.3";
    /// ecdsa-with-SHA512.
    ECDSA_WITH_SHA512 = "1.2.840.10045.4.3.4";

    /// id-data (RFC 5652 §4).
    ID_DATA = "1.2.840.113549.1.7.1";
    /// id-signedData (RFC 5652 §5.1).
    ID_SIGNED_DATA = "1.2.840.113549.1.7.2";
    /// id-contentType (RFC 5652 §11.1).
    AT_CONTENT_TYPE = "1.2.840.113549.1.9.3";
    /// id-messageDigest (RFC 5652 §11.2).
    AT_MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
    /// id-aa-signingCertificate (RFC 2634 §5.4), SHA-1.
    AT_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12";
    /// id-aa-signingCertificateV2 (RFC 5035 §3).
    AT_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";
    /// id-ct-TSTInfo (RFC 3161 §2.4.2).
    ID_CT_TST_INFO = "1.2.840.113549.1.9.16.1.4";

    /// id-ce-subjectKeyIdentifier (RFC 5280 §4.2.1.2).
    CE_SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
    /// id-ce-keyUsage (§4.2.1.3).
    CE_KEY_USAGE = "2.5.29.15";
    /// id-ce-privateKeyUsagePeriod (RFC 3280 §4.2.1.4).
    CE_PRIVATE_KEY_USAGE_PERIOD = "2.5.29.16";
    /// id-ce-subjectAltName (§4.2.1.6).
    CE_SUBJECT_ALT_NAME = "2.5.29.17";
    /// id-ce-basicConstraints (§4.2.1.9).
    CE_BASIC_CONSTRAINTS = "2.5.29.19";
    /// id-ce-cRLNumber (§5.2.3).
    CE_CRL_NUMBER = "2.5.29.20";
    /// id-ce-cRLReasons (§5.3.1).
    CE_CRL_REASONS = "2.5.29.21";
    /// id-ce-invalidityDate (§5.3.2).
    CE_INVALIDITY_DATE = "2.5.29.24";
    /// id-ce-deltaCRLIndicator (§5.2.4).
    CE_DELTA_CRL_INDICATOR = "2.5.29.27";
    /// id-ce-issuingDistributionPoint (§5.2.5).
    CE_ISSUING_DISTRIBUTION_POINT = "2.5.29.28";
    /// id-ce-certificateIssuer (§5.3.3).
    CE_CERTIFICATE_ISSUER = "2.5.29.29";
    /// id-ce-nameConstraints (§4.2.1.10).
    CE_NAME_CONSTRAINTS = "2.5.29.30";
    /// id-ce-cRLDistributionPoints (§4.2.1.13).
    CE_CRL_DISTRIBUTION_POINTS = "2.5.29.31";
    /// id-ce-certificatePolicies (§4.2.1.4).
    CE_CERTIFICATE_POLICIES = "2.5.29.32";
    /// anyPolicy (§4.2.1.4).
    ANY_POLICY = "2.5.29.32.0";
    /// id-ce-policyMappings (§4.2.1.5).
    CE_POLICY_MAPPINGS = "2.5.29.33";
    /// id-qt-cps (§4.2.1.4).
    QT_CPS = "1.3.6.1.5.5.7.2.1";
    /// id-qt-unotice (§4.2.1.4).
    QT_USER_NOTICE = "1.3.6.1.5.5.7.2.2";
    /// id-ce-authorityKeyIdentifier (§4.2.1.1).
    CE_AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
    /// id-ce-policyConstraints (§4.2.1.11).
    CE_POLICY_CONSTRAINTS = "2.5.29.36";
    /// id-ce-inhibitAnyPolicy (§4.2.1.14).
    CE_INHIBIT_ANY_POLICY = "2.5.29.54";
    /// id-ce-extKeyUsage (§4.2.1.12).
    CE_EXT_KEY_USAGE = "2.5.29.37";
    /// id-ce-freshestCRL (§4.2.1.15).
    CE_FRESHEST_CRL = "2.5.29.46";
    /// id-ce-expiredCertsOnCRL (X.509 §9.5.2.8).
    CE_EXPIRED_CERTS_ON_CRL = "2.5.29.60";
    /// id-pe-authorityInfoAccess (§4.2.2.1).
    PE_AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1";
    /// id-ad-ocsp.
    AD_OCSP = "1.3.6.1.5.5.7.48.1";
    /// id-ad-caIssuers.
    AD_CA_ISSUERS = "1.3.6.1.5.5.7.48.2";

    /// anyExtendedKeyUsage (§4.2.1.12).
    KP_ANY = "2.5.29.37.0";
    /// id-kp-serverAuth.
    KP_SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    /// id-kp-clientAuth.
    KP_CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    /// id-kp-codeSigning.
    KP_CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
    /// id-kp-timeStamping (RFC 3161 §2.3).
    KP_TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
    /// id-kp-OCSPSigning (RFC 6960 §4.2.2.2).
    KP_OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";

    /// id-pkix-ocsp-basic (RFC 6960 §4.2.1).
    OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1";
    /// id-pkix-ocsp-nonce (RFC 9654 §2.1).
    OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2";
    /// id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
    OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5";
    /// id-pkix-ocsp-archive-cutoff (RFC 6960 §4.4.4).
    OCSP_ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6";
    /// id-pkix-ocsp-extended-revoke (RFC 6960 §4.4.8).
    OCSP_EXTENDED_REVOKE = "1.3.6.1.5.5.7.48.1.9";

    /// Fulcio: OIDC issuer, raw bytes (deprecated form).
    OIDC_ISSUER_RAW = "1.3.6.1.4.1.57264.1.1";
    /// Fulcio: OIDC issuer, a DER `UTF8String`.
    OIDC_ISSUER = "1.3.6.1.4.1.57264.1.8";
    /// Embedded signed certificate timestamps (RFC 6962 §3.3).
    EMBEDDED_SCTS = "1.3.6.1.4.1.11129.2.4.2";
    /// The poison extension of a precertificate (RFC 6962 §3.1).
    PRECERTIFICATE_POISON = "1.3.6.1.4.1.11129.2.4.3";

    /// id-at-commonName (RFC 5280 A.1).
    AT_COMMON_NAME = "2.5.4.3";
    /// id-at-serialNumber.
    AT_SERIAL_NUMBER = "2.5.4.5";
    /// id-at-countryName.
    AT_COUNTRY = "2.5.4.6";
    /// id-at-localityName.
    AT_LOCALITY = "2.5.4.7";
    /// id-at-stateOrProvinceName.
    AT_STATE = "2.5.4.8";
    /// id-at-organizationName.
    AT_ORGANIZATION = "2.5.4.10";
    /// id-at-organizationalUnitName.
    AT_ORGANIZATIONAL_UNIT = "2.5.4.11";
    /// emailAddress (PKCS #9).
    AT_EMAIL_ADDRESS = "1.2.840.113549.1.9.1";
    /// domainComponent (RFC 4519).
    AT_DOMAIN_COMPONENT = "0.9.2342.19200300.100.1.25";
}
