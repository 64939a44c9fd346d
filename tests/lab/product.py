"""The product as a device's image would carry it: a directory that lies over the plain device root."""

import os
import subprocess
from pathlib import Path

from tests.lab.run import Run

BUILD = Path(os.environ.get("DAVIT_BUILD", "/src/build/release"))
BOOT_UNITS = ("davitd.service", "davit-units.service", "davit-apps.target")


def install(run: Run, build: Path = BUILD) -> Path:
    """Installs the build into a directory of the run and enables what an image enables. @return the directory"""
    if not (build / "cmake_install.cmake").exists():
        raise FileNotFoundError(f"{build} holds no build: run `./dev build` first")
    layer = run.path("product")
    answer = subprocess.run(["cmake", "--install", build, "--strip"], env=os.environ | {"DESTDIR": str(layer)}, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if answer.returncode != 0:
        raise RuntimeError(f"cmake --install {build} failed:\n{answer.stdout}")
    units = layer / "usr/lib/systemd/system"
    for unit in BOOT_UNITS:
        if (units / unit).exists() and "[Install]" in (units / unit).read_text():
            subprocess.run(["systemctl", f"--root={layer}", "--quiet", "enable", unit], check=True)
    return layer
