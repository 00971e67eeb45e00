"""Charts in archives: what the real tool takes is taken, with the same output; what it refuses is
refused."""
import gzip
import io
import tarfile

import pytest

from . import cases_charts
from .test_charts import run

HEAD = "apiVersion: v2\nname: parent\nversion: 0.1.0\n"
GOOD = {"parent/Chart.yaml": HEAD, "parent/templates/a.yaml": "kind: A\n"}
MIB = 1 << 20

# (name, {path: text}, whether it is taken; None: by the real tool only, which cleans such names)
ARCHIVES = [
    ("plain", GOOD, True),
    ("E1_parent_path", {**GOOD, "parent/../../x": "a"}, False),
    ("E1_parent_path_inside", {**GOOD, "parent/a/../b": "a"}, True),
    ("E1_absolute_path", {**GOOD, "/etc/x": "a"}, True),
    ("E1_drive", {**GOOD, "parent/c:/x": "a"}, False),
    ("E1_chart_at_the_root", {"Chart.yaml": HEAD}, False),
    ("E1_empty", {}, False),
    ("E1_no_chart", {"parent/values.yaml": "a: 1\n"}, False),
    ("E2_large_file", {**GOOD, "parent/big": "x" * (6 * MIB)}, False),
    ("E2_file_at_the_limit", {**GOOD, "parent/big": "x" * (5 * MIB)}, True),
    ("E2_large_chart", {**GOOD, **{f"parent/f{n}": "x" * (5 * MIB) for n in range(21)}}, False),
    ("E3_mark", {**GOOD, "parent/Chart.yaml": "\ufeff" + HEAD, "parent/values.yaml": "\ufeffa: 1\n"}, True),
    ("E7_nested_archive", {**GOOD, "parent/charts/sub-1.tgz": None}, True),
    ("E7_nested_archive_hidden", {**GOOD, "parent/charts/_sub.tgz": None, "parent/charts/.sub.tgz": None}, True),
    ("helmignore_is_for_directories", {**GOOD, "parent/.helmignore": "a.yaml\n"}, True),
    ("crds", {**GOOD, "parent/crds/c.yaml": "kind: C\n"}, True),
    ("other_root", {"x/Chart.yaml": HEAD, "y/templates/a.yaml": "kind: A\n"}, True),
]


def archive(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        for path, text in files.items():
            data = nested() if text is None else text.encode()
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def nested():
    return archive({path.replace("charts/sub/", "sub/"): text
                    for path, text in cases_charts.SUB.items()})


def both(helm, sluice, folder, data):
    (folder / "c.tgz").write_bytes(data)
    return [run([*program, "template", "rel", "c.tgz", "--include-crds"], folder)
            for program in ([helm], [sluice, "helm"])]


@pytest.mark.parametrize("case", ARCHIVES, ids=lambda case: case[0])
def test_archive(helm, sluice, tmp_path, case):
    _, files, taken = case
    real, ours = both(helm, sluice, tmp_path, archive(files))
    assert (ours[0] == 0) == bool(taken), ours
    assert (real[0] == 0) == (taken is not False), real
    assert not taken or ours[1] == real[1]


@pytest.mark.parametrize("data", [b"", b"not an archive", gzip.compress(b""),
                                  gzip.compress(b"x" * 600)], ids=range(4))
def test_broken_archive(helm, sluice, tmp_path, data):
    real, ours = both(helm, sluice, tmp_path, data)
    assert ours[0] == real[0] == 1 and not ours[1], (ours, real)


@pytest.mark.parametrize("data", [archive(GOOD)[:200], archive(GOOD)[:-9] + b"\0" * 9], ids=range(2))
def test_damaged_archive(sluice, tmp_path, data):
    """The real tool looks no further than the end of the tar."""
    (tmp_path / "c.tgz").write_bytes(data)
    code, text, _ = run([sluice, "helm", "template", "rel", "c.tgz"], tmp_path)
    assert code == 1 and not text


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE,
                                  tarfile.CHRTYPE], ids=["symlink", "link", "fifo", "device"])
def test_an_archive_gives_nothing_of_the_system(sluice, tmp_path, kind):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path, text in {**GOOD, "parent/templates/b.yaml":
                           'file: {{ .Files.Get "f" | quote }}\n'}.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
        member = tarfile.TarInfo("parent/f")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    (tmp_path / "c.tgz").write_bytes(out.getvalue())
    code, text, _ = run([sluice, "helm", "template", "rel", "c.tgz"], tmp_path)
    assert "root:" not in text
    assert code == 1 or 'file: ""' in text
