"""The command `udpchat`."""

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .exits import Failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`, or the process's own; the exit status.

    What is slow to import is imported once the arguments are known to be right.
    """
    from .arguments import parse  # noqa: PLC0415 - see above
    from .exits import Exit, Failed, ReaderGone, fault  # noqa: PLC0415

    try:
        options = parse(arguments)
        _open_missing()
        return _run(options)
    except ReaderGone:
        return Exit.DONE
    except Failed as error:
        return _failed(str(error), error.status)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # no traceback ever reaches a user
        return _failed(fault(error), Exit.INTERNAL)


def _run(options: object) -> int:
    """Import what carries these options out, and let it. Raises `Failed`."""
    gc.disable()  # nothing that is imported is garbage, and looking for some takes a seventh of the time
    from importlib import import_module  # noqa: PLC0415 - as in `main`

    from .arguments import ClassicClientOptions, ClassicServerOptions, Given  # noqa: PLC0415
    from .exits import Failed, ReaderGone  # noqa: PLC0415

    try:
        if isinstance(options, Given):
            module = import_module(f"{__package__}.commands.{options.command.module}")
            _collect_again()
            return int(module.run(options))
        from . import classic_client, classic_server  # noqa: PLC0415

        _collect_again()
        if isinstance(options, ClassicServerOptions):
            return classic_server.main(options)
        assert isinstance(options, ClassicClientOptions)
        return classic_client.main(options)
    except (Failed, ReaderGone):
        raise
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        raise told from error


def _told(error: Exception) -> "Failed | None":
    """What a user is told of an error of the disk or of a socket; None for anything else, a fault of this program."""
    from udpchat_net.stores.port import StoreError  # noqa: PLC0415 - only where there was one
    from udpchat_net.udp import DriverError  # noqa: PLC0415

    from .exits import Exit, Failed  # noqa: PLC0415

    if isinstance(error, StoreError):
        return Failed(Exit.STATE, str(error))
    return Failed(Exit.USAGE, str(error)) if isinstance(error, DriverError) else None


def _collect_again() -> None:
    """What was imported stays, and is not looked at any more."""
    gc.freeze()
    gc.enable()


def _open_missing() -> None:
    """Of standard input, output and error those that were closed: their numbers must not be a socket's."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def _failed(why: str, status: int) -> int:
    from .display import escaped  # noqa: PLC0415 - only for what is wrong

    print(f"udpchat: {escaped(why)}", file=sys.stderr)
    return status
