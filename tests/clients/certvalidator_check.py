"""pyhanko-certvalidator: certvalidator_check.py ROOT ISSUER LEAF. Says "good" or "revoked"; anything else is an error."""

import asyncio
import sys

from asn1crypto import pem, x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import RevokedError
from pyhanko_certvalidator.fetchers.requests_fetchers import RequestsFetcherBackend


def read(path):
    with open(path, "rb") as file:
        return x509.Certificate.load(pem.unarmor(file.read())[2])


async def main(root, issuer, leaf):
    context = ValidationContext(
        trust_roots=[read(root)],
        allow_fetching=True,
        # Every certificate below the root must be cleared.
        revocation_mode="require",
        fetcher_backend=RequestsFetcherBackend(),
    )
    validator = CertificateValidator(
        read(leaf), intermediate_certs=[read(issuer)], validation_context=context
    )
    try:
        await validator.async_validate_usage({"digital_signature"}, extended_key_usage={"code_signing"})
        print("good")
    except RevokedError as error:
        print(f"revoked: {error}")


asyncio.run(main(*sys.argv[1:]))
