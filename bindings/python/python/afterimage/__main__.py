"""The command line: ``python -m afterimage`` does what ``afterimage`` does."""

import os
import signal
import sys

from . import _native
from ._environment import end_with_parent, interpreter


def main() -> int:
    """Does what the command line says, and gives the exit status."""
    end_with_parent()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Ctrl-C is the command's: a run stops after its step.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What a sweep starts is this package, too, whatever lies in the working folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    os.environ.update(_native.environment())
    return _native.main(interpreter(), sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
