"""Documents of every kind become passages; broken ones name themselves, and the others load all the same."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from docx.oxml import OxmlElement

from workers.documents import MOST_BLOCK_CHARACTERS, MOST_BYTES, DocumentError, read_document
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


TABLE = (
    "<table><tr><th>Day</th><th>Opens</th><th>Closes</th></tr><tr><td>Monday</td><td colspan=2>closed</td></tr>"
    "<tr><td>Saturday</td><td>ten</td><td>six</td></tr></table>"
)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (TABLE, ["Monday: closed", "Saturday: Opens ten, Closes six"]),
        ("<table><tr><th>Day<th>Hours<tr><td>Sunday<td>10 to <b>16</b></table>", ["Sunday: 10 to 16"]),
        ("<table><tr><th>Sunday:</th><td>10 to 16</td></tr></table>", ["Sunday: 10 to 16"]),
        ("<table><tr><td>Sunday</td><td>ten</td><td></td><td>six</td></tr></table>", ["Sunday, ten, six"]),
        ("<dl><dt>Adults<dd>twelve euros<dt>Children<dd>free</dl>", ["Adults: twelve euros", "Children: free"]),
        (
            "<dl><dt>Monday</dt><dt>Tuesday:</dt><dd>nine</dd><dd>two</dd></dl>",
            ["Monday, Tuesday: nine", "Monday, Tuesday: two"],
        ),
        ("<table><tr><td><h2>Left</h2><p>One.</p></td><td><p>Two.</p></td></tr></table>", ["One.", "Two."]),
    ],
)
def test_rows_and_definitions_of_a_page_are_said_whole(tmp_path: Path, page: str, said: list[str]) -> None:
    path = tmp_path / "page.html"
    path.write_text(f"<body>{page}<p>End.</p></body>")
    assert [block.text for block in read_document(path).blocks] == [*said, "End."]


def test_of_the_frame_of_a_page_only_the_heading_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<header><a>Log in</a><h1>Place</h1></header><aside>Advertisement</aside><p>Hi.</p>")
    (block,) = read_document(path).blocks
    assert (block.headings, block.text) == (("Place",), "Hi.")


def test_rows_of_markdown_have_the_names_of_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "prices.md"
    path.write_text(
        "# Prices\n\n| Who | Day | Year |\n|:--|--:|---|\n| Adults | 12 | 90 |\n| Children | free | |\n\n"
        "| Dogs | no |\n\nwhen | how much\n--- | ---\nnights | **5 euros**\n\nA | B is said.\n"
    )
    assert passages(path) == {
        "prices#prices": "Adults: Day 12, Year 90. Children: free. Dogs, no. nights: 5 euros. A, B is said."
    }


def test_rows_of_word_have_the_names_of_their_columns_if_these_are_marked(tmp_path: Path) -> None:
    path = tmp_path / "hours.docx"
    document = docx.Document()
    table = document.add_table(3, 3)
    rows = (("Day", "Opens", "Closes"), ("Friday", "ten", "ten"), ("Sunday", "closed", ""))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(2, 1).merge(table.cell(2, 2))
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    document.save(str(path))
    assert [block.text for block in read_document(path).blocks] == ["Friday: Opens ten, Closes ten", "Sunday: closed"]


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


def word_file() -> bytes:
    out = io.BytesIO()
    document = docx.Document()
    document.add_paragraph(HOURS)
    document.save(out)
    return out.getvalue()


def with_part(name: str, content: Callable[[bytes], bytes]) -> bytes:
    """A Word document one part of which is another."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word_file())) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for part in before.namelist():
            after.writestr(part, content(before.read(part)) if part == name else before.read(part))
    return out.getvalue()


def with_header(at_local: int, at_central: int, value: bytes, file: bytes = b"") -> bytes:
    """A zip file with something else in both headers of each entry."""
    made = bytearray(file or word_file())
    for mark, at in ((b"PK\x03\x04", at_local), (b"PK\x01\x02", at_central)):
        found = -1
        while (found := made.find(mark, found + 1)) >= 0:
            made[found + at : found + at + len(value)] = value
    return bytes(made)


def damaged_sector() -> bytes:
    made = bytearray(word_file())
    made[60:90] = b"\xff" * 30
    return bytes(made)


