"""A certificate for a server of the tests, by openssl (apt-get install openssl)."""

from __future__ import annotations

import subprocess
from pathlib import Path


def certificate(folder: Path, name: str, subject: str) -> Path:
    """`<name>.pem`, its own authority, for a `subject` such as `DNS:localhost`; its key is beside it, `<name>.key`."""
    pem = folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={subject.partition(':')[2]}", "-addext", f"subjectAltName={subject}"]
    command += ["-keyout", str(pem.with_suffix(".key")), "-out", str(pem)]
    subprocess.run(command, check=True, capture_output=True)
    return pem
