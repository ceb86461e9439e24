"""Words of a shell to an exit code: errors on one line, Ctrl-C, closed pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from rainier_fast.cli.names import CLOSED, COMPLETE, FAILED, NAME, OK, STOPPED, WRONG


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go()
        return CLOSED
    except KeyboardInterrupt:
        return _told("stopped", STOPPED)
    return code


def _run(words: list[str]) -> int:
    import click

    from rainier_fast.cli.app import app

    if COMPLETE in os.environ:
        app.main(words, NAME, COMPLETE)  # ends the process
    try:
        with app.make_context(NAME, words) as context:
            app.invoke(context)
    except click.exceptions.Exit as done:
        return int(done.exit_code)
    except click.Abort:
        return _told("stopped", STOPPED)
    except click.ClickException as error:
        return _told(_of_click(error), WRONG)
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "" if error.filename is None else f"{error.filename}: "
        return _told(f"{name}{error.strerror or error}", FAILED)
    except Exception as error:
        return _of_ours(error)
    return OK


def _of_click(error: Exception) -> str:
    import click

    assert isinstance(error, click.ClickException)
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if isinstance(error, click.UsageError) and context is not None:
        message = f"{message.rstrip('.')}; see {context.command_path} --help"
    return message


def _of_ours(error: Exception) -> int:
    from rainier_fast.errors import RainierError, SweepStopped

    if isinstance(error, RainierError):
        failed = isinstance(error, MemoryError | SweepStopped)
        return _told(str(error), FAILED if failed else WRONG)
    if isinstance(error, MemoryError):
        return _told("not enough memory for this; ask for less at once", FAILED)
    raise error


def _told(message: str, code: int) -> int:
    try:
        print(f"{NAME}: {' '.join(message.split())}", file=sys.stderr)
    except BrokenPipeError:
        _let_go()
    return code


def _let_go() -> None:
    """Keep the interpreter from writing what is left to a pipe that nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):
            continue
    os.close(nowhere)
