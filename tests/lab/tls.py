"""An authority of the lab's own and server certificates, made with openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Certificate:
    certificate: Path
    key: Path


class Authority:
    """A CA that no system trusts: devices know it only by `ca_file`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        self.certificate, self._key = directory / "ca.pem", directory / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", "/CN=Davit lab authority", "-keyout", self._key, "-out", self.certificate)

    def server(self, address: str) -> Certificate:
        """A certificate for an IP address."""
        made = Certificate(self.directory / f"{address}.pem", self.directory / f"{address}.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", f"/CN={address}", "-addext", f"subjectAltName=IP:{address}",
                 "-addext", "basicConstraints=critical,CA:FALSE",
                 "-CA", self.certificate, "-CAkey", self._key, "-keyout", made.key, "-out", made.certificate)
        return made


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
