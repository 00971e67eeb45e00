"""Secrets that tests plant, made so that they can be found again wherever they turn up: as they are,
in base64, in hex. No log, Event or status of a daemon may have one."""
import base64
import json
import os
import pathlib
import re
import secrets

MARK = "pl4nted"
# What tests planted before there was a mark.
OLDER = ["t0ken", "hunter2", "s3cr3t", "s3cret"]


def planted(name):
    """A secret for a password, a token or a key: letters, digits and dashes."""
    return f"{MARK}-{name}-{secrets.token_hex(8)}"


def encoded():
    """The mark as it stands in base64, wherever the text before it ends."""
    for before in range(3):
        text = base64.b64encode(b"x" * before + MARK.encode()).decode().rstrip("=")
        # Characters that have bits of neighbours are none of the mark's.
        yield text[(before * 8 + 5) // 6:(before + len(MARK)) * 8 // 6]


FORMS = re.compile("|".join(map(re.escape, [MARK, MARK.encode().hex(), *encoded(), *OLDER])))


def found(text, around=80):
    """What of the text has a planted secret, each with a little of what stands beside it."""
    return [text[max(0, m.start() - around):m.end() + around] for m in FORMS.finditer(text)]


def search_logs(directory):
    """Finds in the logs of daemons (source-controller.log, apiserver.log...) below a directory."""
    names = re.compile(r"(.*-controller|apiserver|sluice.*)\.log")
    return [f"{path}: {text}" for path in sorted(pathlib.Path(directory).rglob("*.log"))
            if names.fullmatch(path.name) and os.path.isfile(path)
            for text in found(path.read_text(errors="replace"))]


TOLD = ["/api/v1/events", *(f"/apis/{group}.toolkit.fluxcd.io/{kinds}" for group, kinds in (
    ("source", "v1/gitrepositories"), ("source", "v1/ocirepositories"), ("source", "v1/buckets"),
    ("source", "v1/helmrepositories"), ("source", "v1/helmcharts"),
    ("kustomize", "v1/kustomizations"), ("helm", "v2/helmreleases"),
    ("notification", "v1beta3/providers"), ("notification", "v1beta3/alerts"),
    ("notification", "v1/receivers")))]


def search_objects(rest):
    """Finds in what the API server tells of Events and of objects' statuses. What an object's spec or
    annotations say, somebody has put there."""
    finds = list(rest.told_by_deleted)
    for path in TOLD:
        # A kind that is not there is told of in plain text.
        status, _, data = rest.raw("GET", path)
        for item in json.loads(data)["items"] if status == 200 else []:
            finds += search_object(path, item)
    return finds


def search_object(path, obj):
    told = {k: v for k, v in obj.items() if k not in ("metadata", "spec")}
    return [f"{path} {obj['metadata']['name']}: {text}" for text in found(str(told))]


def search_deleted(path, status, data):
    """Finds in the reply to a DELETE, which shows an object of ours as it was last."""
    if ".toolkit.fluxcd.io/" not in path or status not in (200, 202):
        return []
    obj = json.loads(data)
    return [] if obj.get("kind") == "Status" else search_object(path, obj)
