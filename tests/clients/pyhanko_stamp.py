"""Makes a PDF, has it timestamped by pyHanko, and validates the timestamp.

usage: pyhanko_stamp.py URL ROOT.pem
"""

import io
import sys

from asn1crypto import pem, x509
from pyhanko.pdf_utils import generic, writer
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import HTTPTimeStamper
from pyhanko.sign.validation import validate_pdf_timestamp
from pyhanko_certvalidator import ValidationContext

url, root_file = sys.argv[1:]
with open(root_file, "rb") as file:
    root = x509.Certificate.load(pem.unarmor(file.read())[2])

made = writer.PdfFileWriter()
stream = made.add_object(generic.StreamObject(stream_data=b"BT ET"))
made.insert_page(
    writer.PageObject(contents=stream, media_box=generic.ArrayObject(map(generic.NumberObject, (0, 0, 200, 200))))
)
blank = io.BytesIO()
made.write(blank)
blank.seek(0)

# Nothing is fetched: revocation is looked at by other tests.
context = ValidationContext(trust_roots=[root], allow_fetching=False, revocation_mode="soft-fail")
stamped = PdfTimeStamper(HTTPTimeStamper(url)).timestamp_pdf(
    IncrementalPdfFileWriter(blank), "sha256", context
)
signature = PdfFileReader(stamped).embedded_timestamp_signatures[0]
status = validate_pdf_timestamp(signature, context)
print(status.summary())
assert status.intact and status.valid and status.trusted, "not trusted"
