"""Reads a persona's documents (.md .txt .html .pdf .docx) into headings and paragraphs. Knows nothing of retrieval."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_BYTES = 20_000_000
MOST_CHARACTERS = 2_000_000
MOST_UNZIPPED_BYTES = 100_000_000
HEADING_WORDS = 10
"""In formats without marked headings, a longer line is not one."""


class DocumentError(Exception):
    """A document that cannot be read: which, what is wrong, and what to do about it. The others load all the same."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        super().__init__(f"{path.name}: {problem}. {remedy}")
        self.path, self.problem, self.remedy = path, problem, remedy


@dataclass(frozen=True)
class Block:
    """One paragraph, list item or table row, under its headings from the outermost (the document's title) inwards."""

    headings: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Document:
    """A file's readable content, in order."""

    name: str
    blocks: tuple[Block, ...]


def read_folder(folder: Path) -> tuple[list[Document], list[DocumentError]]:
    """All documents of a folder and its subfolders in name order, and those that could not be read, with the reason.

    `questions.toml` and other kinds of files are not documents; unknown ones are reported, hidden ones ignored.
    """
    documents: list[Document] = []
    errors: list[DocumentError] = []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".") for part in relative.parts) or path.suffix == ".toml":
            continue
        try:
            document = read_document(path)
        except DocumentError as error:
            errors.append(error)
        else:
            documents.append(Document("/".join((*relative.parent.parts, document.name)), document.blocks))
    return documents, errors


def read_document(path: Path) -> Document:
    """One file. Raises DocumentError."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DocumentError(path, "not a kind of document that can be read", f"Save it as {', '.join(sorted(READERS))}")
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DocumentError(path, f"larger than {MOST_BYTES // 1_000_000} MB", "Split it into several documents")
        blocks = reader(path)
    except OSError as error:
        raise DocumentError(
            path, f"cannot be opened ({error.strerror})", "Check the file and its permissions"
        ) from error
    if not blocks:
        raise DocumentError(path, "no text in it", "Add text; of a scanned document, save a version with text (OCR)")
    if sum(len(block.text) for block in blocks) > MOST_CHARACTERS:
        raise DocumentError(path, "too much text", "Split it into several documents")
    return Document(path.stem, tuple(blocks))


# --- plain text and markdown -----------------------------------------------------------------------------------------


def read_markdown(path: Path) -> list[Block]:
    """Markdown: `#` and underlined headings, paragraphs, list items and table rows; code and front matter left out."""
    outline = Outline()
    text = re.sub(r"\A---\n.*?\n---\n", "", _text(path), flags=re.DOTALL)
    text = re.sub(r"^(```|~~~).*?(?:^\1[^\n]*$|\Z)", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    text = re.sub(r"^(?=\S)([^\n#>|*-][^\n]*)\n(=+|-{3,})[ \t]*$", _underlined, text, flags=re.MULTILINE)
    for line in text.split("\n"):
        heading = re.match(r"(#{1,6})[ \t]+(.+?)[ \t#]*$", line)
        if heading:
            outline.heading(len(heading[1]), heading[2])
        elif re.match(r"[ \t]*(?:[-*+][ \t]+|\d{1,3}[.)][ \t]+|\||>)", line):
            outline.paragraph()
            outline.line(line)
        elif line.strip():
            outline.line(line)
        else:
            outline.paragraph()
    return outline.blocks()


def _underlined(match: re.Match[str]) -> str:
    return f"{'#' if match[2].startswith('=') else '##'} {match[1]}"


def read_text(path: Path) -> list[Block]:
    """Plain text: paragraphs between empty lines; a short line without an end mark heads what follows it."""
    return _guess_headings(_text(path))


def _guess_headings(text: str) -> list[Block]:
    outline = Outline()
    for number, paragraph in enumerate(re.split(r"\n[ \t]*\n", text)):
        lines = [line.strip() for line in paragraph.split("\n") if line.strip()]
        if lines and _looks_like_heading(lines[0]):
            outline.heading(1 if number == 0 and len(lines) == 1 else 2, lines.pop(0))
        for line in lines:
            outline.line(line)
        outline.paragraph()
    return outline.blocks()


def _looks_like_heading(line: str) -> bool:
    return len(line.split()) <= HEADING_WORDS and line[0].isalnum() and not re.search(r"[.!?:;,。！？]$", line)


def _text(path: Path) -> str:
    content = path.read_bytes()
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(path, "not text in UTF-8", "Save it as UTF-8") from error
    if "\0" in text:
        raise DocumentError(path, "binary data, not text", "Give it the ending of what it is, or remove it")
    return text.replace("\r\n", "\n").replace("\r", "\n")


# --- formats with a library of their own ------------------------------------------------------------------------------

_BLOCK_TAGS = ("p", "li", "tr", "dd", "dt", "blockquote", "div", "section", "article", "br", "td", "th", "main", "pre")
_UNHEARD_TAGS = ("script", "style", "noscript", "template", "nav", "footer", "form", "svg", "head", "code", "button")


def read_html(path: Path) -> list[Block]:
    """HTML: h1 to h6 and the text of the body; scripts, navigation and forms left out."""
    from bs4 import BeautifulSoup, NavigableString, Tag
    from bs4.element import PreformattedString

    try:
        page = BeautifulSoup(path.read_bytes(), "html.parser")
        for unheard in page.find_all(_UNHEARD_TAGS):
            unheard.extract()
        outline, level = Outline(), 0
        for node in page.descendants:
            if isinstance(node, Tag):
                if re.fullmatch(r"h[1-6]", node.name):
                    level = int(node.name[1])
                    outline.heading(level, node.get_text(" "))
                elif node.name in _BLOCK_TAGS:
                    outline.paragraph()
            elif (
                isinstance(node, NavigableString) and not isinstance(node, PreformattedString) and not _in_heading(node)
            ):
                outline.line(str(node))
    except (RecursionError, AssertionError, ValueError) as error:
        raise DocumentError(path, "HTML that cannot be understood", "Save the page again, or copy its text") from error
    return outline.blocks()


_HEADING_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def _in_heading(node: Any) -> bool:
    """Whether a piece of text stands in a heading: only its nearest parents count, as a page may nest 100 000 deep."""
    parent = node.parent
    for _ in range(6):
        if parent is None:
            return False
        if parent.name in _HEADING_TAGS:
            return True
        parent = parent.parent
    return False


def read_pdf(path: Path) -> list[Block]:
    """PDF with text in it. Paragraphs and headings are guessed from its lines."""
    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError

    try:
        pages = [page.extract_text() for page in PdfReader(path).pages]
    except FileNotDecryptedError as error:
        raise DocumentError(path, "it asks for a password", "Save it without one") from error
    except OSError:
        raise
    except Exception as error:  # pypdf lets KeyError, RecursionError, zlib.error … of a broken file through
        raise DocumentError(path, f"not a sound PDF ({type(error).__name__})", "Print it to PDF again") from error
    return _guess_headings(_paragraphs("\n".join(pages)))


def _paragraphs(text: str) -> str:
    """PDF text has a line break at each line's end: keep those after a sentence or around a heading, join the rest."""
    lines = [line.strip() for line in text.split("\n")]
    joined: list[str] = []
    for number, line in enumerate(lines):
        heading = bool(line) and _looks_like_heading(line) and line[0].isupper() and _begins(lines[number + 1 :])
        if joined and joined[-1] and line and not heading and not re.search(r"[.!?:]$", joined[-1]):
            cut = joined[-1].endswith("-") and line[0].islower()
            joined[-1] = joined[-1][:-1] + line if cut else f"{joined[-1]} {line}"
        elif heading:
            joined += ["", line, ""] if not joined or not joined[-1] or re.search(r"[.!?:]$", joined[-1]) else [line]
        else:
            joined.append(line)
    return "\n".join(_head_their_text(joined))


