"""Repositories that mean harm: each build ends, in bounded time and memory, with an error that names
the file, and nobody else's Kustomization notices."""
import json
import os
import pathlib
import resource
import subprocess

import pytest
import yaml

from tests.lib.apps import app, config_map  # noqa: F401

SLUICE = pathlib.Path(os.environ["SLUICE_BUILD"], "cli", "sluice")
K, RES = "kustomization.yaml", "resources: [r.yaml]\n"
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
ADD = "- {op: add, path: /data/p, value: q}"
MIB = 1 << 20
# Of one build, on a loaded machine and under sanitizers; plain it is a tenth.
SECONDS, MEMORY = 60, 1500 * MIB


def anchors(width=9, depth=12):
    lines = ["a0: &a0 [" + "x," * width + "]"]
    lines += [f"a{i}: &a{i} [" + f"*a{i - 1}," * width + "]" for i in range(1, depth)]
    return "\n".join(lines) + "\n"


def merge_keys():
    return "x0: &x0 {a: 1}\n" + "".join(
        f"x{i}: &x{i} {{<<: [{','.join([f'*x{i - 1}'] * 50)}], k{i}: 1}}\n" for i in range(1, 200))


def patched(target, **files):
    return {K: RES + f"patches: [{{patch: '{ADD}', target: {target}}}]\n",
            "r.yaml": config_map("a" * 60 + "b"), **files}


def doubling(layers):
    """Each layer holds the next one twice, the second time under other names."""
    files = {K: "resources: [l0]\n", f"l{layers}/{K}": RES, f"l{layers}/r.yaml": config_map("a")}
    for i in range(layers):
        files[f"l{i}/{K}"] = f"resources: [../l{i + 1}, x]\n"
        files[f"l{i}/x/{K}"] = f"resources: [../../l{i + 1}]\nnamePrefix: p{i}-\n"
    return files


# name -> (files, what the error says; None: it builds)
TREES = {
    "anchors": ({K: RES, "r.yaml": HEAD + anchors()}, "r.yaml:10:10: aliases expand to more than"),
    "anchors_in_the_root": ({K: anchors()}, f"{K}:7:10: aliases expand"),
    "anchors_in_a_patch": ({K: RES + "patches: [{path: p.yaml}]\n", "r.yaml": config_map("a"),
                            "p.yaml": HEAD + anchors()}, "p.yaml:10:10: aliases expand"),
    "merge_keys": ({K: RES, "r.yaml": HEAD + merge_keys()}, "r.yaml:"),
    "deep": ({K: RES, "r.yaml": HEAD + "x: " + "[" * 100000 + "]" * 100000},
             "r.yaml:4:103: nested deeper"),
    "large_file": ({K: RES, "r.yaml": HEAD + "x: " + "y" * 100 * MIB}, "r.yaml: over 52428800"),
    "large_generator_file": ({K: "configMapGenerator: [{name: g, files: [f.bin]}]\n",
                              "f.bin": "y" * 100 * MIB}, "f.bin: over 52428800"),
    "cycle": ({K: "resources: [a]\n", "a/" + K: "resources: [../b]\n",
               "b/" + K: "resources: [../a]\n"}, "cycle detected"),
    "itself": ({K: "resources: [.]\n"}, "cycle detected"),
    "out_of_the_root": ({K: "resources: [../../../../../../../../etc/passwd]\n"}, "leads out of"),
    "absolute": ({K: "resources: [/etc/passwd]\n"}, "/etc/passwd"),
    "no_target": (patched("{name: zzz}"), None),
    "no_match": ({K: RES + "patches: [{path: p.yaml}]\n", "r.yaml": config_map("a"),
                  "p.yaml": config_map("zz")}, "p.yaml: no matches for v1 ConfigMap zz"),
    "bad_regex": (patched("{name: 'a('}"), f"{K}:2: patches[0]: target name: regular expression"),
    "catastrophic_regex": (patched("{name: (a+)+$}"), None),
    "more_catastrophic_regex": (patched("{name: '(.*)*(.*)*(.*)*x'}"), None),
    "large_regex": (patched("{name: '(((a{1,100}){1,100}){1,100})'}"), "too large"),
    "catastrophic_replacement": ({
        K: RES + "replacements: [{source: {kind: ConfigMap}, targets: [{select: {name: (a|a)*b},"
        " fieldPaths: ['data.[k=(x+x+)+y]']}]}]\n", "r.yaml": config_map("a" * 100)}, None),
    "long_prefix": ({K: RES + f"namePrefix: {'p' * 100000}\n", "r.yaml": config_map("a")},
                    f"{K}:2: namePrefix"),
    "deep_bases": ({**{"d/" * i + K: "resources: [d]\n" for i in range(150)},
                    "d/" * 150 + K: RES, "d/" * 150 + "r.yaml": config_map("a")},
                   "nested deeper than 100"),
    "doubling": (doubling(20), "more than 20000 kustomizations"),
    "binary": ({K: RES, "r.yaml": "\x00\x01\x02"}, "r.yaml:1:1: control characters"),
    "copies": ({K: RES + "replacements: [{source: {kind: ConfigMap, fieldPath: data}, targets: "
                "[{select: {kind: ConfigMap}, options: {create: true}, fieldPaths: ["
                + ",".join(f"data.x{i}" for i in range(40)) + "]}]}]\n",
                "r.yaml": config_map("a")}, "field \"data.x18\": the build copies more than"),
    "many_objects": ({K: RES, "r.yaml": "---\n".join(config_map(f"a{i}") for i in range(50000))},
                     None),
}
# Those that a source-controller takes at all, and that are cheap to push, fetch and unpack.
SMALL = [n for n in TREES if n not in ("large_file", "large_generator_file", "many_objects",
                                       "doubling", "deep_bases")]


