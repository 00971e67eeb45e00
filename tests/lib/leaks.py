"""What a daemon holds of the system: descriptors, threads, children, files on its way. At the end of a
module that must be what it held after its start, or something is never given back."""
import collections
import os
import pathlib
import re
import socket
import struct

from .net import wait_until

GROUPS = re.compile(r"(source|kustomize|helm|notification|image)\.toolkit\.fluxcd\.io$")
TCP_STATES = {"01": "established", "02": "syn-sent", "03": "syn-received", "04": "fin-wait-1",
              "05": "fin-wait-2", "06": "time-wait", "07": "closed", "08": "close-wait",
              "09": "last-ack", "0A": "listening", "0B": "closing"}
# Connections that HTTP keeps for the next request: to the events' receiver, to whoever artifacts and
# charts come from; those that tests and the other daemons keep to its own ports.
KEPT_CONNECTIONS = 8
# To the API server, where HTTP/1.1 needs one for each watch and each request of one moment: as many as
# a client ever keeps (MAX_CONNECTIONS in common/net/httpc.c), for one that watches is never idle.
KEPT_TO_API = 64
# A pair for each HTTP client that was used a short time ago: curl wakes itself by it.
KEPT_PAIRS = 16
OTHER_DESCRIPTORS = 2  # what a library opens when it is first used, and keeps
THREADS = 2  # what is started when it is first needed, and then stays
KEPT_TREES = 8  # artifacts: each a file without a name, or a directory with a chart in it: common/artifact/fetch.h
TREE = re.compile(r"-controller-[A-Za-z0-9]{6}/(tree-[A-Za-z0-9]{6}|(#\d+|nameless-[^/]*) \(deleted\))$")
# A daemon's directory for files on their way, and those of unfinished files among finished ones.
WORK = re.compile(r"(source|kustomize|helm)-controller-[A-Za-z0-9]{6}$")
UNFINISHED = re.compile(r"^(\.tmp-|nameless-|gnupg-|bases-)|_git2_|\.tmp-")


def address(text):
    host, port = text.split(":")
    raw = bytes.fromhex(host)
    words = struct.unpack(f"<{len(raw) // 4}I", raw)
    family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
    return f"{socket.inet_ntop(family, struct.pack(f'>{len(words)}I', *words))}:{int(port, 16)}"


def connections(pid):
    """What /proc/net/tcp says of a socket, by inode: (state, "from -> to")"""
    found = {}
    for name in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            row = line.split()
            found[row[9]] = (TCP_STATES.get(row[3], row[3]),
                             f"{address(row[1])} -> {address(row[2])}")
    return found


def links(pid):
    """(number, target) of each descriptor."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            yield int(name), os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:  # closed since
            continue


class Held:
    """What a process holds now: lines that say what each descriptor is. `api_port`: the API server's."""

    def __init__(self, pid, api_port):
        tcp = connections(pid)
        self.api, self.connections, self.pairs = [], [], []
        self.trees, self.others = [], []
        for number, target in sorted(links(pid)):
            inode = re.fullmatch(r"socket:\[(\d+)\]", target)
            state, ends = tcp.get(inode.group(1), ("", "")) if inode else ("", "")
            if TREE.search(target):
                self.trees.append(f"{number} {target}")
            elif inode and not state:
                self.pairs.append(f"{number} {target}")
            elif not inode or state == "listening":
                self.others.append(f"{number} {target} {state} {ends}".rstrip())
            elif ends.endswith(f":{api_port}"):
                self.api.append(f"{number} {state} {ends}")
            else:
                self.connections.append(f"{number} {state} {ends}")
        self.threads = collections.Counter(
            pathlib.Path(task, "comm").read_text().strip()
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir())
        self.children = [describe(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                         for child in (task / "children").read_text().split()]

    def more_than(self, before):
        """What is held beside what was held `before`; an empty text when that is within what is
        allowed."""
        told = []
        for what, now, then, allowed in (
                ("connections", self.connections, before.connections, KEPT_CONNECTIONS),
                ("connections to the API server", self.api, before.api, KEPT_TO_API),
                ("sockets within the process", self.pairs, before.pairs, KEPT_PAIRS),
                ("artifacts", self.trees, before.trees, KEPT_TREES),
                ("other descriptors", self.others, before.others, OTHER_DESCRIPTORS)):
            if len(now) > len(then) + allowed:
                told += [f"{len(then)} {what}", *then, f"have become {len(now)}", *now]
        if self.threads.total() > before.threads.total() + THREADS:
            told.append(f"threads {dict(before.threads)} have become {dict(self.threads)}")
        if self.children:
            told += ["children:", *self.children]
        return "\n    ".join(told)


def describe(pid):
    """A child's state and words; a zombie has no words."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text()
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        return f"{state.rsplit(')', 1)[0]}) {state.rsplit(')', 1)[1].split()[0]} {words[:200]!r}"
    except FileNotFoundError:
        return f"{pid} (gone)"


def left_files(directory):
    """What a daemon makes for a while and has not removed."""
    left = []
    for top, folders, files in os.walk(directory):
        in_work = WORK.search(os.path.basename(top))
        left += [os.path.join(top, name) for name in folders + files
                 if in_work or UNFINISHED.search(name)]
        folders[:] = [name for name in folders if not TREE.search(os.path.join(top, name))]
    trees = [path for path in left if TREE.search(path)]
    return [path for path in left if path not in trees] + trees[KEPT_TREES:]


def kinds(rest):
    """The collections of all our kinds that the server serves, each with the daemon that looks after
    them."""
    for group in (rest.get("/apis") or {}).get("groups", []):
        owner = GROUPS.match(group["name"])
        if not owner:
            continue
        root = f"/apis/{group['preferredVersion']['groupVersion']}"
        for row in rest.get(root)["resources"]:
            if "/" not in row["name"]:
                yield f"{owner[1]}-controller", root, row["name"]


def delete_objects(rest, collections, running):
    """Deletes our objects in all namespaces; how many there are still that a running daemon has to let
    go."""
    count = 0
    for daemon, root, plural in collections:
        for obj in rest.get(f"{root}/{plural}")["items"]:
            count += daemon in running
            meta = obj["metadata"]
            if not meta.get("deletionTimestamp"):
                rest.call("DELETE", f"{root}/namespaces/{meta['namespace']}/{plural}/"
                                    f"{meta['name']}")
    return count


def empty(rest, running, seconds=10):
    """Some tests leave objects behind that cannot go: that is no matter of this module."""
    served = list(kinds(rest))
    try:
        wait_until(lambda: delete_objects(rest, served, running) == 0, "the objects to be gone", seconds)
    except AssertionError:
        pass


def check(rest, daemons, directories=(), seconds=120):
    """Deletes our objects; fails when daemons (Controllers; those that run) then hold more than after
    their start, or leave files in directories. Connections beyond what is allowed at once are given
    the time after which an idle one is closed (common/net/httpc.c)."""
    running = {d.name for d in daemons if d.alive()}
    if running:
        empty(rest, running)

    def look():
        told = [f"{d.name}: {more}" for d in daemons if d.alive() and d.held
                for more in [d.holds().more_than(d.held)] if more]
        files = [f for directory in directories for f in left_files(directory)]
        look.told = "\n".join(told + (["files:", *files] if files else []))
        return not look.told
    look.told = ""
    try:
        wait_until(look, "what daemons hold", seconds, 0.1)
    except AssertionError:
        raise AssertionError(f"never given back:\n{look.told}") from None
