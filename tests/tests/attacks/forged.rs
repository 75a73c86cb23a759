//! Client certificates as our own CA never makes them, by openssl with the CA's key.

use crate::site::Site;

/// Makes `NAME.pem` and `NAME.key` for a subjectAltName, signed by the CA of administrators, with an end.
pub(crate) fn client(site: &Site, name: &str, alternative: &str, usage: &str, end: &str) {
    site.succeed(&format!(
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -passout file:passphrase \
         -keyout {name}.pem.key -out {name}.csr -subj /CN=forged 2>/dev/null"
    ));
    certify(site, name, alternative, usage, end);
}

/// Makes `NAME.pem` of the request `NAME.csr`, and `NAME.key` of its key, `NAME.pem.key`.
pub(crate) fn certify(site: &Site, name: &str, alternative: &str, usage: &str, end: &str) {
    let extensions = format!(
        "[x]\nkeyUsage=digitalSignature\nextendedKeyUsage={usage}\nsubjectAltName={alternative}\n\
         authorityKeyIdentifier=keyid\n"
    );
    site.write("forged.ext", &extensions);
    let configuration = "[ca]\ndefault_ca=c\n[c]\ndatabase=forged.index\nnew_certs_dir=.\nrand_serial=yes\n\
                         default_md=sha384\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n";
    site.write("forged.cnf", configuration);
    let make = format!(
        "openssl pkcs8 -topk8 -v2 aes-256-cbc -scrypt -passin file:passphrase -passout env:COUNTERSIGN_CA_PASSPHRASE \
         -in {name}.pem.key -out {name}.key && chmod 600 {name}.key && : > forged.index && \
         openssl ca -batch -notext -config forged.cnf -in {name}.csr -cert ca/service/certificate.pem \
         -keyfile ca/service/key.pem -passin file:passphrase -startdate \
         \"$(date -u -d '-1 minute' +%Y%m%d%H%M%SZ)\" -enddate \"$(date -u -d '{end}' +%Y%m%d%H%M%SZ)\" \
         -extfile forged.ext -extensions x -out {name}.leaf && \
         cat {name}.leaf ca/service/certificate.pem > {name}.pem"
    );
    site.succeed(&make);
}

/// What `curl` with that certificate gets from the admin listener; `000` if TLS refused it.
pub(crate) fn status(site: &Site, name: &str, path: &str) -> String {
    let line = format!(
        "curl --silent --output answer --write-out '%{{http_code}}' --cacert ca/root/certificate.pem \
         --cert {name}.pem --key {name}.key --pass \"$(cat passphrase)\" \"$COUNTERSIGN_ADMIN_URL{path}\""
    );
    site.run(&line).stdout
}