def service(count, protocol=""):
    ports = "".join(f"  - {{port: {i}{protocol}}}\n" for i in range(count))
    return "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  ports:\n" + ports


def objects_of(count):
    return "---\n".join(config_map(f"a{i}") for i in range(count))


# name -> (files, flag, what the error says): each builds without the flag, but for those that would
# go on for the default's two minutes.
LIMITED = {
    "file": ({K: RES, "r.yaml": config_map("a")}, "--build-max-file-bytes=20", "r.yaml: over 20 bytes"),
    "files": ({K: RES, "r.yaml": config_map("a")}, "--build-max-bytes=60",
              "r.yaml: the build reads more than 60 bytes"),
    "objects": ({K: RES, "r.yaml": objects_of(12)}, "--build-max-objects=11",
                "r.yaml:78: more than 11 objects"),
    "generated": ({K: "configMapGenerator: [{name: g}, {name: h}]\n"}, "--build-max-objects=1",
                  f"{K}:1: configMapGenerator: more than 1 objects"),
    "long_keyed_list": ({K: RES + "patches: [{path: p.yaml}]\n", "r.yaml": service(20000, ", protocol: TCP"),
                         "p.yaml": service(1)}, "--build-timeout=10s", f"{K}:2: patches[0]: p.yaml: "
                        "the build takes longer than 10000 ms"),
    "reading": ({K: RES + "patches: [{path: p.yaml}]\n", "r.yaml": service(60000, ", protocol: TCP"),
                 "p.yaml": service(1)}, "--build-timeout=20ms",
                f"Error: {K}: the build takes longer than 20 ms"),
    "labels": ({K: RES + "labels:\n" + "- pairs: {a: b}\n" * 20000, "r.yaml": objects_of(5000)},
               "--build-timeout=10s", f"{K}:3: labels: the build takes longer than 10000 ms"),
    "replacements": ({K: RES + "replacements:\n" + "- {sourceValue: x, targets: [{select: {name: 'a.*b'}}]}\n"
                      * 20000, "r.yaml": objects_of(5000)}, "--build-timeout=10s",
                     "the build takes longer than 10000 ms"),
}


