"""How much is tried: some in `./dev test`, more in `./dev test crash`, everything from `./dev test crash --states 1000` on."""

import os
from typing import TypeVar

Choice = TypeVar("Choice")

STATES = int(os.environ.get("DAVIT_TEST_STATES") or 300)


def effort(little: Choice, more: Choice, everything: Choice) -> Choice:
    return little if STATES < 100 else more if STATES < 1000 else everything
