"An S3 server on 127.0.0.1 that can be slow and can fail, for tests and benchmarks"
import os
import threading
import time
from contextlib import contextmanager
from urllib.request import Request, urlopen

ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>{}</Message></Error>'


class Server:
    "moto's S3, behind a wait and a chance to refuse; its connections stay open, as those of S3 do"
    def __init__(self):
        from cheroot.wsgi import Server as WSGIServer
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        self._app, self._lock = DomainDispatcherApplication(create_backend_app), threading.Lock()
        self.latency, self.refuse = 0, None # seconds; function of method and path (with its query) that gives (status, code, message), or None
        self.forget()
        self._server = WSGIServer(('127.0.0.1', 0), self, numthreads=64)
        self._server.prepare()
        self.url = f'http://127.0.0.1:{self._server.bind_addr[1]}'
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    def forget(self):
        "Start counting anew"
        self.requests, self.now, self.highest = [], 0, 0

    def __call__(self, environ, start_response):
        query = environ['QUERY_STRING']
        environ['RAW_URI'] = environ['REQUEST_URI'] # or moto takes `%20` in a name for a blank, and `?` for its end
        with self._lock:
            self.requests.append((environ['REQUEST_METHOD'], environ['PATH_INFO'], environ.get('HTTP_RANGE'), query))
            self.now += 1
            self.highest = max(self.highest, self.now)
        try:
            time.sleep(self.latency)
            refused = self.refuse and self.refuse(environ['REQUEST_METHOD'], f"{environ['PATH_INFO']}?{query}")
            if not refused: return self._app(environ, start_response)
            status, code, message = refused
            body = b'' if environ['REQUEST_METHOD'] == 'HEAD' else ERROR.format(code, message).encode()
            environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0)) # or the connection would be cut
            start_response(f'{status} {code}', [('Content-Type', 'application/xml'), ('Content-Length', str(len(body)))])
            return [body]
        finally:
            with self._lock: self.now -= 1

    def stop(self):
        self._server.stop()
        self._thread.join()


KEYS = {'AWS_ACCESS_KEY_ID': 'testing', 'AWS_SECRET_ACCESS_KEY': 'testing', 'AWS_DEFAULT_REGION': 'us-east-1',
        'AWS_EC2_METADATA_DISABLED': 'true'}

@contextmanager
def serving(bucket='bucket'):
    "A server with an empty bucket that s3:// URLs of this process and its children lead to"
    import s3fs
    server = Server()
    before = os.environ.copy()
    os.environ.update(KEYS | {'AWS_ENDPOINT_URL': server.url})
    for name in ('AWS_PROFILE', 'AWS_SESSION_TOKEN', 'HTTP_PROXY', 'http_proxy'): os.environ.pop(name, None)
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        urlopen(Request(f'{server.url}/moto-api/reset', method='POST')).close() # moto keeps buckets in its process
        s3fs.S3FileSystem().mkdir(bucket)
        server.forget()
        yield server
    finally:
        server.refuse, server.latency = None, 0
        s3fs.S3FileSystem.clear_instance_cache()
        os.environ.clear()
        os.environ.update(before)
        server.stop()
