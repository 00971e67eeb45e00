"""Charts that are not of this machine: by --repo, by URL, from a registry, by the name of one of Helm's
repositories; credentials, TLS, provenance and values by URL. The real tool and ours, each with a home
of its own, see the same servers: the same output, the same exit code."""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile

import pytest

from tests.lib.charts import ChartServer, Helm, chart_files, write
from tests.lib.pki import Authority
from tests.lib.registry import Registry
from tests.lib.sign import PgpKey

LOGIN = ("ann", "a secret word")
VERSIONS = ("1.0.0", "1.1.0", "1.2.0-rc.1", "1.0.1+b1")


class World:
    """What there is to be fetched, and the two tools."""

    def __init__(self, directory, helm, sluice):
        self.dir, self.tools = directory, {"real": [helm], "ours": [sluice, "helm"]}
        self.helm = Helm(directory / "maker")
        self.ca = Authority(directory / "ca")
        self.client = self.ca.issue("client")
        self.key = PgpKey(directory / "gpg", algorithm="rsa2048")
        self.stranger = PgpKey(directory / "gpg2", name="Bob", algorithm="rsa2048")
        self.ring = self.export(self.key, "ring.gpg")
        self.other_ring = self.export(self.stranger, "other.gpg")
        self.files = self.package()
        self.values = {"v.yaml": b"color: blue\n", "bad.yaml": b"a: [\n", "text.txt": b"some text"}
        both = {**self.files, **self.values}
        self.open = ChartServer(both)
        self.closed = ChartServer(both, auth=LOGIN)
        self.tls = ChartServer(both, context=self.ca.server_context())
        self.mutual = ChartServer(both, context=self.ca.server_context("mutual", client_ca=self.ca.cert))
        self.else_where = ChartServer(both, auth=LOGIN)
        self.pointing = ChartServer({"index.yaml": self.index(self.else_where.url)}, auth=LOGIN)
        self.broken = ChartServer({"index.yaml": b"entries: [\n", "c.tgz": b"no archive"})
        self.registry = Registry(directory / "registry")
        self.closed_registry = Registry(directory / "closed-registry", auth=LOGIN)
        for registry in (self.registry, self.closed_registry):
            self.push(registry)
        self.homes = {name: self.home(name) for name in self.tools}

    def export(self, key, name):
        path = self.dir / name
        path.write_bytes(subprocess.run(["gpg", "--homedir", key.home, "--batch", "--export", key.mail],
                                        capture_output=True, check=True).stdout)
        return path

    def package(self):
        charts, secret = self.dir / "charts", self.dir / "secret.gpg"
        secret.write_bytes(subprocess.run(
            ["gpg", "--homedir", self.key.home, "--batch", "--pinentry-mode", "loopback",
             "--passphrase", "", "--export-secret-keys", self.key.mail],
            capture_output=True, check=True).stdout)
        for version in VERSIONS:
            source = write(self.dir / "source" / version, chart_files(version=version, values=f"color: {version}\n"))
            self.helm.run("package", source, "-d", charts, "--sign", "--key", self.key.mail,
                          "--keyring", secret)
        unsigned = write(self.dir / "source" / "bare", chart_files(name="bare"))
        self.helm.run("package", unsigned, "-d", charts)
        files = {path.name: path.read_bytes() for path in charts.iterdir()}
        files["moved-1.0.0.tgz"] = files["demo-1.0.0.tgz"]
        files["moved-1.0.0.tgz.prov"] = files["demo-1.0.0.tgz.prov"]
        (self.dir / "index").mkdir()
        for path in charts.glob("*.tgz"):
            shutil.copy(path, self.dir / "index")
        self.helm.run("repo", "index", self.dir / "index")
        files["index.yaml"] = (self.dir / "index" / "index.yaml").read_bytes()
        return files

    def index(self, url):
        """The same, the charts being elsewhere."""
        self.helm.run("repo", "index", self.dir / "index", "--url", url)
        return (self.dir / "index" / "index.yaml").read_bytes()

    def push(self, registry):
        host = registry.url.split("://")[1]
        if registry is self.closed_registry:
            self.helm.run("registry", "login", host, "--plain-http", "-u", LOGIN[0], "-p", LOGIN[1])
        for path in sorted((self.dir / "charts").glob("*.tgz")):
            self.helm.run("push", path, f"oci://{host}/charts", "--plain-http")

    def home(self, name):
        """repositories.yaml with the open, the closed and the TLS server, and their indexes."""
        home = self.dir / f"home-{name}"
        config, cache = home / ".config/helm", home / ".cache/helm/repository"
        for path in (config / "registry", cache, home / ".gnupg"):
            path.mkdir(parents=True)
        shutil.copy(self.ring, home / ".gnupg/pubring.gpg")
        rows = {"open": {"url": self.open.url}, "tls": {"url": self.tls.url, "caFile": str(self.ca.cert)},
                "closed": {"url": self.closed.url, "username": LOGIN[0], "password": LOGIN[1]},
                "away": {"url": self.pointing.url, "username": LOGIN[0], "password": LOGIN[1]},
                "passing": {"url": self.pointing.url, "username": LOGIN[0], "password": LOGIN[1],
                            "pass_credentials_all": True}}
        text = "".join(f"- name: {row}\n" + "".join(f"  {k}: {str(v).lower() if v is True else v}\n"
                                                    for k, v in fields.items()) for row, fields in rows.items())
        (config / "repositories.yaml").write_text(f"apiVersion: ''\nrepositories:\n{text}")
        (config / "bare.yaml").write_text("repositories: [{name: bare}]\n")
        for row in rows:
            away = row in ("away", "passing")
            data = self.pointing.files["index.yaml"] if away else self.files["index.yaml"]
            (cache / f"{row}-index.yaml").write_bytes(data)
        return home

    def run(self, name, words, **env):
        home = self.homes[name]
        shutil.rmtree(home / ".cache/helm/content", ignore_errors=True)
        done = subprocess.run(
            [*self.tools[name], "template", "rel", *map(str, words)], capture_output=True, text=True,
            cwd=self.dir, timeout=120, stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(self.dir),
                 "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""), **env})
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        # Why a tag has an underscore the real tool explains in five lines among the manifests.
        out = re.sub(r"^[^\n]* contains an underscore\.\n.*?(?=^---)", "", done.stdout, flags=re.M | re.S)
        return done.returncode, out, errors

    def close(self):
        for server in (self.open, self.closed, self.tls, self.mutual, self.else_where, self.pointing,
                       self.broken, self.registry, self.closed_registry):
            server.stop()
        self.key.close()
        self.stranger.close()


@pytest.fixture(scope="module")
def world(helm, sluice, tmp_path_factory):
    made = World(tmp_path_factory.mktemp("world"), helm, sluice)
    yield made
    made.close()


def oci(registry, path="charts/demo"):
    return lambda w: f"oci://{getattr(w, registry).url.split('://')[1]}/{path}"


def at(server, path=""):
    return lambda w: f"{getattr(w, server).url}{path}"


def of(name):
    return lambda w: getattr(w, name)


CREDENTIALS = ["--username", LOGIN[0], "--password", LOGIN[1]]
# name: (words, whether it renders); functions are of the world.
CASES = {
    "repo": (["demo", "--repo", at("open")], True),
    "repo_slash": (["demo", "--repo", at("open", "/")], True),
    "repo_version": (["demo", "--repo", at("open"), "--version", "1.0.0"], True),
    "repo_range": (["demo", "--repo", at("open"), "--version", "~1.0"], True),
    "repo_build": (["demo", "--repo", at("open"), "--version", "1.0.1+b1"], True),
    "repo_devel": (["demo", "--repo", at("open"), "--devel"], True),
    "repo_devel_version": (["demo", "--repo", at("open"), "--devel", "--version", "1.0.0"], True),
    "repo_no_version": (["demo", "--repo", at("open"), "--version", "9"], False),
    "repo_no_chart": (["nope", "--repo", at("open")], False),
    "repo_no_index": (["demo", "--repo", at("open", "/none")], False),
    "repo_bad_index": (["demo", "--repo", at("broken")], False),
    "repo_not_there": (["demo", "--repo", "http://127.0.0.1:1"], False),
    "repo_no_scheme": (["demo", "--repo", "nowhere"], False),
    "repo_ftp": (["demo", "--repo", "ftp://127.0.0.1/x"], False),
    "repo_beats_a_path": (["charts", "--repo", at("open")], False),
    "login": (["demo", "--repo", at("closed"), *CREDENTIALS], True),
    "no_login": (["demo", "--repo", at("closed")], False),
    "half_a_login": (["demo", "--repo", at("closed"), "--username", LOGIN[0]], False),
    "wrong_login": (["demo", "--repo", at("closed"), "--username", "x", "--password", "y"], False),
    "login_stays": (["demo", "--repo", at("pointing"), *CREDENTIALS], False),
    "login_passed_on": (["demo", "--repo", at("pointing"), *CREDENTIALS, "--pass-credentials",
                         "--repository-config", "nope"], True),
    "unknown_ca": (["demo", "--repo", at("tls")], False),
    "ca": (["demo", "--repo", at("tls"), "--ca-file", lambda w: w.ca.cert], True),
    "insecure": (["demo", "--repo", at("tls"), "--insecure-skip-tls-verify"], True),
    "no_client_certificate": (["demo", "--repo", at("mutual"), "--ca-file", lambda w: w.ca.cert], False),
    "client_certificate": (["demo", "--repo", at("mutual"), "--ca-file", lambda w: w.ca.cert, "--cert-file",
                            lambda w: w.client[0], "--key-file", lambda w: w.client[1]], True),
    "half_a_pair": (["source/1.0.0", "--cert-file", "nope"], True),
    "no_ca_file": (["source/1.0.0", "--ca-file", "nope"], False),
    "bad_ca_file": (["source/1.0.0", "--ca-file", "ring.gpg"], False),
    "url": ([at("open", "/demo-1.0.0.tgz")], True),
    "url_version_is_ignored": ([at("open", "/demo-1.0.0.tgz"), "--version", "7"], True),
    "url_404": ([at("open", "/none.tgz")], False),
    "url_no_archive": ([at("broken", "/c.tgz")], False),
    "url_login": ([at("closed", "/demo-1.0.0.tgz"), *CREDENTIALS], True),
    "url_no_login": ([at("broken", "/c.tgz")], False),
    "url_ca": ([at("tls", "/demo-1.0.0.tgz"), "--ca-file", lambda w: w.ca.cert], True),
    "oci": ([oci("registry"), "--plain-http"], True),
    "oci_version": ([oci("registry"), "--plain-http", "--version", "1.0.0"], True),
    "oci_range": ([oci("registry"), "--plain-http", "--version", "<1.1"], True),
    "oci_tag": ([oci("registry", "charts/demo:1.0.0"), "--plain-http"], True),
    "oci_tag_and_version": ([oci("registry", "charts/demo:1.0.0"), "--plain-http", "--version", "1.1.0"], False),
    "oci_build": ([oci("registry"), "--plain-http", "--version", "1.0.1+b1"], True),
    "oci_devel": ([oci("registry"), "--plain-http", "--devel"], True),
    "oci_no_version": ([oci("registry"), "--plain-http", "--version", "9"], False),
    "oci_no_tag": ([oci("registry"), "--plain-http", "--version", "9.9.9"], False),
    "oci_bad_range": ([oci("registry"), "--plain-http", "--version", "a b"], False),
    "oci_no_chart": ([oci("registry", "charts/none"), "--plain-http"], False),
    "oci_bad_name": ([oci("registry", "CHARTS"), "--plain-http"], False),
    "oci_no_login": ([oci("closed_registry"), "--plain-http"], False),
    "oci_login": ([oci("closed_registry"), "--plain-http", *CREDENTIALS], True),
    "name": (["open/demo"], True),
    "name_version": (["open/demo", "--version", "1.0.0"], True),
    "name_login": (["closed/demo"], True),
    "name_ca": (["tls/demo"], True),
    "name_away": (["away/demo"], False),
    "name_passing": (["passing/demo"], True),
    "name_no_repository": (["nope/demo"], False),
    "name_no_chart": (["open/none"], False),
    "name_no_version": (["open/demo", "--version", "3.x"], False),
    "name_no_url": (["bare/demo", "--repository-config", lambda w: w.homes["real"] / ".config/helm/bare.yaml"], False),
    "name_alone": (["demo"], False),
    "repository_config": (["open/demo", "--repository-config", "nope"], False),
    "repository_cache": (["open/demo", "--repository-cache", "uncached"], False),
    "verify_directory": (["source/1.0.0", "--verify"], False),
    "verify_file": (["charts/demo-1.0.0.tgz", "--verify"], True),
    "verify_keyring": (["charts/demo-1.0.0.tgz", "--verify", "--keyring", of("ring")], True),
    "verify_other_keyring": (["charts/demo-1.0.0.tgz", "--verify", "--keyring", of("other_ring")], False),
    "verify_no_keyring": (["charts/demo-1.0.0.tgz", "--verify", "--keyring", "nope"], False),
    "verify_bad_keyring": (["charts/demo-1.0.0.tgz", "--verify", "--keyring", "index/index.yaml"], False),
    "verify_no_provenance": (["charts/bare-1.0.0.tgz", "--verify"], False),
    "verify_repo": (["demo", "--repo", at("open"), "--verify"], True),
    "verify_repo_unsigned": (["bare", "--repo", at("open"), "--verify"], False),
    "verify_name": (["open/demo", "--verify"], True),
    "verify_url": ([at("open", "/demo-1.0.0.tgz"), "--verify"], True),
    "verify_other_name": ([at("open", "/moved-1.0.0.tgz"), "--verify"], False),
    "verify_oci": ([oci("registry"), "--plain-http", "--verify"], True),
    "verify_oci_unsigned": ([oci("registry", "charts/bare"), "--plain-http", "--verify"], False),
    "values_url": (["source/1.0.0", "-f", at("open", "/v.yaml")], True),
    "values_url_404": (["source/1.0.0", "-f", at("open", "/none.yaml")], False),
    "values_url_bad": (["source/1.0.0", "-f", at("open", "/bad.yaml")], False),
    "values_no_scheme_of_ours": (["source/1.0.0", "-f", "x://y"], False),
    "set_file_url": (["source/1.0.0", "--set-file", lambda w: f"color={w.open.url}/text.txt"], True),
}


@pytest.mark.parametrize("name", CASES)
def test_chart(world, name):
    words, renders = CASES[name]
    words = [word(world) if callable(word) else word for word in words]
    real, ours = world.run("real", words), world.run("ours", words)
    assert (real[0] == 0) == renders, real
    assert ours[:2] == real[:2] and bool(ours[2]) == bool(real[2]), (ours, real)
    assert LOGIN[1] not in str(ours)


@pytest.mark.parametrize("how", ["changed archive", "changed text", "no signature", "cut", "empty"])
def test_a_provenance_that_does_not_verify(world, tmp_path, how):
    archive = (world.dir / "charts/demo-1.0.0.tgz").read_bytes()
    text = (world.dir / "charts/demo-1.0.0.tgz.prov").read_text()
    if how == "changed archive":
        archive = (world.dir / "charts/demo-1.1.0.tgz").read_bytes()
    changed = {"changed text": text.replace("version: 1.0.0", "version: 1.0.9"), "empty": "",
               "no signature": text.split("-----BEGIN PGP SIGNATURE")[0], "cut": text[:-200]}
    (tmp_path / "demo-1.0.0.tgz").write_bytes(archive)
    (tmp_path / "demo-1.0.0.tgz.prov").write_text(changed.get(how, text))
    for tool in ("real", "ours"):
        code, out, errors = world.run(tool, [tmp_path / "demo-1.0.0.tgz", "--verify"])
        assert code == 1 and not out and errors, (tool, out)


def test_a_login_of_the_registry_config(world):
    host = world.closed_registry.url.split("://")[1]
    auth = base64.b64encode(":".join(LOGIN).encode()).decode()
    config = world.dir / "registry.json"
    config.write_text('{"auths": {"%s": {"auth": "%s"}}}' % (host, auth))
    words = [f"oci://{host}/charts/demo", "--plain-http"]
    real = world.run("real", [*words, "--registry-config", config])
    assert real[0] == 0 and world.run("ours", [*words, "--registry-config", config]) == real
    assert world.run("ours", words, HELM_REGISTRY_CONFIG=str(config)) == real
    docker = pathlib.Path(world.dir / "docker")
    docker.mkdir()
    shutil.copy(config, docker / "config.json")
    assert world.run("real", words, DOCKER_CONFIG=str(docker)) == real
    assert world.run("ours", words, DOCKER_CONFIG=str(docker)) == real


HELPER = """#!/bin/sh
echo "$0 $*" >> %s
[ "$1" = get ] && read host
case $host in
%s) echo '{"Username": "ann", "Secret": "a secret word"}' ;;
*) echo 'credentials not found in native keychain'; exit 1 ;;
esac
"""
FAILING = "#!/bin/sh\necho 'a secret word'; echo 'it is locked' >&2; exit 3\n"
NOWHERE = {"auths": {}, "credHelpers": {"other.test": "broken"}}


def helpers(world, tmp_path):
    """Programs named docker-credential-..., first in PATH."""
    host = world.closed_registry.url.split("://")[1]
    for name, text in (("fine", HELPER % (tmp_path / "calls", host)), ("broken", FAILING),
                       ("other", HELPER % (tmp_path / "calls", "other.test"))):
        path = tmp_path / "bin" / f"docker-credential-{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return host, {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}


def login(host):
    return {host: {"auth": base64.b64encode(":".join(LOGIN).encode()).decode()}}


# Helm's registry config, Docker's, whether that gives a login.
BY_HELPER = {
    "of_the_host": (lambda h: {"credHelpers": {h: "fine"}}, None, True),
    "of_all": (lambda h: {"credsStore": "fine"}, None, True),
    "the_host_before_all": (lambda h: {"credHelpers": {h: "fine"}, "credsStore": "broken"}, None, True),
    "dockers": (lambda h: NOWHERE, lambda h: {"credsStore": "fine"}, True),
    "dockers_after_helms_has_none": (lambda h: {"credsStore": "other"}, lambda h: {"credsStore": "fine"}, True),
    "before_what_is_written": (lambda h: {"auths": login(h), "credsStore": "other"}, lambda h: NOWHERE, False),
    "written_for_who_has_none": (lambda h: {"credsStore": "other"}, lambda h: {**NOWHERE, "auths": login(h)}, True),
    "broken": (lambda h: {"credsStore": "broken"}, lambda h: {"auths": login(h)}, False),
    "not_there": (lambda h: {"credHelpers": {h: "nope"}}, lambda h: {"auths": login(h)}, False),
    "no_name": (lambda h: {"credsStore": "../../bin/sh"}, lambda h: NOWHERE, False),
}


@pytest.mark.parametrize("name", BY_HELPER)
def test_logins_by_credential_helpers(world, tmp_path, name):
    helm, docker, fine = BY_HELPER[name]
    host, env = helpers(world, tmp_path)
    (tmp_path / "registry.json").write_text(json.dumps(helm(host)))
    (tmp_path / "config.json").write_text(json.dumps(docker(host) if docker else NOWHERE))
    env.update(HELM_REGISTRY_CONFIG=str(tmp_path / "registry.json"), DOCKER_CONFIG=str(tmp_path))
    words = [f"oci://{host}/charts/demo", "--plain-http"]
    real = world.run("real", words, **env)
    assert (real[0] == 0) == fine, real
    ours = world.run("ours", words, **env)
    assert ours[:2] == real[:2] and bool(ours[2]) == bool(real[2]), (ours, real)
    assert LOGIN[1] not in str(ours)
    if name in ("broken", "not_there"):
        assert "docker-credential-" in str(ours[2])


@pytest.mark.parametrize("name", ["broken", "nope"])
def test_a_helper_that_fails_is_no_matter_where_no_login_is_asked_for(world, tmp_path, name):
    env = helpers(world, tmp_path)[1]
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": name}))
    words = [f"oci://{world.registry.url.split('://')[1]}/charts/demo", "--plain-http"]
    real = world.run("real", words, DOCKER_CONFIG=str(tmp_path), **env)
    assert real[0] == 0 and world.run("ours", words, DOCKER_CONFIG=str(tmp_path), **env) == real


def test_homes_by_variables(world, tmp_path):
    """HELM_..._HOME and the XDG directories say where repositories.yaml and the indexes are."""
    config, cache = world.homes["real"] / ".config/helm", world.homes["real"] / ".cache/helm"
    shutil.copytree(config, tmp_path / "c/helm")
    shutil.copytree(cache, tmp_path / "k/helm")
    wanted = world.run("real", ["open/demo"])
    for env in ({"HELM_CONFIG_HOME": tmp_path / "c/helm", "HELM_CACHE_HOME": tmp_path / "k/helm"},
                {"XDG_CONFIG_HOME": tmp_path / "c", "XDG_CACHE_HOME": tmp_path / "k"},
                {"HELM_REPOSITORY_CONFIG": tmp_path / "c/helm/repositories.yaml",
                 "HELM_REPOSITORY_CACHE": tmp_path / "k/helm/repository"}):
        env = {"HOME": str(tmp_path), **{name: str(value) for name, value in env.items()}}
        assert world.run("real", ["open/demo"], **env) == wanted
        assert world.run("ours", ["open/demo"], **env) == wanted


UPDATES = {
    "http": ([("demo", "~1.0", lambda w: w.open.url)], True),
    "http_twice": ([("demo", "1.0.0", lambda w: w.open.url), ("bare", "*", lambda w: w.open.url)], True),
    "alias_twice": ([("demo", "1.0.0", lambda w: w.open.url, "one"), ("demo", "1.0.0", lambda w: w.open.url, "two")], True),
    "file": ([("near", ">=0.1", lambda w: "file://../near")], True),
    "file_version": ([("near", "9", lambda w: "file://../near")], False),
    "bundled": ([("inside", "*", lambda w: ""), ("near", "*", lambda w: "file://../near")], True),
    "no_version": ([("demo", "9.x", lambda w: w.open.url)], False),
    "no_chart": ([("none", "*", lambda w: w.open.url)], False),
    "no_index": ([("demo", "*", lambda w: w.open.url + "/none")], False),
    "login_needed": ([("demo", "*", lambda w: w.closed.url)], False),
    "no_repository": ([("demo", "*", lambda w: "nope")], False),
    "unknown_alias": ([("demo", "*", lambda w: "@nope")], False),
    "oci": ([("demo", "1.0.0", lambda w: oci("registry", "charts")(w))], True),
    "nothing_missing": ([("inside", "*", lambda w: "")], True),
    "bad_range": ([("demo", "a b", lambda w: w.open.url)], False),
}


@pytest.mark.parametrize("name", UPDATES)
def test_dependency_update(world, tmp_path, name):
    rows, renders = UPDATES[name]
    lines = "".join(
        f"- name: {row[0]}\n  version: '{row[1]}'\n  repository: '{row[2](world)}'\n"
        + (f"  alias: {row[3]}\n  condition: {row[3]}.on\n  tags: [t<u]\n  import-values: [a, {{parent: p, child: c}}]\n"
           if row[3:] else "") for row in rows)
    results = []
    for tool in ("real", "ours"):
        folder = tmp_path / tool
        chart = write(folder / "top", chart_files(name="top"))
        with (chart / "Chart.yaml").open("a") as file:
            file.write(f"dependencies:\n{lines}")
        write(folder / "near", chart_files(name="near", version="0.2.0"))
        if name in ("bundled", "nothing_missing"):
            write(chart / "charts/inside", chart_files(name="inside"))
        write(chart / "charts", {"old-1.0.0.tgz": world.files["bare-1.0.0.tgz"]})
        code, out, errors = world.run(tool, [chart, "--dependency-update", "--repository-config", "nope",
                                             *(["--plain-http"] if name == "oci" else [])])
        left = sorted(str(path.relative_to(chart)) for path in chart.rglob("*") if path.is_file())
        lock = chart / "Chart.lock"
        text = re.sub(r"generated: .*", "generated: T", lock.read_text()) if lock.exists() else None
        again = world.run(tool, [chart])[0]
        results.append((code, out.replace(str(folder), "DIR"), bool(errors), left if not code else None,
                        text, again))
    real, ours = results
    assert (real[0] == 0) == renders, (real, errors)
    assert ours[0] == real[0] and (code or ours[1] == real[1]) and ours[2:] == real[2:], (ours, real)
    assert not list((tmp_path / "ours").rglob("tmpcharts*"))


def test_a_lock_that_is_a_link_is_not_followed(world, tmp_path):
    for tool in ("real", "ours"):
        chart = write(tmp_path / tool, chart_files(name="top"))
        with (chart / "Chart.yaml").open("a") as file:
            file.write(f"dependencies:\n- name: demo\n  version: 1.0.0\n  repository: {world.open.url}\n")
        (tmp_path / "kept").write_text("kept")
        (chart / "Chart.lock").symlink_to(tmp_path / "kept")
        code, _, errors = world.run(tool, [chart, "--dependency-update"])
        assert (tmp_path / "kept").read_text() == "kept" and code == 1 and errors, tool


def test_an_archive_has_no_dependencies_fetched(world, tmp_path):
    chart = write(tmp_path / "top", chart_files(name="top"))
    with (chart / "Chart.yaml").open("a") as file:
        file.write(f"dependencies:\n- name: demo\n  version: 1.0.0\n  repository: {world.open.url}\n")
    with tarfile.open(tmp_path / "top.tgz", "w:gz") as tar:
        tar.add(chart, "top")
    for tool in ("real", "ours"):
        code, _, errors = world.run(tool, [tmp_path / "top.tgz", "--dependency-update"])
        assert code == 1 and "only unpacked charts can be updated" in str(errors)
