"""Helm charts: the real helm, which packages, indexes and judges them, and repositories over HTTP."""
import base64
import gzip
import http.server
import io
import pathlib
import subprocess
import tarfile
import threading

from .oracle import oracle


class Helm:
    """The real helm with a home of its own."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.program = oracle("helm") / "helm"

    def run(self, *args, ok=True):
        done = subprocess.run(
            [self.program, *map(str, args)], capture_output=True, text=True, cwd=self.dir,
            env={"HOME": str(self.dir), "PATH": "/usr/bin:/bin", "TMPDIR": str(self.dir)})
        assert not ok or done.returncode == 0, (args, done.stderr)
        return done.stdout if ok else done

    def package(self, source, to, version=None):
        """The path of the packed chart."""
        more = ["--version", version] if version else []
        out = self.run("package", source, "-d", to, *more)
        return pathlib.Path(out.strip().rsplit(": ", 1)[1])

    def index(self, directory, url=None):
        self.run("repo", "index", directory, *(["--url", url] if url else []))
        return (pathlib.Path(directory) / "index.yaml").read_text()

    def render(self, chart, *args):
        return self.run("template", "release", chart, *args)


def chart_files(name="demo", version="1.0.0", values="color: red\nsize: 1\n", templates=None, **meta):
    """A chart's files by path below its directory; `meta` are lines of Chart.yaml."""
    lines = "".join(f"{k}: {v}\n" for k, v in meta.items())
    files = {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n{lines}",
             "values.yaml": values,
             "templates/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Chart.Name }}"
                                   "\ndata:\n  color: {{ .Values.color | quote }}\n"}
    files.update(templates or {})
    return files


def write(directory, files):
    """Writes {path: text or bytes}; the directory."""
    for path, content in files.items():
        target = pathlib.Path(directory) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return pathlib.Path(directory)


def tgz(files, prefix="demo/"):
    """An archive whose names are taken as they are behind the prefix."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            member = tarfile.TarInfo(prefix + name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


def untgz(data):
    """{name: text} of an archive's files."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {m.name: tar.extractfile(m).read().decode() for m in tar if m.isfile()}


def endless(status, piece):
    """A hook of ChartServer: that reply, and `piece` again and again until the client leaves."""
    def act(handler):
        handler.send_response(status)
        handler.send_header("Connection", "close")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(piece)
        except OSError:
            handler.close_connection = True
    return act


class ChartServer:
    """Serves `files` {path: bytes} over HTTP and remembers what was asked for: `requests` are (path,
    Authorization). `auth`: (user, password); `context`: TLS; `hooks`: {path: function(handler)}."""

    def __init__(self, files=None, auth=None, context=None):
        self.files, self.auth, self.hooks = dict(files or {}), auth, {}
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                path = self.path.split("?")[0].lstrip("/")
                given = self.headers.get("Authorization")
                outer.requests.append((self.path.lstrip("/"), given))
                if path in outer.hooks:
                    outer.hooks[path](self)
                elif outer.auth and given != outer.wanted():
                    self.reply(401)
                elif path in outer.files:
                    self.reply(200, outer.files[path])
                else:
                    self.reply(404)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients may leave
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def wanted(self):
        return "Basic " + base64.b64encode(":".join(self.auth).encode()).decode()

    def paths(self):
        return [path for path, _ in self.requests]

    def count(self, path):
        return self.paths().count(path)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class ChartRepository(ChartServer):
    """A repository that the real helm indexes."""

    def __init__(self, directory, helm, **more):
        super().__init__(**more)
        self.dir, self.helm = pathlib.Path(directory), helm
        self.dir.mkdir(parents=True, exist_ok=True)

    def publish(self, *charts, url=None):
        """Adds charts, each a dict of files; the paths of their archives."""
        paths = []
        for number, files in enumerate(charts):
            source = write(self.dir / ".sources" / str(len(self.files) + number), files)
            paths.append(self.helm.package(source, self.dir))
        self.files["index.yaml"] = self.helm.index(self.dir, url).encode()
        for path in self.dir.glob("*.tgz"):
            self.files[path.name] = path.read_bytes()
        return paths
