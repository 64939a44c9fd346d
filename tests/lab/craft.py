"""Commits as nobody's tool would make them: with plain `ostree`, signed by hand or not at all."""

import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def commit(repository: Path, ref: str, tree: Path, *options: str) -> str:
    """Commits a directory into an archive repository (made when absent). @return the commit's id"""
    if not (repository / "config").exists():
        _ostree(repository, "init", "--mode=archive")
    return _ostree(repository, "commit", f"--branch={ref}", f"--tree=dir={tree}", "--subject=crafted", *options).strip()


def sign(repository: Path, commit_id: str, key: Path) -> None:
    """Writes the commit's detached metadata anew, with one signature in upstream's format."""
    secret = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(secret, Ed25519PrivateKey)
    object_file = repository / "objects" / commit_id[:2] / f"{commit_id[2:]}.commit"
    metadata_file(repository, commit_id).write_bytes(_detached_metadata(secret.sign(object_file.read_bytes())))


def unsign(repository: Path, commit_id: str) -> None:
    """Takes every signature away."""
    metadata_file(repository, commit_id).unlink()


def metadata_file(repository: Path, commit_id: str) -> Path:
    return repository / "objects" / commit_id[:2] / f"{commit_id[2:]}.commitmeta"


def _detached_metadata(signature: bytes) -> bytes:
    """The GVariant a{sv} {'ostree.sign.ed25519': <[signature] as aay>}, serialized.

    Every container of variable size ends with the offsets of its variable-sized children's ends, a byte each while it
    is shorter than 256; a variant is its value, a zero and its type; {sv} aligns its variant to 8.
    """
    assert len(signature) == 64
    signatures = signature + bytes([len(signature)])
    variant = signatures + b"\0aay"
    key = b"ostree.sign.ed25519\0"
    entry = key + b"\0" * (-len(key) % 8) + variant
    entry += bytes([len(key)])
    return entry + bytes([len(entry)])


def _ostree(repository: Path, *words: str) -> str:
    answer = subprocess.run(["ostree", f"--repo={repository}", *words], check=False, capture_output=True, text=True)
    if answer.returncode != 0:
        raise AssertionError(f"ostree {' '.join(words)}: {answer.stderr}")
    return answer.stdout
