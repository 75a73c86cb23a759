import java.io.FileInputStream;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.Security;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.tsp.TSPAlgorithms;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampToken;

/** Asks for a timestamp as BouncyCastle does, and verifies it. Usage: URL ROOT.pem POLICY. */
public final class BouncyCastleStamp {
    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        CertificateFactory certificates = CertificateFactory.getInstance("X.509");
        X509Certificate root;
        try (FileInputStream file = new FileInputStream(arguments[1])) {
            root = (X509Certificate) certificates.generateCertificate(file);
        }
        stamp(arguments[0], root, TSPAlgorithms.SHA256, "SHA-256", null);
        stamp(arguments[0], root, TSPAlgorithms.SHA384, "SHA-384", arguments[2]);
        stamp(arguments[0], root, TSPAlgorithms.SHA512, "SHA-512", arguments[2]);
    }

    private static void stamp(
            String url, X509Certificate root, ASN1ObjectIdentifier algorithm, String name, String policy)
            throws Exception {
        TimeStampRequestGenerator generator = new TimeStampRequestGenerator();
        generator.setCertReq(true);
        if (policy != null) {
            generator.setReqPolicy(new ASN1ObjectIdentifier(policy));
        }
        byte[] digest = MessageDigest.getInstance(name).digest("a message".getBytes());
        BigInteger nonce = new BigInteger(128, new SecureRandom());
        TimeStampRequest request = generator.generate(algorithm, digest, nonce);
        HttpRequest query = HttpRequest.newBuilder(URI.create(url))
                .header("Content-Type", "application/timestamp-query")
                .POST(HttpRequest.BodyPublishers.ofByteArray(request.getEncoded()))
                .build();
        HttpResponse<byte[]> answer =
                HttpClient.newHttpClient().send(query, HttpResponse.BodyHandlers.ofByteArray());
        TimeStampResponse response = new TimeStampResponse(answer.body());
        response.validate(request);
        TimeStampToken token = response.getTimeStampToken();

        @SuppressWarnings("unchecked")
        Collection<X509CertificateHolder> signers = token.getCertificates().getMatches(token.getSID());
        X509CertificateHolder signer = signers.iterator().next();
        token.validate(new JcaSimpleSignerInfoVerifierBuilder().build(signer));

        JcaX509CertificateConverter converter = new JcaX509CertificateConverter();
        List<X509Certificate> path = new ArrayList<>();
        path.add(converter.getCertificate(signer));
        @SuppressWarnings("unchecked")
        Collection<X509CertificateHolder> all = token.getCertificates().getMatches(null);
        for (X509CertificateHolder holder : all) {
            boolean issuer = holder.getSubject().equals(signer.getIssuer());
            if (issuer) {
                path.add(converter.getCertificate(holder));
            }
        }
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.setRevocationEnabled(false);
        // The one critical extension that PKIX leaves to the caller; BouncyCastle's token looked at it.
        CertPath chain = CertificateFactory.getInstance("X.509").generateCertPath(path);
        CertPathValidator.getInstance("PKIX").validate(chain, parameters);
        System.out.println(name + " verified, " + token.getTimeStampInfo().getGenTime());
    }
}
