"""A server as people write one with Python's http.server: numbered events, a few for each request, from the reader's last on."""

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EVENTS = 9
AT_ONCE = 4


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/":
            self.stream()
        else:
            self.send_error(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.begin()
        for word in body.split():
            self.write(f"event: word\ndata: {word}\n\n")
        self.write("event: done\ndata:\n\n")

    def stream(self):
        last = int(self.headers.get("Last-Event-ID", 0))
        if last >= EVENTS:
            self.send_response(204)
            self.end_headers()
            return
        self.begin()
        self.write("retry: 20\n\n")
        for number in range(last + 1, min(last + AT_ONCE, EVENTS) + 1):
            self.write(f"id: {number}\r\nevent: tick\r\ndata: number\r\ndata: {number}\r\n\r\n")
            self.write(": still here\n\n")
            time.sleep(0.005)

    def begin(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()

    def write(self, text):
        self.wfile.write(text.encode())
        self.wfile.flush()

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
sys.stdout.close()
server.serve_forever()
