"""Asks for a timestamp as rfc3161-client does, and verifies it.

usage: rfc3161_client_stamp.py URL ROOT.pem
"""

import sys
import urllib.request

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerifierBuilder,
    decode_timestamp_response,
)

url, root_file = sys.argv[1:]
with open(root_file, "rb") as file:
    root = x509.load_pem_x509_certificate(file.read())

for algorithm in (HashAlgorithm.SHA256, HashAlgorithm.SHA512):
    message = b"a message for " + algorithm.name.encode()
    request = (
        TimestampRequestBuilder()
        .data(message)
        .hash_algorithm(algorithm)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    query = urllib.request.Request(
        url, request.as_bytes(), {"Content-Type": "application/timestamp-query"}
    )
    with urllib.request.urlopen(query, timeout=20) as answer:
        response = decode_timestamp_response(answer.read())
    assert response.tst_info.nonce == request.nonce
    # Without the authority's certificate: it must be in the token.
    verifier = VerifierBuilder().add_root_certificate(root).build()
    assert verifier.verify_message(response, message)
    try:
        verifier.verify_message(response, message + b"!")
    except Exception as error:
        print(algorithm.name, "verified; another message:", error)
    else:
        raise AssertionError("verified for another message")
