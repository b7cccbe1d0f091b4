"""Weights out of wheels: only what is pinned, whole or not at all, and errors that name the next step."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import huggingface_hub
import pytest

from broker.errors import ConfigError, MissingError
from workers.weights import Weights, catalogue, missing, pull, unpack

CONTENT = b"numbers"


def wheel(tmp_path: Path, content: bytes = CONTENT) -> Path:
    path = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing/data/model.onnx", content)
        archive.writestr("thing-1.0.dist-info/LICENSE", "do as you like")
    return path


def pinned(content: bytes = CONTENT, inner: str = "thing/data/model.onnx") -> Weights:
    return Weights(wheel="thing==1.0", files={inner: hashlib.sha256(content).hexdigest()}, licence="MIT")


def test_pinned_files_are_unpacked_with_their_licence(tmp_path: Path) -> None:
    assert missing("thing", pinned(), tmp_path / "w") == ["thing/data/model.onnx"]
    unpack("thing", pinned(), wheel(tmp_path), tmp_path / "w")
    assert (tmp_path / "w/thing/model.onnx").read_bytes() == CONTENT
    assert (tmp_path / "w/thing/LICENSE").read_text() == "do as you like"
    assert "thing==1.0" in (tmp_path / "w/thing/SOURCE").read_text()
    assert missing("thing", pinned(), tmp_path / "w") == []


def test_a_file_that_differs_from_its_pin_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not the file"):
        unpack("thing", pinned(), wheel(tmp_path, b"tampered"), tmp_path / "w")
    assert not (tmp_path / "w/thing").exists()


def test_a_wheel_without_the_file_says_where_to_correct_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"models\.toml"):
        unpack("thing", pinned(inner="thing/other.onnx"), wheel(tmp_path), tmp_path / "w")


def test_a_damaged_file_counts_as_missing(tmp_path: Path) -> None:
    unpack("thing", pinned(), wheel(tmp_path), tmp_path / "w")
    (tmp_path / "w/thing/model.onnx").write_bytes(b"half")
    assert missing("thing", pinned(), tmp_path / "w") == ["thing/data/model.onnx"]


def test_the_shipped_catalogue_pins_every_file() -> None:
    for name, weights in catalogue().items():
        assert "==" in weights.wheel, name
        assert weights.licence
        assert all(len(digest) == 64 for digest in weights.files.values())


def test_an_unknown_model_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="whisper-small"):
        pull("whisper-huge", tmp_path)


def test_without_the_hub_it_says_what_to_copy_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise OSError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(MissingError, match=r"model\.bin.*whisper-small"):
        pull("whisper-small", tmp_path)
