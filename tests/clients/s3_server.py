"""An S3-compatible object store in memory (moto), for the revocation service's tests.

    s3_server.py CERTIFICATE KEY PORT BUCKET

Listens with TLS on 127.0.0.1:PORT (0: a free one), makes BUCKET, prints the port, and ends with its standard input.
Everybody may read. Whoever writes must sign with SECRET as ACCESS_KEY_ID below; others are refused. `GET /_log` gives
the path and the status of each PUT.
"""

import json
import logging
import sys
import threading

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

# Whose requests are taken, and what they are signed with.
ACCESS_KEY_ID = "countersign-test"
SECRET = "a secret of the tests"


class Signed:
    """Refuses what is not signed with the secret, and notes what was put."""

    def __init__(self, application):
        self.application = application
        self.log = []

    def __call__(self, environ, start_response):
        request = Request(environ)
        if request.path == "/_log":
            return Response(json.dumps(self.log), content_type="application/json")(environ, start_response)
        is_reading = request.method in ("GET", "HEAD") and "Authorization" not in request.headers
        if is_reading:
            # A bucket in the path, whatever name the reader has for this host.
            environ["HTTP_HOST"] = "127.0.0.1"
            # moto has private buckets only; it asks who it is and believes the answer.
            environ["HTTP_AUTHORIZATION"] = (
                f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260101/us-east-1/s3/aws4_request, "
                "SignedHeaders=host, Signature=none"
            )
        if not is_reading and not self.is_signed(request):
            request.get_data()
            body = "<Error><Code>SignatureDoesNotMatch</Code><Message>No.</Message></Error>"
            return Response(body, status=403, content_type="application/xml")(environ, start_response)

        def noting(status, headers, exc_info=None):
            if request.method == "PUT":
                self.log.append([request.path, int(status.split(" ")[0])])
            return start_response(status, headers, exc_info)

        return self.application(environ, noting)

    @staticmethod
    def is_signed(request):
        authorization = request.headers.get("Authorization", "")
        fields = dict(
            part.strip().split("=", 1) for part in authorization.partition(" ")[2].split(",") if "=" in part
        )
        key_id, _, scope = fields.get("Credential", "").partition("/")
        if key_id != ACCESS_KEY_ID or scope.count("/") < 3:
            return False
        _date, region, service, _ = scope.split("/")
        headers = {
            name: request.headers.get(name, "") for name in fields.get("SignedHeaders", "").split(";")
        }
        again = AWSRequest(method=request.method, url=request.url, headers=headers)
        again.context["timestamp"] = request.headers.get("X-Amz-Date", "")
        again.context["payload_signing_enabled"] = True
        signer = S3SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET), service, region)
        wanted = signer.headers_to_sign(again)
        canonical = "\n".join(
            [
                again.method,
                signer._normalize_url_path(request.path),
                signer.canonical_query_string(again),
                signer.canonical_headers(wanted) + "\n",
                signer.signed_headers(wanted),
                request.headers.get("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"),
            ]
        )
        signature = signer.signature(signer.string_to_sign(again, canonical), again)
        return signature == fields.get("Signature")


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    certificate, key, port, bucket = sys.argv[1:]
    moto = DomainDispatcherApplication(create_backend_app)
    server = make_server(
        "127.0.0.1",
        int(port),
        Signed(moto),
        threaded=True,
        request_handler=MotoRequestHandler,
        ssl_context=(certificate, key),
    )
    backend = moto.get_application({"HTTP_HOST": "s3.amazonaws.com", "PATH_INFO": "/", "REQUEST_METHOD": "GET"})
    made = backend.test_client().put(f"/{bucket}", headers={"Host": "s3.amazonaws.com"})
    if made.status_code >= 300:
        sys.exit(f"the bucket was not made: {made.status_code} {made.data}")
    print(server.port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


main()
