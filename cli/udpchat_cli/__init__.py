"""The command `udpchat`."""

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
    except ReaderGone as gone:
        return Exit.DONE if gone.failed is None else _failed(str(gone.failed), gone.failed.status)
    except Failed as error:
        return _failed(str(error), error.status)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # no traceback ever reaches a user
        return _failed(fault(error), Exit.INTERNAL)


def _run(options: object) -> int:
    """Import what carries these options out, and let it. Raises `Failed`."""
    from .exits import Failed, ReaderGone  # noqa: PLC0415 - as in `main`

    try:
        return _carry_out(options)
    except (Failed, ReaderGone):
        raise
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        raise told from error


def _carry_out(options: object) -> int:
    from importlib import import_module  # noqa: PLC0415 - as in `main`

    from .arguments import ClassicClientOptions, ClassicServerOptions, Given  # noqa: PLC0415
    from .imports import much_imported  # noqa: PLC0415

    if isinstance(options, Given):
        with much_imported():
            module = import_module(f"{__package__}.commands.{options.command.module}")
        return int(module.run(options))
    with much_imported():
        from . import classic_client, classic_server  # noqa: PLC0415
    if isinstance(options, ClassicServerOptions):
        return classic_server.main(options)
    assert isinstance(options, ClassicClientOptions)
    return classic_client.main(options)


def _told(error: Exception) -> "Failed | None":
    """What a user is told of an error of the disk or of a socket; None for anything else, a fault of this program."""
    from udpchat_net.stores.errors import StoreError  # noqa: PLC0415 - only where there was one
    from udpchat_net.udp import DriverError  # noqa: PLC0415

    from .exits import Exit, Failed  # noqa: PLC0415

    if isinstance(error, StoreError):
        return Failed(Exit.STATE, str(error))
    return Failed(Exit.USAGE, str(error)) if isinstance(error, DriverError) else None


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
