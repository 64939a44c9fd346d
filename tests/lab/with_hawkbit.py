"""python3 -m tests.lab.with_hawkbit -- CMD…: runs CMD beside a real hawkBit, named by DAVIT_TEST_HAWKBIT_*."""

import os
import subprocess
import sys

from tests.lab.hawkbit import HawkBit
from tests.lab.run import Run


def main() -> int:
    command = sys.argv[1:]
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    with Run("contract") as run:
        server = HawkBit(run).wait_ready()
        environment = os.environ | {
            "DAVIT_TEST_HAWKBIT_URL": server.url,
            "DAVIT_TEST_HAWKBIT_USER": server.user,
            "DAVIT_TEST_HAWKBIT_PASSWORD_FILE": str(server.password_file),
            "DAVIT_TEST_HAWKBIT_GATEWAY_TOKEN_FILE": str(server.gateway_token_file),
        }
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
