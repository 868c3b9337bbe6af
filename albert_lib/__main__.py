"""The command line: python -m albert_lib COMMAND."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130  # what shells report for Ctrl-C


def end_at_once(*_: object) -> None:
    """Answer Ctrl-C while there is nothing yet to put in order, wherever Python is just then."""
    os.write(2, b"\nInterrupted.\n")
    os._exit(INTERRUPTED)


# An exception could come out of the middle of any import, and not every one of them passes it on.
# A process that was told to ignore Ctrl-C goes on doing so.
try:
    import signal

    if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, end_at_once)
except KeyboardInterrupt:
    end_at_once()

import _thread
import argparse
import importlib
import io
import re
import threading
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from albert_lib.errors import AlbertLibError, system_reason
from albert_lib.openmp import share_processors
from albert_lib.processors import limit_threads

COMMANDS = {  # each is a module of albert_lib.commands, imported only when it is run
    "build-corpus": "tokenize texts into a corpus for pretraining",
    "train-tokenizer": "train a SentencePiece vocabulary on texts",
    "pretrain": "pretrain a model; after a kill, the same command resumes",
    "history": "write the rows of a pretraining run as a table and a figure",
    "finetune": "train a model on SST-2, MNLI, SQuAD 1.1 or 2.0, or RACE",
    "evaluate": "score a model: for its card, or on the task it was fine-tuned on",
    "predict": "write a fine-tuned model's answers as the benchmark takes them",
    "diagnose": "explain why the loss of a pretraining run does not fall",
    "convert": "convert a TensorFlow checkpoint by Google to a Hugging Face folder",
    "export": "write a model as ONNX, for inference engines",
    "fill-mask": "predict the token at each [MASK]",
    "features": "compute and save the hidden states of texts",
    "probe": "score a model on a published probe set; report with intervals",
    "verify": "check that the files of a corpus, run or model are what was written",
    "check": "run the workbook's checks against a file of your own functions",
    "grade": "check what a class has handed in; marks, feedback and a summary",
    "doctor": "check the installation on this machine and say how to repair it",
}
OF_FOLDERS = {  # what comes first after the command
    "convert": "SOURCE",
    "history": "The run",
    "verify": "The folder",
    "diagnose": "The run",
    "check": "The file",
    "grade": "The folder",
}
FORKING = "grade"  # its answers are forks of it, with a thread each: no other thread may be there
LONG_WORD = re.compile(r"(\S{200})\S+")
DELIBERATE_ERROR = 2
READER_GONE = 141  # and for a pipe whose reader closed it, as head does


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Adds "(default: …)" to the help of arguments that have a value by default."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.const is True:  # not given, or a switch that is off
            return action.help
        return super()._get_help_string(action)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status.

    An AlbertLibError becomes its one sentence on stderr and status 2.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if (unsaid := empty_option(words)) is not None:
        print(f"{unsaid} is given an empty name; write one, or leave it out.", file=sys.stderr)
        return DELIBERATE_ERROR
    command, options = parsed(words)
    if signal.getsignal(signal.SIGINT) is end_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        try:
            return int(command.run(options))
        except AlbertLibError as problem:
            print(readable(str(problem)), file=sys.stderr)
            return DELIBERATE_ERROR
        except BrokenPipeError:
            raise
        except OSError as problem:  # of a file that no part of the library expected to fail
            name = readable(str(problem.filename or "A file or the output"))
            print(
                f"{name} cannot be read or written ({system_reason(problem)}); check its path, its "
                f"permissions and the room on the disk.",
                file=sys.stderr,
            )
            return DELIBERATE_ERROR
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            return INTERRUPTED


def parsed(words: Sequence[str]) -> tuple[Any, argparse.Namespace]:
    """The module of the command that is named, and its arguments; only that one is imported."""
    chosen = next((word for word in words if word in COMMANDS), None)
    parser = argparse.ArgumentParser(
        prog="python -m albert_lib", description="ALBERT, from text to a measured model."
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    command: Any = None
    for name, summary in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            formatter_class=HelpFormatter,
        )
        if name == chosen:
            command = importlib.import_module(f"albert_lib.commands.{name.replace('-', '_')}")
            command.add_arguments(subparser)
    return command, parser.parse_args(words)


def empty_option(words: Sequence[str]) -> str | None:
    """The flag or first argument that is the empty text, which as a path would mean this folder.

    Example:
        >>> empty_option(["fill-mask", "--model", "", "A [MASK]."])
        '--model'
    """
    if words and words[0] in OF_FOLDERS and "" in words[1:2]:
        return OF_FOLDERS[words[0]]
    for flag, value in pairwise([*words, "-"]):
        if flag.startswith("--") and (value == "" or flag.endswith("=")):
            return flag.rstrip("=")
    return None


def readable(message: str) -> str:
    """A message on one line in which no word is longer than a screen, as the name of a file may be.

    Example:
        >>> readable("no " + "x" * 5000 + " here")[-20:]
        'xxxxxxxxxxxxxx… here'
    """
    return LONG_WORD.sub(r"\1…", message).replace("\n", " ")


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print the message of a warning, without the line of code it came from."""
    print(f"Warning: {message}", file=sys.stderr)


def ask_again(lost: sys.UnraisableHookArgs) -> None:
    """Send Ctrl-C once more if it came while nothing could be raised, in a destructor, say."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
    elif signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        threading.Timer(0.01, _thread.interrupt_main).start()  # here it would be lost again


def main_of_process() -> int:
    """Run `main` on a terminal or a pipe; if the reader closes the pipe, end silently."""
    if isinstance(
        sys.stdout, io.TextIOWrapper
    ):  # a character that a terminal cannot show is no error
        sys.stdout.reconfigure(errors="backslashreplace")
    limit_threads()  # before a command imports PyTorch
    if FORKING not in sys.argv[1:2]:
        share_processors()
    try:
        try:
            status = main()
        finally:
            sys.stdout.flush()  # also what --help has printed
    except KeyboardInterrupt:  # while a command was still being imported
        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        nowhere_else_to_print()
        return READER_GONE
    except OSError as problem:  # a file on a full disk that the output is sent to
        nowhere_else_to_print()
        print(f"The output cannot be written ({system_reason(problem)}).", file=sys.stderr)
        return DELIBERATE_ERROR
    return status


def nowhere_else_to_print() -> None:
    """Send what is still to be printed to nowhere: Python flushes it again as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.unraisablehook = ask_again
    status = main_of_process()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is left to put in order
    sys.exit(status)
