"""Asks for a timestamp as sigstore-python does when it signs, and verifies it.

usage: sigstore_stamp.py URL ROOT.pem
"""

import sys

from cryptography import x509
from rfc3161_client import VerifierBuilder
from sigstore._internal.timestamp import TimestampAuthorityClient

url, root_file = sys.argv[1:]
with open(root_file, "rb") as file:
    root = x509.load_pem_x509_certificate(file.read())

signature = b"the octets of a signature"
response = TimestampAuthorityClient(url).request_timestamp(signature)
verifier = VerifierBuilder().add_root_certificate(root).build()
assert verifier.verify_message(response, signature)
print("verified", response.tst_info.gen_time)
