"""An HTTP server that stands before a service and loses answers."""

import http.client
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Request = namedtuple("Request", "method path headers body")
Planned = namedtuple(
    "Planned", "status body headers cut", defaults=[b'{"success": false, "error": "Not now.", "code": "unavailable"}', {}, False]
)


class Proxy(ThreadingHTTPServer):
    """Each request takes the next entry of the plan: "pass", which is also what an empty plan says; "close" the connection and do
    nothing; "drop" the answer once the target has done the work, "cut" it in half, or "hang" forever instead; or a Planned answer.
    seen has every request."""

    daemon_threads = True

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), Handler)
        self.target, self.plan, self.seen = target, [], []
        self.ended = threading.Event()
        self.base = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        chunked = self.headers.get("Transfer-Encoding") == "chunked"
        body = b"".join(self.chunks()) if chunked else self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(Request(self.command, self.path, self.headers, body))
        step = self.server.plan.pop(0) if self.server.plan else "pass"
        if step == "close":
            self.close_connection = True
            return
        if isinstance(step, Planned):
            self.reply(step.status, step.headers.items(), step.body, step.cut)
            return
        target = http.client.HTTPConnection(self.server.target)
        target.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != "transfer-encoding"})
        response = target.getresponse()
        whole = response.read()
        target.close()
        if step == "hang":
            self.server.ended.wait()
        if step in ("hang", "drop"):
            self.close_connection = True
            return
        headers = [(k, v) for k, v in response.getheaders() if k.lower() not in ("content-length", "transfer-encoding", "connection")]
        self.reply(response.status, headers, whole, cut=step == "cut")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def chunks(self):
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def reply(self, status, headers, body, cut=False):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def log_message(self, *_):
        pass
