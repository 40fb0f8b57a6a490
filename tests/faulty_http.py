"A web server on 127.0.0.1 that answers each request as a test says, and counts them"
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote


class Answer(NamedTuple):
    "What is sent; `headers` are added, and a value of None takes one away that would be sent"
    status:int = 200
    body:bytes = b''
    headers:dict = {}
    cut:int = None # bytes of the body after which the connection is closed
    silent:float = 0 # seconds before the first byte; ended when the server stops
    chunked:bool = False # in pieces, without a length
    drip:float = 0 # seconds before each byte of the body


class FaultyServer:
    "Serves `files`, a dict of (unquoted) path to bytes, with ranges, conditions and an ETag that is that of the bytes"
    def __init__(self):
        self.modified = 'Mon, 01 Jan 2024 00:00:00 GMT' # of every file
        self.files, self.answer = {}, None # answer: function of a request (with method, path, headers) and the honest Answer, that gives another or None
        self.requests, self._lock, self._over = [], threading.Lock(), threading.Event()
        server = self
        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def do_GET(self): server._handle(self)
            do_HEAD = do_GET
            def log_message(self, *_): pass
        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self._server.server_port}'
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': .02}, daemon=True)
        self._thread.start()

    def forget(self):
        "Start counting anew"
        with self._lock: self.requests = []

    def honest(self, request):
        "The answer of a server without a fault"
        data = self.files.get(unquote(request.path.partition('?')[0]))
        if data is None: return Answer(404, b'not found')
        etag = f'"{hash(data) & 2**64 - 1:x}"'
        facts = {'ETag': etag, 'Accept-Ranges': 'bytes', 'Last-Modified': self.modified}
        if request.headers.get('If-None-Match') == etag: return Answer(304, headers=facts)
        wanted = request.headers.get('Range', '')
        if not wanted.startswith('bytes='): return Answer(200, data, facts)
        first, _, last = wanted[6:].partition('-')
        start, end = (int(first), min(int(last or len(data)), len(data) - 1)) if first else (max(len(data) - int(last), 0), len(data) - 1)
        if start >= len(data): return Answer(416, headers={'Content-Range': f'bytes */{len(data)}'})
        return Answer(206, data[start:end + 1], facts | {'Content-Range': f'bytes {start}-{end}/{len(data)}'})

    def _handle(self, request):
        with self._lock: self.requests.append((request.command, request.path, request.headers.get('Range')))
        answer = self.honest(request)
        answer = self.answer and self.answer(request, answer) or answer
        if answer.silent: self._over.wait(answer.silent)
        body = b'' if request.command == 'HEAD' or answer.status == 304 else answer.body
        length = {'Transfer-Encoding': 'chunked'} if answer.chunked else {'Content-Length': str(len(answer.body))}
        try:
            request.send_response(answer.status)
            for name, value in (length | answer.headers).items():
                if value is not None: request.send_header(name, value)
            request.end_headers()
            if answer.chunked and body: body = b'%x\r\n%s\r\n0\r\n\r\n' % (len(body), body)
            if answer.drip: self._drip(request, body, answer.drip)
            else: request.wfile.write(body[:answer.cut])
            if answer.cut is not None: request.close_connection = True
        except (BrokenPipeError, ConnectionResetError): request.close_connection = True

    def _drip(self, request, body, wait):
        for i in range(len(body)):
            if self._over.wait(wait): return
            request.wfile.write(body[i:i + 1])

    def stop(self):
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def serving_faulty():
    "A `FaultyServer`, stopped after the block"
    server = FaultyServer()
    try: yield server
    finally: server.stop()
