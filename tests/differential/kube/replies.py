"""Replies of two servers made comparable: what no two servers have in common is masked, and what is
meant to differ is a row of EXPLAINED."""
import concurrent.futures
import dataclasses
import json
import re

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
REST = r'(?:[^"\\]|\\.)*'  # of a text in JSON
MASKS = [(re.compile(pattern), word) for pattern, word in (
    (r"\b10\.(0|96)\.\d+\.\d+\b", "ADDRESS"),  # of each server's service range
    (r"in record \(\d+\)", "in record (RV)"),
    (r"( into Go struct field \S+) of type " + REST, r"\1"),  # Go's own names of types
    (r"(: expected [\w() ]+), got " + REST, r"\1"),  # a dump of Go's memory
    (r"(unable to convert unstructured object to [^:]*): " + REST, r"\1"),  # Go's decoder
    (r"\bstatus\.(\S+ in body )", r"\1"),  # of a custom kind, through /status
    (r"(unknown patch type: \w+ in map)" + REST, r"\1"),  # a dump of the map
    (r"map: map\[(?:[^\"\\]|\\.)*?" + r"( does not contain declared merge key)", r"map:\1"),
    # A selector that finds no labels: {} or null there, by how they came to be absent.
    (r"Invalid value: (null|\{\}): `selector`", "Invalid value: null: `selector`"),
    (r'\\"RollingUpdate\\":(null|\{[^}]*\})', "ROLLING"),  # a dump in a message
    (r"Invalid value: \{" + REST + r"\}: cannot change roleRef", "cannot change roleRef"),  # a dump
    # What of a Pod changed, as a difference of dumps of Go's memory.
    (r"(\(allow it to be set to 1 if it was previously negative\))" + REST, r"\1"),
    (r"(illegal base64 data) at input byte \d+", r"\1"),
    (r"parsing time " + REST, "parsing time"),
)]
TIMES = ("creationTimestamp", "deletionTimestamp")


@dataclasses.dataclass
class Reply:
    status: int
    warnings: list
    body: object

    def parts(self):
        return self.status, self.warnings, self.body


class Names:
    """One server's uids and versions of one sequence, by the order in which they were seen."""

    def __init__(self):
        self.uids, self.versions = {}, {}
        self.seen = {}  # key: the object's metadata as last seen
        self.token = ""

    def uid(self, match):
        return self.uids.setdefault(match.group(), f"UID-{len(self.uids)}")

    def version(self, text):
        return self.versions.setdefault(text, f"RV-{len(self.versions)}")

    def fill(self, text, ns):
        """A step's text for this server."""
        def known(match):
            what, key = match.groups()
            member = {"rv": "resourceVersion", "uid": "uid"}[what]
            return str(self.seen.get(key, {}).get(member, "" if what == "rv" else "none"))
        text = re.sub("@(rv|uid):([^@]+)@", known, text)
        return text.replace("@continue@", self.token).replace("@ns", ns)


