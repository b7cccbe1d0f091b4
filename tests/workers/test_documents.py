"""Documents of every kind become passages; broken ones name themselves, and the others load all the same."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pytest

from workers.documents import MOST_BYTES, DocumentError, read_document, read_folder
from workers.llm.passages import passages_of

HOURS = "The library opens at eight. It closes at ten."


def passages(path: Path) -> dict[str, str]:
    """Passage id → text."""
    return {passage.id: passage.text for passage in passages_of([read_document(path)])}


def write_pdf(path: Path, lines: list[str]) -> None:
    """A small PDF with one page of text, written by hand: header, six objects, cross-reference table."""
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    stream = f"BT /F1 12 Tf 14 TL 50 700 Td {shown} ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    table = out.tell()
    out.write(b"xref\n0 7\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer\n<< /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table)
    path.write_bytes(out.getvalue())


def test_markdown_sections_are_passages_with_their_headings_as_ids(tmp_path: Path) -> None:
    path = tmp_path / "campus.md"
    path.write_text(
        "---\ntitle: x\n---\n# Campus\n\nHello.\n\n## Opening hours\n\nThe library opens at eight.\n"
        "It closes at ten.\n\nAsked: when is it open; may I come in\n\n```\nrm -rf\n```\n\n- one\n- two\n\n"
        "Under\n-----\nText.\n"
    )
    assert passages(path) == {
        "campus#campus": "Hello.",
        "campus#opening-hours": "The library opens at eight. It closes at ten. one. two.",
        "campus#under": "Text.",
    }
    hours = passages_of([read_document(path)])[1]
    assert hours.asked == ("when is it open", "may I come in")
    assert (hours.title, hours.heading) == ("Campus", "Opening hours")


def test_plain_text_takes_short_lines_as_headings(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(f"Our house\n\nOpening hours\n{HOURS}\n\nParking\nParking is free.\n")
    assert passages(path) == {"notes#opening-hours": HOURS, "notes#parking": "Parking is free."}


def test_html_keeps_text_and_headings_and_drops_the_machinery(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<html><head><title>t</title><style>p{}</style></head><body><nav>Home</nav><h1>Place</h1><p>Hi there.</p>"
        "<h2>Opening <em>hours</em></h2><p>The library <b>opens</b> at eight.</p><ul><li>It closes at ten.</li></ul>"
        "<script>alert(1)</script><!-- no --><footer>f</footer></body></html>"
    )
    assert passages(path) == {"page#place": "Hi there.", "page#opening-hours": HOURS}


def test_word_documents_give_headings_paragraphs_and_tables(tmp_path: Path) -> None:
    path = tmp_path / "guide.docx"
    document = docx.Document()
    document.add_heading("Guide", 0)
    document.add_heading("Opening hours", 1)
    document.add_paragraph(HOURS)
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Sunday", "closed"
    document.save(str(path))
    assert passages(path) == {"guide#opening-hours": f"{HOURS} Sunday, closed."}


def test_pdf_lines_become_sentences_under_their_headings(tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    write_pdf(path, ["Opening hours", "The library opens at", "eight. It closes at ten."])
    assert passages(path) == {"paper#opening-hours": HOURS}


def test_long_sections_are_cut_between_sentences_and_equal_headings_numbered(tmp_path: Path) -> None:
    path = tmp_path / "long.md"
    sentence = "This is a sentence of exactly eight words. "
    path.write_text(f"# A\n\n## Same\n\n{sentence * 30}\n\n## Else\n\nMore.\n\n## Same\n\nOther.\n")
    found = passages(path)
    assert list(found) == ["long#same", "long#same-2", "long#same-3", "long#else", "long#same-4"]
    assert all(len(text.split()) <= 110 for text in found.values())


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 120_000_000)


BROKEN = {
    "junk.md": lambda path: path.write_bytes(bytes(range(256)) * 10),
    "zeros.txt": lambda path: path.write_bytes(b"abc\0" * 100),
    "empty.md": lambda path: path.write_text(""),
    "blank.html": lambda path: path.write_text("<html><body>   </body></html>"),
    "cut.pdf": lambda path: path.write_bytes(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog"),
    "junk.pdf": lambda path: path.write_bytes(bytes(range(256)) * 100),
    "junk.docx": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 10),
    "empty.docx": lambda path: zipfile.ZipFile(path, "w").close(),
    "bomb.docx": bomb,
    "huge.txt": lambda path: path.write_bytes(b"word " * (MOST_BYTES // 5 + 1)),
    "long.txt": lambda path: path.write_bytes(b"A sentence with words. " * 100_000),
    "picture.jpeg": lambda path: path.write_bytes(b"\xff\xd8\xff"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_document_is_an_error_that_names_it_and_the_remedy(tmp_path: Path, name: str) -> None:
    BROKEN[name](tmp_path / name)
    with pytest.raises(DocumentError) as caught:
        read_document(tmp_path / name)
    assert str(caught.value).startswith(f"{name}: ")
    assert caught.value.remedy


def test_broken_documents_do_not_keep_the_others_from_loading(tmp_path: Path) -> None:
    for name in ("junk.md", "cut.pdf", "junk.docx", "picture.jpeg"):
        BROKEN[name](tmp_path / name)
    (tmp_path / "good.md").write_text(f"# Good\n\n{HOURS}\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "also.txt").write_text("Parking is free.")
    (tmp_path / "questions.toml").write_text("questions = []")
    (tmp_path / ".hidden.md").write_text("# Hidden\n\nText.")
    documents, errors = read_folder(tmp_path)
    assert [document.name for document in documents] == ["good", "more/also"]
    assert {error.path.name for error in errors} == {"junk.md", "cut.pdf", "junk.docx", "picture.jpeg"}


def test_html_nested_without_end_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "deep.html"
    path.write_text("<div>" * 5_000 + "<p>Bottom.</p>")
    assert [block.text for block in read_document(path).blocks] == ["Bottom."]


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"gone\.md: cannot be opened"):
        read_document(tmp_path / "gone.md")
