"""A real Git server over HTTP(S): nginx in front of git-http-backend through fcgiwrap; and sshd."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

from .net import free_port
from .process import Process

BACKEND = "/usr/lib/git-core/git-http-backend"


def git(directory, *args, stdin=None, env=None):
    """stdout of git in a directory, with an identity and dates of its own."""
    environment = dict(
        os.environ, HOME=str(directory), GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="Tess Ter",
        GIT_AUTHOR_EMAIL="tess@example.test", GIT_COMMITTER_NAME="Tess Ter",
        GIT_COMMITTER_EMAIL="tess@example.test", **(env or {}))
    done = subprocess.run(["git", *map(str, args)], cwd=directory, env=environment, input=stdin,
                          capture_output=True, text=True)
    assert done.returncode == 0, f"git {' '.join(map(str, args))}: {done.stderr}"
    return done.stdout


class Repository:
    """A bare repository below a server's root and a work tree to commit from."""

    def __init__(self, root, name, branch="main"):
        self.name = name
        self.branch = branch
        self.bare = pathlib.Path(root) / f"{name}.git"
        self.work = pathlib.Path(root) / ".work" / name
        self.work.mkdir(parents=True)
        git(root, "init", "--quiet", "--bare", "-b", branch, self.bare)
        git(self.bare, "config", "http.receivepack", "true")
        git(self.bare, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(self.work, "init", "--quiet", "-b", branch)
        git(self.work, "remote", "add", "origin", self.bare)

    def commit(self, files, message="change", remove=()):
        """Writes files {path: text or bytes}, commits, pushes; returns the commit's hash."""
        for path, content in files.items():
            target = self.work / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        for path in remove:
            git(self.work, "rm", "-q", path)
        git(self.work, "add", "-A")
        git(self.work, "commit", "--quiet", "--allow-empty", "-m", message)
        self.push()
        return self.head()

    def push(self, *refs):
        git(self.work, "push", "--quiet", "--force", "origin", *(refs or ["HEAD"]))

    def tag(self, name, annotated=False):
        git(self.work, "tag", *(["-a", "-m", name] if annotated else []), name)
        self.push(f"refs/tags/{name}")

    def head(self):
        return git(self.work, "rev-parse", "HEAD").strip()


class GitServer:
    """Plain HTTP on a free port; `tls` (cert, key, client_ca or None) adds HTTPS; `auth` (user,
    password) asks for Basic credentials."""

    def __init__(self, directory, tls=None, auth=None):
        self.dir = pathlib.Path(directory)
        self.root = self.dir / "repos"
        self.root.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.socket = self.dir / "fcgi.sock"
        self.write_config(tls, auth)
        self.start()

    def repository(self, name, branch="main"):
        return Repository(self.root, name, branch)

    def url_of(self, repository):
        return f"{self.url}/{repository.name}.git"

    def write_config(self, tls, auth):
        listen, extra = f"listen 127.0.0.1:{self.port}", ""
        if tls:
            listen += " ssl"
            extra += f"ssl_certificate {tls['cert']}; ssl_certificate_key {tls['key']};\n"
            if tls.get("client_ca"):
                extra += f"ssl_client_certificate {tls['client_ca']}; ssl_verify_client on;\n"
        if auth:
            hashed = subprocess.run(["openssl", "passwd", "-apr1", auth[1]], check=True,
                                    capture_output=True, text=True).stdout.strip()
            (self.dir / "htpasswd").write_text(f"{auth[0]}:{hashed}\n")
            extra += f'auth_basic "git"; auth_basic_user_file {self.dir}/htpasswd;\n'
        (self.dir / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {self.dir}/nginx.pid; error_log {self.dir}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log {self.dir}/access.log; client_max_body_size 0;
  client_body_temp_path {self.dir}/body; proxy_temp_path {self.dir}/p;
  fastcgi_temp_path {self.dir}/f; uwsgi_temp_path {self.dir}/u; scgi_temp_path {self.dir}/s;
  server {{
    {listen};
    {extra}
    location / {{
      fastcgi_pass unix:{self.socket};
      fastcgi_param SCRIPT_FILENAME {BACKEND}; fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_PROJECT_ROOT {self.root}; fastcgi_param PATH_INFO $uri;
      fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_ADDR $remote_addr; fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_buffering off;
    }}
  }}
}}
""")

    def start(self):
        safe = {"HOME": str(self.dir), "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        self.socket.unlink(missing_ok=True)
        self.fcgi = Process(["fcgiwrap", "-c", "4", "-s", f"unix:{self.socket}"],
                            self.dir / "fcgi.log", env=safe, group=True)
        self.fcgi.wait_ready(self.socket.exists, "fcgiwrap")
        os.chmod(self.socket, 0o777)
        for path in (self.dir, *self.dir.parents):
            # nginx's worker is another user: it must reach the socket.
            if str(path).startswith("/tmp/") and os.stat(path).st_uid == os.getuid():
                os.chmod(path, os.stat(path).st_mode | 0o011)
        self.nginx = Process(["nginx", "-p", self.dir, "-c", self.dir / "nginx.conf"],
                             self.dir / "nginx.log")
        self.nginx.wait_ready(self.is_up, "the Git server")

    def is_up(self):
        import socket
        with socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def stop(self):
        self.nginx.stop()
        # fcgiwrap's first process does not take its children with it.
        children = pathlib.Path(f"/proc/{self.fcgi.pid}/task/{self.fcgi.pid}/children")
        workers = [int(pid) for pid in children.read_text().split()] if children.exists() else []
        self.fcgi.stop()
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def requests(self):
        """Lines of the access log: what clients really asked."""
        log = self.dir / "access.log"
        return log.read_text().splitlines() if log.exists() else []


def available():
    return shutil.which("nginx") and shutil.which("fcgiwrap") and os.path.exists(BACKEND)
