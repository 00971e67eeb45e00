"""What a source object's artifact is, checked on the way."""
import hashlib
import io
import tarfile

from .net import http


def fetch(obj):
    """The artifact's bytes, checked against its digest and size."""
    artifact = obj["status"]["artifact"]
    status, _, data = http("GET", artifact["url"])
    assert status == 200
    assert artifact["digest"] == "sha256:" + hashlib.sha256(data).hexdigest()
    assert artifact["size"] == len(data)
    return data


def names(obj):
    """The files in it."""
    with tarfile.open(fileobj=io.BytesIO(fetch(obj)), mode="r:gz") as tar:
        return sorted(m.name for m in tar if m.isfile())
