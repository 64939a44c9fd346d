"""Runs the C++ contract tests against a real hawkBit, each as a test of its own."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.lab.hawkbit import HawkBit

BUILD = Path(os.environ.get("DAVIT_TEST_BUILD", "/src/build/dev"))


def programs() -> list[Path]:
    return sorted(path for path in BUILD.glob("tests/contract/*/contract_*") if path.is_file() and os.access(path, os.X_OK))


def cases(program: Path) -> list[str]:
    """Names as GoogleTest lists them: suites at the margin, their tests indented."""
    listed = subprocess.run([program, "--gtest_list_tests"], check=True, capture_output=True, text=True).stdout
    found, suite = [], ""
    for line in listed.splitlines():
        name = line.split("#")[0].rstrip()
        if line.startswith("  "):
            found.append(suite + name.strip())
        elif name.endswith("."):
            suite = name
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    pairs = [(program, case) for program in programs() for case in cases(program)]
    metafunc.parametrize("program, case", pairs, ids=[case for _, case in pairs])


def test_the_contract_holds(hawkbit: HawkBit, program: Path, case: str) -> None:
    environment = os.environ | {
        "DAVIT_TEST_HAWKBIT_URL": hawkbit.url,
        "DAVIT_TEST_HAWKBIT_USER": hawkbit.user,
        "DAVIT_TEST_HAWKBIT_PASSWORD_FILE": str(hawkbit.password_file),
        "DAVIT_TEST_HAWKBIT_GATEWAY_TOKEN_FILE": str(hawkbit.gateway_token_file),
    }
    answer = subprocess.run([program, f"--gtest_filter={case}", "--gtest_brief=1"], env=environment, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert answer.returncode == 0, answer.stdout
