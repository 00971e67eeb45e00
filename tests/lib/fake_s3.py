"""An S3 service that lies, cuts and delays as a test wants; unsigned requests are welcome."""
import hashlib
import http.server
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

LISTINGS = {
    "not-xml": "{}",
    "doctype": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><ListBucketResult>&a;</ListBucketResult>',
    "other-root": "<Wrong><Contents><Key>a</Key></Contents></Wrong>",
    "html": "<html><body>sign in</body></html>",
    "no-key": "<ListBucketResult><Contents><ETag>1</ETag></Contents></ListBucketResult>",
    "bad-etag": "<ListBucketResult><Contents><Key>a</Key><ETag>1&#10;b 2</ETag></Contents>"
                "</ListBucketResult>",
    "same-token": "<ListBucketResult><IsTruncated>true</IsTruncated>"
                  "<NextContinuationToken>x</NextContinuationToken></ListBucketResult>",
    "deep": "<a>" * 1000,
}


class FakeS3:
    """`objects` maps keys to text. listing: a key of LISTINGS, "endless", "many" (pages for ever),
    "stall" or "redirect". body: "short", "endless", "redirect", "cut", "stall". gone: keys that are
    listed only. etags: what the listing says instead. throttle: (status, Retry-After) of the first
    replies, "cut" for none at all. lives: of each session in turn, how many requests it is good for;
    `ended` is called when one is not any more."""

    def __init__(self, objects, listing=None, body=None, gone=(), etags=None, page=1000,
                 throttle=(), lives=(), ended=None, **_):
        self.objects = {k: v.encode() for k, v in objects.items()}
        self.listing, self.body, self.gone = listing, body, gone
        self.etags, self.page, self.throttle = etags or {}, page, list(throttle)
        self.paths, self.ranges, self.headers, self.times = [], [], [], []
        self.sent, self.lives, self.ended, self.sessions = 0, list(lives), ended, {}
        self.stopped, self.lock = threading.Event(), threading.Lock()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                fake.times.append(time.monotonic())
                fake.paths.append(self.path)
                fake.headers.append(dict(self.headers))
                if fake.throttle:
                    status, after = fake.throttle.pop(0)
                    if status == "cut":
                        self.close_connection = True
                        return
                    fake.reply(self, int(status), b"<Error><Code>SlowDown</Code></Error>",
                               **({"Retry-After": after} if after else {}))
                    return
                if fake.is_ended(self.headers.get("X-Amz-Security-Token")):
                    fake.reply(self, 400, b"<Error><Code>ExpiredToken</Code></Error>")
                    return
                path, _, query = self.path.partition("?")
                if "encoding-type" in query:
                    fake.list(self, urllib.parse.parse_qs(query))
                else:
                    fake.get(self, urllib.parse.unquote(path).removeprefix("/b/"))

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.endpoint = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()

    def reply(self, handler, status, body, **headers):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def stream(self, handler, chunk):
        """A body without an end."""
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while True:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def is_ended(self, session):
        if session is None or not self.ended:
            return False
        with self.lock:
            if session not in self.sessions:
                self.sessions[session] = self.lives.pop(0)
            self.sessions[session] -= 1
            if self.sessions[session] == -1:
                self.ended()
            return self.sessions[session] < 0

    def list(self, handler, query):
        if self.listing == "endless":
            self.stream(handler, b"<ListBucketResult>" + b" " * 65536)
        if self.listing == "redirect":
            self.reply(handler, 302, b"", Location=f"http://{self.endpoint}/stolen")
            return
        if self.listing == "stall":
            self.stopped.wait(60)
            return
        if self.listing == "many":
            self.reply_many(handler, int(query.get("continuation-token", ["0"])[0]))
            return
        if self.listing:
            self.reply(handler, 200, LISTINGS[self.listing].encode())
            return
        keys = sorted(self.objects)
        start = int(query.get("continuation-token", ["0"])[0])
        rows = "".join(
            f"<Contents><Key>{escape(urllib.parse.quote_plus(k))}</Key><ETag>&quot;"
            f"{self.etags.get(k) or self.etag(k)}&quot;</ETag><Size>{len(self.objects[k])}</Size>"
            "</Contents>" for k in keys[start:start + self.page])
        more = start + self.page < len(keys)
        token = "<NextContinuationToken>%d</NextContinuationToken>" % (start + self.page)
        token = token if more else ""
        self.reply(handler, 200, (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{rows}</ListBucketResult>").encode())

    def reply_many(self, handler, start):
        rows = "".join(f"<Contents><Key>k{i}</Key><ETag>{i}</ETag></Contents>"
                       for i in range(start, start + 10000))
        self.reply(handler, 200, (
            "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>"
            f"{start + 10000}</NextContinuationToken>{rows}</ListBucketResult>").encode())

    def etag(self, key):
        return hashlib.md5(self.objects[key]).hexdigest()

    def get(self, handler, key):
        if key not in self.objects or key in self.gone:
            self.reply(handler, 404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        match = handler.headers.get("If-Match")
        if match and match != f'"{self.etag(key)}"':
            self.reply(handler, 412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        if self.body == "redirect":
            self.reply(handler, 302, b"", Location="file:///etc/passwd")
            return
        if self.body == "endless":
            self.stream(handler, b"x" * 1048576)
        self.send(handler, key)

    def send(self, handler, key):
        data, first, headers = self.objects[key], 0, {"ETag": f'"{self.etag(key)}"'}
        wanted = handler.headers.get("Range")
        if wanted:
            self.ranges.append(wanted)
            first = int(wanted.removeprefix("bytes=").rstrip("-"))
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        handler.send_response(206 if wanted else 200)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data) - first))
        handler.end_headers()
        part = data[first:]
        if self.body == "short":
            part = part[:len(part) // 2]
        if self.body == "stall":
            handler.wfile.write(part[:1])
            self.stopped.wait(60)
            return
        if self.body == "cut" and not wanted:
            part = part[:len(part) // 2]
        self.sent += len(part)
        handler.wfile.write(part)
        handler.close_connection = len(part) < len(data) - first