def without_nulls(value):
    """A null says no more than an absent member."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def settle_metadata(metadata, names, compares_versions):
    for name in TIMES:
        if name in metadata:
            metadata[name] = "TIME"
    if metadata.get("resourceVersion"):
        metadata["resourceVersion"] = names.version(metadata["resourceVersion"]) \
            if compares_versions else "RV"
    entries = metadata.get("managedFields", [])
    for entry in entries:
        entry.pop("time", None)
    # Their order goes by seconds.
    entries.sort(key=lambda e: (e.get("manager", ""), e.get("operation", ""),
                                e.get("apiVersion", ""), e.get("subresource", "")))


def settle_item(item, names, step):
    """Items of built-in kinds name no kind on the real server; here they do."""
    # A custom resource that gains or loses an empty map, or a default of its status which was not
    # stored at creation, has changed there.
    settle_metadata(item.get("metadata", {}), names, not any(
        group in step.path for group in (".toolkit.fluxcd.io/", ".example.com/")))
    if item.get("rules") == []:
        del item["rules"]  # of a Role: null on the real server
    item.pop("apiVersion", None)
    item.pop("kind", None)
    if "customresourcedefinitions" in step.path and item.get("kind") != "Status":
        if step.method != "GET":
            item.pop("status", None)  # here names are accepted at once: docs/differences.md
        state = item.get("status")
        conditions = state.get("conditions", []) if isinstance(state, dict) else []
        conditions.sort(key=lambda one: one["type"])
        for one in conditions:
            one["lastTransitionTime"] = "TIME"
        metadata = item.get("metadata", {})
        metadata["managedFields"] = [entry for entry in metadata.get("managedFields", [])
                                     if entry.get("subresource") != "status"]
    if isinstance(item.get("status"), dict) and "lastPhaseTransitionTime" in item["status"]:
        item["status"]["lastPhaseTransitionTime"] = "TIME"
    for port in (item.get("spec") or {}).get("ports", []) if isinstance(
            item.get("spec"), dict) else []:
        if isinstance(port, dict) and port.get("nodePort"):
            port["nodePort"] = "PORT"


def settle_status(body):
    """Causes in any order: the real server goes through maps, and checks some objects twice. The
    message repeats them."""
    details = body.get("details", {})
    causes = details.get("causes", [])
    if not causes:
        return
    if [cause.get("field") for cause in causes] == ["patch"]:
        # The real server quotes the object, and with it uids that nobody else has seen.
        causes[0]["message"] = body["message"] = "QUOTED"
        return
    unique = {json.dumps(cause, sort_keys=True): cause for cause in causes}
    details["causes"] = [unique[text] for text in sorted(unique)]
    if body["reason"] == "Invalid":
        body["message"] = body["message"].split(" is invalid: ")[0]


def settle(status, warnings, text, names, step):
    try:
        body = without_nulls(json.loads(text))
    except ValueError:
        return Reply(status, warnings, text.decode(errors="replace"))
    if not isinstance(body, dict):
        return Reply(status, warnings, body)
    metadata = body.get("metadata", {})
    if step.key and metadata.get("uid") and "dryRun" not in step.path:
        names.seen[step.key] = dict(metadata)
    if "items" in body:
        names.token = metadata.get("continue", names.token)
        body["metadata"] = {k: "MASKED" if v and k in ("resourceVersion", "continue") else v
                            for k, v in metadata.items()}
        for item in body["items"]:
            settle_item(item, names, step)
    else:
        kinds = {k: body[k] for k in ("apiVersion", "kind") if k in body}
        settle_item(body, names, step)
        body.update(kinds)
    if body.get("kind") == "Status":
        settle_status(body)
    text = UUID.sub(names.uid, json.dumps(body, sort_keys=True))
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return Reply(status, warnings, json.loads(text))


def message(reply):
    return reply.body.get("message", "") if isinstance(reply.body, dict) else ""


def causes(reply):
    return reply.body.get("details", {}).get("causes", []) if isinstance(reply.body, dict) else []


def quotes_the_object(step, ours, kube):
    """An invalid patch: the real server quotes what it made, secrets too."""
    places = [[cause.get("field") for cause in causes(reply)] for reply in (ours, kube)]
    return ours.status == kube.status == 422 and places == [["patch"], ["patch"]]


def selector_words(step, ours, kube):
    """How a label selector fails to parse is told in other words."""
    return ours.status == kube.status == 400 and "labelSelector=" in step.path and \
        re.match("unable to parse requirement: ", message(ours))


def status_of_no_service(step, ours, kube):
    """The real server takes a write to the status of an absent Service for a creation."""
    return re.search("/services/[^/]+/status", step.path) and \
        ours.status == 404 and kube.status in (422, 500)


# Maps and lists with items of their own, and members that hold nothing else: by resource, where an
# apply that drops all that is in one leaves null on the real server.
EMPTIED = {resource: re.compile(pattern) for resource, pattern in (
    ("widgets", r"spec\.(map|set|items|defaulted)|status(\.conditions)?"),
    ("gadgets", r"spec|status"),
    ("kustomizations", r"spec\.postBuild(\.substitute)?|status(\.conditions|\.inventory)?"),
    ("helmreleases", r"spec\.install(\.remediation)?|status(\.conditions)?"),
    ("gitrepositories", r"spec\.ref|status(\.conditions)?"),
    ("receivers", r"status(\.conditions)?"),
    ("statefulsets", r"spec\.updateStrategy(\.rollingUpdate)?"),
)}
UNCHECKED = "some validation rules were not checked"  # beside a breach of the schema


def emptied_is_null(step, ours, kube):
    """Server-side apply of an empty list or map makes it null on the real server, which then may
    refuse the custom resource."""
    paths = EMPTIED.get(re.sub(r".*/namespaces/[^/]+/([a-z]+).*", r"\1", step.path))
    if not paths:
        return False
    if ours.status == kube.status == 200:
        # A StatefulSet's rollingUpdate gets its default again when it is there. In a list its items
        # have a member more.
        return all(a in ({}, [], {"partition": 0}) and b is None and paths.fullmatch(
            re.sub(r"^(\.items\[\d+\])?\.", "", path)) for path, a, b in difference(ours, kube))
    rows = [cause for cause in causes(kube) if UNCHECKED not in cause["message"]]
    return step.media.startswith("application/apply") and kube.status == 422 and \
        ours.status == 200 and rows and all(
            'Invalid value: "null"' in cause["message"] and paths.fullmatch(cause["field"])
            for cause in rows)


# What is meant to differ, each a line of docs/differences.md.
EXPLAINED = (quotes_the_object, selector_words, status_of_no_service, emptied_is_null)


def differ(step, ours, kube):
    return ours.parts() != kube.parts() and not any(rule(step, ours, kube) for rule in EXPLAINED)


def apart(ours, kube):
    """Whether the servers hold different objects from now on, by an explained difference."""
    return (ours.status < 300) != (kube.status < 300)


def paths_of(a, b, at=""):
    """Where two trees differ: (path, ours, theirs)"""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted({*a, *b}):
            yield from paths_of(a.get(key), b.get(key), f"{at}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, pair in enumerate(zip(a, b)):
            yield from paths_of(*pair, f"{at}[{i}]")
    elif a != b:
        yield at, a, b


def difference(ours, kube):
    rows = [] if ours.status == kube.status else [("status", ours.status, kube.status)]
    if ours.warnings != kube.warnings:
        rows.append(("warnings", ours.warnings, kube.warnings))
    return rows + list(paths_of(ours.body, kube.body))


def both(servers, steps, *args):
    """What the steps give on each server, which is the same; they run side by side."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ours, kube = pool.map(lambda server: steps(server, *args), servers)
    assert ours == kube, list(paths_of(*(json.loads(json.dumps({"": one}, default=str))
                                         for one in (ours, kube))))[:6]
    return ours
