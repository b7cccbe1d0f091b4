"""Reads a document (.md .txt .html .pdf .docx) into headings and paragraphs. Knows nothing of retrieval.

Strangers' documents are read in a process of its own: see knowledge_folder.py.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

MOST_BYTES = 20_000_000
MOST_CHARACTERS = 2_000_000
MOST_UNZIPPED_BYTES = 100_000_000
MOST_HEADING_CHARACTERS = 300
MOST_BLOCK_CHARACTERS = 10_000
"""A longer paragraph becomes several: what looks for its sentences takes a time that grows with its length squared."""
HEADING_WORDS = 10
"""In formats without marked headings, a longer line is not one."""


SAVE_ANEW = "Open it where it is from, and save or print it anew"


class DocumentError(Exception):
    """A document that cannot be read: which, what is wrong, and what to do about it. The others load all the same."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        super().__init__(printable(f"{path.name}: {problem}. {remedy}"))
        self.path, self.problem, self.remedy = path, problem, remedy


def printable(text: str) -> str:
    """The text with a "?" for what no message can carry: half characters, bytes of a file's name that are not UTF-8."""
    return text.encode("utf-8", "replace").decode()


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
            path, f"cannot be opened ({error.strerror or error})", "Check the file and its permissions"
        ) from error
    except DocumentError:
        raise
    except MemoryError as error:
        raise DocumentError(path, "needs too much memory to be read", "Split it into several documents") from error
    except Exception as error:  # the libraries let KeyError, zlib.error, RuntimeError … of a broken file through
        why = f"{type(error).__name__} {str(error)[:100]}".strip()
        raise DocumentError(path, f"damaged, or not what its ending says ({why})", SAVE_ANEW) from error
    if not blocks:
        raise DocumentError(path, "no text in it", "Add text; of a scanned document, save a version with text (OCR)")
    if sum(len(block.text) for block in blocks) > MOST_CHARACTERS:
        raise DocumentError(path, "too much text", "Split it into several documents")
    return Document(printable(path.stem), tuple(blocks))


# --- plain text and markdown -----------------------------------------------------------------------------------------


def read_markdown(path: Path) -> list[Block]:
    """Markdown: `#` and underlined headings, paragraphs, list items and table rows; code and front matter left out."""
    outline, columns = Outline(), list[str]()
    text = re.sub(r"\A---\n.*?\n---\n", "", _text(path), flags=re.DOTALL)
    text = re.sub(r"^(```|~~~).*?(?:^\1[^\n]*$|\Z)", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    text = re.sub(r"^(?=\S)([^\n#>|*-][^\n]*)\n(=+|-{3,})[ \t]*$", _underlined, text, flags=re.MULTILINE)
    lines = text.split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        heading = re.match(r"(#{1,6})[ \t]+(.*)", line)
        table = "|" in line and (line.lstrip().startswith("|") or bool(columns) or _is_rule(following))
        columns = columns if table else []
        if heading:
            outline.heading(len(heading[1]), heading[2].rstrip(" \t#"))
        elif table and _is_rule(following):
            outline.paragraph()
            columns = _cells(line)
        elif table:
            outline.paragraph()
            outline.line("" if _is_rule(line) else row_text(_cells(line), columns or None))
        elif re.match(r"[ \t]*(?:[-*+][ \t]+|\d{1,3}[.)][ \t]+|>)", line):
            outline.paragraph()
            outline.line(line)
        elif line.strip():
            outline.line(line)
        else:
            outline.paragraph()
    return outline.blocks()


def _is_rule(line: str) -> bool:
    """Whether it is the line under the names of a table's columns."""
    return "|" in line and "-" in line and not line.strip(" \t|:-")


def _cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))


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

_BLOCK_TAGS = (
    *("p", "li", "tr", "dd", "dt", "blockquote", "div", "section", "article", "br", "td", "th", "main", "pre"),
    *("caption", "figcaption"),
)
_HEADING_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_UNHEARD_TAGS = (
    *("script", "style", "noscript", "template", "nav", "footer", "aside", "form", "svg", "head", "code", "button"),
)


def read_html(path: Path) -> list[Block]:
    """HTML: h1 to h6 and the text of the body; scripts, navigation and forms left out, of a `header` all but headings.
    A table's row is one block, and so is a definition."""
    from bs4 import BeautifulSoup, NavigableString, Tag
    from bs4.element import PreformattedString

    try:
        page = BeautifulSoup(path.read_bytes(), "lxml")
        for unheard in page.find_all(_UNHEARD_TAGS):
            unheard.extract()
        for header in page.find_all("header"):
            header.replace_with(*header.find_all(_HEADING_TAGS))
        for table in page.find_all("table"):
            _join_rows(table)
        for definitions in page.find_all("dl"):
            _join_definitions(definitions)
        outline = Outline()
        for node in page.descendants:
            if isinstance(node, Tag):
                if node.name in _HEADING_TAGS:
                    outline.heading(int(node.name[1]), node.get_text(" "))
                elif node.name in _BLOCK_TAGS:
                    outline.paragraph()
            elif (
                isinstance(node, NavigableString) and not isinstance(node, PreformattedString) and not _in_heading(node)
            ):
                outline.line(str(node))
    except (RecursionError, AssertionError, ValueError) as error:
        raise DocumentError(path, "HTML that cannot be understood", "Save the page again, or copy its text") from error
    return outline.blocks()