def _begins(following: list[str]) -> bool:
    """Whether the next line begins a sentence of its own (else the short line before is only its first half)."""
    text = next((line for line in following if line), "")
    return bool(text) and (text[0].isupper() or text[0].isdigit())


def _head_their_text(lines: list[str]) -> list[str]:
    """Drops the empty line between a heading and its text, which `_guess_headings` reads as one paragraph."""
    return [line for number, line in enumerate(lines) if line or not (number and _is_heading_line(lines[number - 1]))]


def _is_heading_line(line: str) -> bool:
    return bool(line) and _looks_like_heading(line)


def read_docx(path: Path) -> list[Block]:
    """Word: headings by style, paragraphs, and table rows with their cells in order."""
    import docx
    from docx.oxml.exceptions import InvalidXmlError
    from docx.table import Table
    from lxml.etree import XMLSyntaxError

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNZIPPED_BYTES:
                raise DocumentError(path, "far too large once unzipped", "Save it again without pictures")
        outline = Outline()
        for item in docx.Document(str(path)).iter_inner_content():
            if isinstance(item, Table):
                for row in item.rows:
                    outline.paragraph()
                    outline.line(", ".join(dict.fromkeys(cell.text.strip() for cell in row.cells if cell.text.strip())))
                continue
            style = (item.style.name or "") if item.style is not None else ""
            level = re.fullmatch(r"Heading (\d)", style)
            if level or style == "Title":
                outline.heading(int(level[1]) + 1 if level else 1, item.text)
            else:
                outline.paragraph()
                outline.line(item.text)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, KeyError, ValueError, XMLSyntaxError, InvalidXmlError) as error:
        raise DocumentError(path, "not a sound Word document", "Open it in Word and save it as .docx again") from error
    return outline.blocks()


class Outline:
    """Collects lines into paragraphs under the headings that are open."""

    def __init__(self) -> None:
        self._headings: list[tuple[int, str]] = []
        self._lines: list[str] = []
        self._blocks: list[Block] = []

    def heading(self, level: int, text: str) -> None:
        """A heading closes those of its own and deeper levels."""
        self.paragraph()
        text = " ".join(text.split())
        if text:
            self._headings = [(above, name) for above, name in self._headings if above < level] + [(level, text)]

    def line(self, text: str) -> None:
        if text.strip():
            self._lines.append(" ".join(text.split()))

    def paragraph(self) -> None:
        """Ends the paragraph in hand, if there is one."""
        if self._lines:
            self._blocks.append(Block(tuple(name for _, name in self._headings), " ".join(self._lines)))
            self._lines = []

    def blocks(self) -> list[Block]:
        self.paragraph()
        return self._blocks


READERS: dict[str, Callable[[Path], list[Block]]] = {
    ".md": read_markdown,
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
}
