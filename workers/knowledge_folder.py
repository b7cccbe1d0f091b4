"""Reads all documents of a persona's knowledge folder, in a process of its own with bounded memory and time.

A document that breaks a library, or that it never comes to the end of, then costs that document only; whatever happens,
there is a sentence. The process is `python -m workers.knowledge_folder`: a path a line in, what it says a line out.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from workers.documents import SAVE_ANEW, Block, Document, DocumentError, printable, read_document
from workers.limits import confine

MEMORY = 1024**3
"""Bytes of address space; 0.1 to 0.2 GB of it is Python and the libraries."""
DOCUMENT_CPU_S = 30
"""Two million characters of PDF, the most that a document may have, take some 20 s."""
DOCUMENT_WALL_S = 120
PROCESS_CPU_S = 3600
"""A process reads all of a folder: what bounds a document is a timer of its own."""
TOO_LONG = (signal.SIGPROF, signal.SIGALRM)
ROOT = Path(__file__).resolve().parents[1]


def read_folder(folder: Path) -> tuple[list[Document], list[DocumentError]]:
    """All documents of a folder and its subfolders in name order, and those that could not be read, with the reason.

    `questions.toml` and other kinds of files are not documents; unknown ones are reported, hidden ones ignored.
    """
    documents: list[Document] = []
    errors: list[DocumentError] = []
    with Reader() as reader:
        for path in paths_in(folder, errors):
            try:
                blocks = reader.read(path)
            except DocumentError as error:
                errors.append(error)
            else:
                name = "/".join((*path.relative_to(folder).parent.parts, path.stem))
                documents.append(Document(printable(name), blocks))
    return documents, errors


def paths_in(folder: Path, errors: list[DocumentError]) -> list[Path]:
    """What may be a document, in name order; what the file system does not let one see is added to the errors."""
    if not os.path.isdir(folder):  # unlike Path's, it takes any name
        errors.append(DocumentError(folder, "this knowledge folder does not exist", "Correct [knowledge] folder"))
        return []
    try:
        everything = sorted(folder.rglob("*"))
    except OSError as error:
        errors.append(DocumentError(folder, f"cannot be looked through ({error.strerror})", "Check the folder"))
        return []
    found: list[Path] = []
    for path in everything:
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.suffix != ".toml" and os.path.isfile(path):
            found.append(path)
    return found


class Reader:
    """The process: started with the first document, and again after one that has ended it."""

    def __init__(self, cpu_s: float = DOCUMENT_CPU_S, memory: int = MEMORY) -> None:
        self._bounds = [str(cpu_s), str(memory)]
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def read(self, path: Path) -> tuple[Block, ...]:
        """What is in a document. Raises DocumentError."""
        try:
            answer = self._ask(path)
        except OSError as error:
            raise DocumentError(path, f"cannot be read just now ({error.strerror})", "Start again later") from error
        if not answer.endswith(b"\n"):
            raise _died(path, self._end())
        said = json.loads(answer)
        if "problem" in said:
            raise DocumentError(path, said["problem"], said["remedy"])
        return tuple(Block(tuple(headings), text) for headings, text in said["blocks"])

    def _ask(self, path: Path) -> bytes:
        """Its line; less than a line when the process has ended."""
        if self._child is None:
            command = [sys.executable, "-m", "workers.knowledge_folder", *self._bounds]
            pipe = subprocess.PIPE
            self._child = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(json.dumps(os.path.abspath(path)).encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            return b""
        return self._child.stdout.readline()

    def _end(self) -> int:
        """How the process has ended, or is made to: it has nothing left to do."""
        child, self._child = self._child, None
        if child is None:
            return 0
        with contextlib.suppress(BrokenPipeError), child:  # closes what it reads from, which ends it
            pass
        return child.returncode


def _died(path: Path, code: int) -> DocumentError:
    if -code in TOO_LONG:
        return DocumentError(path, "takes too long to read", "Split it into several documents, or save it anew")
    return DocumentError(path, f"ends the program that reads it ({code})", SAVE_ANEW)


# --- in the process ---


def main(cpu_s: float, memory: int) -> None:
    confine(memory, PROCESS_CPU_S)
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)  # which ends the process, even in the midst of a library written in C
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        signal.setitimer(signal.ITIMER_REAL, DOCUMENT_WALL_S)
        answer = answer_for(Path(json.loads(line)))
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(answer + b"\n")
        answers.flush()


def answer_for(path: Path) -> bytes:
    said: dict[str, object]
    try:
        said = {"blocks": [(block.headings, block.text) for block in read_document(path).blocks]}
    except DocumentError as error:
        said = {"problem": error.problem, "remedy": error.remedy}
    return printable(json.dumps(said, ensure_ascii=False)).encode()


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
