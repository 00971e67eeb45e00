"""A real Git server over HTTP(S): nginx in front of git-http-backend through fcgiwrap; and sshd."""
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess

from .net import free_port
from .process import Process, below, program_of

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
        # Else root's nginx has a worker of another user, whom a directory of pytest's keeps out: each
        # pytest that begins closes it to others, whatever mode was given to it.
        user = f"user {pwd.getpwuid(0).pw_name};" if os.getuid() == 0 else ""
        (self.dir / "nginx.conf").write_text(f"""
{user} daemon off; worker_processes 1; pid {self.dir}/nginx.pid; error_log {self.dir}/error.log;
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
        self.nginx = Process(["nginx", "-p", self.dir, "-c", self.dir / "nginx.conf"],
                             self.dir / "nginx.log")
        self.nginx.wait_ready(lambda: self.nginx.listens(self.port), "the Git server")

    def kill(self):
        """kill -9 of all of it; what ran below it."""
        ran = [program_of(pid) for pid in below(self.fcgi.pid)]
        self.nginx.kill_all()
        self.fcgi.kill_all()
        return ran

    def stop(self):
        self.nginx.stop()
        # fcgiwrap's first process does not take its children with it.
        workers = below(self.fcgi.pid)
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