def _join_rows(table: Any) -> None:
    """Puts the text of each row together, unless the table is there for the layout of the page."""
    if table.find(("table", "dl", *_HEADING_TAGS)):
        return
    columns: list[str] = []
    for number, row in enumerate(table.find_all("tr")):
        cells = row.find_all(("td", "th"))
        texts = [cell.get_text(" ") for cell in cells]
        if number == 0 and len(cells) > 1 and all(cell.name == "th" for cell in cells):
            columns = texts
            row.clear()
        elif cells:
            row.string = row_text(texts, columns if columns or cells[0].name == "th" else None)


def _join_definitions(definitions: Any) -> None:
    """Puts what is defined before each of its definitions."""
    terms: list[Any] = []
    for item in definitions.find_all(("dt", "dd")):
        if item.name == "dt":
            is_said = bool(terms) and terms[-1].parent is None
            terms = [item] if is_said else [*terms, item]
        elif terms and not item.find(("table", "dl", *_HEADING_TAGS)):
            item.string = row_text([", ".join(term.get_text(" ").strip() for term in terms), item.get_text(" ")], ())
            for term in terms:
                term.extract()


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
    from docx.table import Table

    if _unzips_too_large(path):
        raise DocumentError(path, "far too large once unzipped", "Save it again without pictures")
    outline = Outline()
    for item in docx.Document(str(path)).iter_inner_content():
        if isinstance(item, Table):
            columns: list[str] | None = None
            for row in item.rows:
                cells = row.cells
                texts = ["" if at and cell._tc is cells[at - 1]._tc else cell.text for at, cell in enumerate(cells)]
                outline.paragraph()
                if row._tr.xpath("w:trPr/w:tblHeader"):  # "repeat as header row"
                    columns = texts
                else:
                    outline.line(row_text(texts, columns))
            continue
        style = (item.style.name or "") if item.style is not None else ""
        level = re.fullmatch(r"Heading (\d)", style)
        if level or style == "Title":
            outline.heading(int(level[1]) + 1 if level else 1, item.text)
        else:
            outline.paragraph()
            outline.line(item.text)
    return outline.blocks()


def _unzips_too_large(path: Path) -> bool:
    """What the archive says of its own size may be a lie: counted, and no more than a piece of it held."""
    unzipped = 0
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as member:
                while unzipped <= MOST_UNZIPPED_BYTES and (piece := member.read(65536)):
                    unzipped += len(piece)
    return unzipped > MOST_UNZIPPED_BYTES


def row_text(cells: Sequence[str], columns: Sequence[str] | None = None) -> str:
    """A table's row as it is said: its cells one after the other; where its columns have names, or (no names given)
    its first cell names it, "Saturday: Opens ten, Closes six"."""
    first, *others = [" ".join(cell.split()) for cell in cells] or [""]
    if columns is None:
        return ", ".join(text for text in (first, *others) if text)
    named = [(name, text) for name, text in zip_longest(columns[1:], others, fillvalue="") if text]
    said = ", ".join(f"{name} {text}".strip() if len(named) > 1 else text for name, text in named)
    return ": ".join(text for text in (first.rstrip(" :,;"), said) if text)


class Outline:
    """Collects lines into paragraphs under the headings that are open."""

    def __init__(self) -> None:
        self._headings: list[tuple[int, str]] = []
        self._lines: list[str] = []
        self._blocks: list[Block] = []

    def heading(self, level: int, text: str) -> None:
        """A heading closes those of its own and deeper levels."""
        self.paragraph()
        text = " ".join(text.split())[:MOST_HEADING_CHARACTERS]
        if text:
            self._headings = [(above, name) for above, name in self._headings if above < level] + [(level, text)]

    def line(self, text: str) -> None:
        if text.strip():
            self._lines.append(" ".join(text.split()))

    def paragraph(self) -> None:
        """Ends the paragraph in hand, if there is one."""
        if self._lines:
            headings = tuple(name for _, name in self._headings)
            self._blocks += [Block(headings, text) for text in _pieces(" ".join(self._lines))]
            self._lines = []

    def blocks(self) -> list[Block]:
        self.paragraph()
        return self._blocks


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces of at most MOST_BLOCK_CHARACTERS, cut after a sentence or a word where there is one."""
    while len(text) > MOST_BLOCK_CHARACTERS:
        end = text.rfind(". ", 0, MOST_BLOCK_CHARACTERS) + 1 or text.rfind(" ", 0, MOST_BLOCK_CHARACTERS)
        end = end if end > 0 else MOST_BLOCK_CHARACTERS
        yield text[:end]
        text = text[end:].lstrip()
    yield text


READERS: dict[str, Callable[[Path], list[Block]]] = {
    ".md": read_markdown,
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
}