def lying_bomb() -> bytes:
    """Says that it is small and is not."""
    grown = with_part("word/document.xml", lambda xml: xml.replace(b"<w:body>", b"<w:body>" + b" " * 120_000_000))
    return with_header(22, 24, struct.pack("<I", 2000), grown)


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
    "liar.docx": lambda path: path.write_bytes(lying_bomb()),
    "locked.docx": lambda path: path.write_bytes(with_header(6, 8, b"\x01\x00")),
    "packed.docx": lambda path: path.write_bytes(with_header(8, 10, b"\x62\x00")),
    "sector.docx": lambda path: path.write_bytes(damaged_sector()),
    "rootless.docx": lambda path: path.write_bytes(with_part("word/document.xml", lambda _: b"<a/>")),
    "typeless.docx": lambda path: path.write_bytes(with_part("[Content_Types].xml", lambda _: b"<a/>")),
    "rejected.html": lambda path: path.write_text("<![foo[bar]"),
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


def test_an_archive_that_lies_about_its_size_is_not_unpacked_into_memory(tmp_path: Path) -> None:
    (tmp_path / "liar.docx").write_bytes(lying_bomb())
    tracemalloc.start()
    try:
        with pytest.raises(DocumentError):
            read_document(tmp_path / "liar.docx")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def whole(kind: str, path: Path) -> bytes:
    match kind:
        case "docx":
            return word_file()
        case "pdf":
            write_pdf(path, ["Opening hours", HOURS])
            return path.read_bytes()
        case _:
            return f"<html><h1>A</h1>{TABLE}<dl><dt>A<dd>b</dl><![CDATA[x]]><!-- c --><p>{HOURS}</p></html>".encode()


@pytest.mark.parametrize("kind", ["docx", "html", "pdf"])
def test_any_damage_leaves_a_document_or_a_sentence_about_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"damaged.{kind}"
    sound = whole(kind, path)
    chance = random.Random(4)
    for _ in range(150):
        made = bytearray(sound)
        for _ in range(chance.choice((1, 3, 30))):
            at, length = chance.randrange(len(made)), chance.choice((1, 4, 60))
            match chance.randrange(4):
                case 0:
                    made[at : at + length] = chance.randbytes(length)
                case 1:
                    del made[at : at + length]
                case 2:
                    made[at:at] = made[chance.randrange(len(made)) :][:length]
                case _:
                    made[at:at] = chance.choice((b"<![", b"]]>", b"<", b"&#xD800;", b"<table><tr>", b">>", b"endobj"))
        path.write_bytes(made[: chance.randrange(len(made))] if chance.random() < 0.1 else made)
        with contextlib.suppress(DocumentError):
            read_document(path)


@pytest.mark.parametrize("line", ["# a" + "#" * 60_000 + "x", "# a" + " " * 60_000 + "x", "|" + "-" * 60_000 + "x"])
def test_a_long_line_of_markdown_is_read_at_once(tmp_path: Path, line: str) -> None:
    path = tmp_path / "long.md"
    path.write_text(f"{line}\n\nText.\n")
    began = time.process_time()
    assert read_document(path).blocks[-1].text == "Text."
    assert time.process_time() - began < 10, "minutes where time grows with the square"


def test_closing_marks_are_no_part_of_a_heading(tmp_path: Path) -> None:
    path = tmp_path / "closed.md"
    path.write_text("## Opening hours ##\n\nNine.\n")
    assert read_document(path).blocks[0].headings == ("Opening hours",)


def test_a_paragraph_without_end_is_cut_between_sentences(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text(("It costs 1.25 and not 1.5. " * 1000 + "x" * 25_000).strip())
    texts = [block.text for block in read_document(path).blocks]
    assert len(texts) == 6
    assert max(map(len, texts)) <= MOST_BLOCK_CHARACTERS
    assert all(text.endswith("1.5.") for text in texts[:2])
    assert "".join(texts).replace(" ", "") == path.read_text().replace(" ", "")


def test_html_nested_without_end_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "deep.html"
    path.write_text("<div>" * 5_000 + "<p>Bottom.</p>")
    assert [block.text for block in read_document(path).blocks] == ["Bottom."]


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"gone\.md: cannot be opened"):
        read_document(tmp_path / "gone.md")