def processor_seconds():
    """Of the processes that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_within(folder, command):
    """The processor's seconds count: a busy machine's may be many more."""
    used = processor_seconds()
    done = subprocess.run([SLUICE, *command], cwd=folder, text=True, capture_output=True,
                          timeout=10 * SECONDS, preexec_fn=limit_memory)
    assert processor_seconds() - used < SECONDS
    return done


def write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)


def limit_memory():
    """Sanitizers reserve address space without end; the plain build is held to its bound."""
    if os.environ.get("SLUICE_PLAIN"):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.mark.parametrize("name", sorted(TREES))
def test_a_build_ends_and_names_the_file(name, tmp_path):
    files, text = TREES[name]
    write(tmp_path, files)
    done = run_within(tmp_path, ["kustomize", "build", "."])
    assert done.returncode == (1 if text else 0), done.stderr[-2000:]
    assert not text or text in done.stderr, done.stderr[-2000:]


@pytest.mark.parametrize("name", sorted(LIMITED))
def test_limits_of_a_build_are_flags(name, tmp_path):
    files, flag, text = LIMITED[name]
    write(tmp_path, files)
    done = run_within(tmp_path, ["kustomize", "build", flag])
    assert done.returncode == 1 and not done.stdout and text in done.stderr, done.stderr[-2000:]
    if "timeout" not in flag:
        assert run_within(tmp_path, ["kustomize", "build"]).returncode == 0


KUSTOMIZATION = """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: a, namespace: flux-system}
spec: {interval: 1m, prune: true, path: ./, sourceRef: {kind: GitRepository, name: a}}
"""


@pytest.mark.parametrize("name", ["file", "files", "objects", "long_keyed_list"])
def test_limits_of_build_kustomization_are_flags(name, tmp_path):
    files, flag, text = LIMITED[name]
    write(tmp_path, {f"src/{path}": content for path, content in files.items()})
    write(tmp_path, {"ks.yaml": KUSTOMIZATION})
    done = run_within(tmp_path, ["build", "ks", "a", "--path=src", "--kustomization-file=ks.yaml",
                                 "--dry-run", flag])
    assert done.returncode == 1 and not done.stdout, done.stderr[-2000:]
    assert text.split(": ")[-1] in done.stderr and "src/" in done.stderr, done.stderr[-2000:]


# name -> (variables, the text, a flag or none, what the error says)
EXPANSIONS = {
    "replacement": ({"v": "a" * 65536, "w": "b" * 65536}, "${v//a/${w}}", None, "33554432 bytes"),
    "arguments": ({"v": "a" * 65536}, "${u:=${v}}" * 5, "--build-max-bytes=500000", "500000 bytes"),
    "many_copies": ({"v": "a" * 60000}, "${v}", "--build-max-bytes=500000", "500000 bytes"),
    "trims": ({"v": "a" * 500000}, "${v##*zzz}" * 3000, "--build-timeout=100ms", "100 ms"),
}


@pytest.mark.parametrize("name", sorted(EXPANSIONS))
def test_substitution_is_within_the_limits_of_a_build(name, tmp_path):
    values, text, flag, says = EXPANSIONS[name]
    files = {f"src/{i}.yaml": config_map(f"a{i}", {"k": text}) for i in range(20)}
    kustomization = yaml.safe_load(KUSTOMIZATION)
    kustomization["spec"]["postBuild"] = {"substitute": values}
    write(tmp_path, {**files, "ks.yaml": json.dumps(kustomization)})
    done = run_within(tmp_path, ["build", "ks", "a", "--path=src", "--kustomization-file=ks.yaml",
                                 "--dry-run", *([flag] if flag else [])])
    assert done.returncode == 1 and not done.stdout, done.stderr[-2000:]
    assert says in done.stderr and ".yaml" in done.stderr, done.stderr[-2000:]


def test_a_text_that_substitution_breaks_is_told_as_such(tmp_path):
    """The line is one of the rendered object, not of the file."""
    kustomization = yaml.safe_load(KUSTOMIZATION)
    kustomization["spec"]["postBuild"] = {"substitute": {"v": "a: b"}}
    write(tmp_path, {"src/r.yaml": "# A comment.\n" * 9 + config_map("x", {"k": "${v}"}),
                     "ks.yaml": json.dumps(kustomization)})
    done = run_within(tmp_path, ["build", "ks", "a", "--path=src", "--kustomization-file=ks.yaml",
                                 "--dry-run"])
    assert done.returncode == 1 and "[src/r.yaml:10]: the object after substitution:3:" in \
        done.stderr, done.stderr


@pytest.mark.parametrize("flag", ["max-file-bytes=0", "max-bytes=-1", "max-objects=x", "timeout=0s",
                                  "timeout=5"])
def test_limits_that_are_none_are_refused(flag, tmp_path):
    write(tmp_path, {K: RES, "r.yaml": config_map("a"), "ks.yaml": KUSTOMIZATION})
    done = run_within(tmp_path, ["kustomize", "build", f"--build-{flag}"])
    assert done.returncode == 1 and f"--build-{flag.split('=')[0]}" in done.stderr
    done = run_within(tmp_path, ["build", "ks", "a", "--path=.", "--kustomization-file=ks.yaml",
                                 "--dry-run", f"--build-{flag}"])
    assert done.returncode == 1 and "--build-" in done.stderr, done.stderr


def test_the_controller_survives_them_all(app, objects):  # noqa: F811
    app.commit({"good/cm.yaml": config_map("good"),
                **{f"{name}/{path}": content for name in SMALL
                   for path, content in TREES[name][0].items()}})
    objects.ready("GitRepository", "src")
    for name in SMALL:
        app.kustomization(name.replace("_", "-"), path=f"./{name}", retryInterval="1h")
    app.kustomization("good", path="./good")
    objects.ready("Kustomization", "good")
    for name in SMALL:
        text = TREES[name][1]
        if text:
            app.failed("BuildFailed", text, name=name.replace("_", "-"))
        else:
            objects.ready("Kustomization", name.replace("_", "-"))
