"""`python -m hub.demo`: walk the whole chain in the terminal; exit code 0 only if every step ended as it must."""

import sys

from hub import doctor
from hub.cli import exit_code_of, in_words
from hub.demo.terminal import WalkFailed
from hub.demo.walk import walk
from hub.errors import ChecksFailed, HubError
from hub.web.language import translator
from sandbox.errors import SandboxError


def main() -> int:
    """The exit code of the walk."""
    try:
        walk(translator(doctor.terminal_language()))
    except WalkFailed as failed:
        print(f"✗ {failed}", file=sys.stderr)
        return ChecksFailed.exit_code
    except (HubError, SandboxError) as error:
        print(in_words(error), file=sys.stderr)
        return exit_code_of(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
