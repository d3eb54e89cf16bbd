"""A folder of wheels, of which one is called torch and does what is asked of it here."""

import base64
import hashlib
import os
import zipfile

WORKING = """
__version__ = "99.0+cpu"

class _Array:
    def __init__(self, array):
        self.array = array

    def numpy(self):
        return self.array

def from_numpy(array):
    return _Array(array)

class backends:
    class mps:
        is_available = staticmethod(lambda: False)
"""
BROKEN = "raise ImportError('libcudart.so.99 is missing')"


def write_wheel(folder, name, version, source, needs=()):
    """A wheel of one module."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    requires = "".join(f"Requires-Dist: {need}\n" for need in needs)
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = f"{info}/RECORD"
    lines = [f"{path},{_digest(text)},{len(text.encode())}" for path, text in files.items()]
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        wheel.writestr(record, "\n".join([*lines, f"{record},,", ""]))


def _digest(text):
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def write_torch(folder):
    """An index: torch, one that it needs, and a NumPy that must not be installed."""
    write_wheel(folder, "torch", "99.0+cpu", WORKING, ["helper", "numpy"])
    write_wheel(folder, "helper", "1.0", "")
    write_wheel(folder, "numpy", "99.0", BROKEN)
    return folder


def only_this_index(monkeypatch):
    """What this machine tells pip to look at as well is left out."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
