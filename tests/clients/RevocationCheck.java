// The JDK's own PKIX validation with its revocation checker: RevocationCheck MODE ROOT ISSUER LEAF, where MODE is ocsp,
// ocsp-nonce or crl. Says "good", or "revoked: REASON since DATE"; anything else is an error.

import java.io.FileInputStream;
import java.io.InputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

public class RevocationCheck {
    public static void main(String[] arguments) throws Exception {
        String mode = arguments[0];
        System.setProperty("com.sun.security.enableCRLDP", "true");
        System.setProperty("jdk.security.certpath.ocspNonce", String.valueOf(mode.equals("ocsp-nonce")));
        X509Certificate root = read(arguments[1]);
        CertPath path = CertificateFactory.getInstance("X.509")
            .generateCertPath(List.of(read(arguments[3]), read(arguments[2])));

        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        // One way, and no other when that fails.
        EnumSet<PKIXRevocationChecker.Option> options = EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK);
        if (mode.equals("crl")) {
            options.add(PKIXRevocationChecker.Option.PREFER_CRLS);
        }
        checker.setOptions(options);
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(path, parameters);
            System.out.println("good");
        } catch (CertPathValidatorException error) {
            if (error.getCause() instanceof CertificateRevokedException revoked) {
                System.out.println("revoked: " + revoked.getRevocationReason() + " since "
                    + revoked.getRevocationDate().toInstant());
            } else {
                throw error;
            }
        }
    }

    private static X509Certificate read(String file) throws Exception {
        try (InputStream stream = new FileInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(stream);
        }
    }
}
