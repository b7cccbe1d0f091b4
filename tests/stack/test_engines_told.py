"""A running stack with the profile cpu: no process can see a GPU, and each says which engine it runs and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.messages import WORKER_KINDS
from tests.stack.doors import until
from tests.stack.running import Stack


@pytest.fixture(scope="module")
def cpu() -> Iterator[Stack]:
    running = Stack(VISAVIS_STAGES_PROFILE="cpu", VISAVIS_WORKERS_INSTANCES="1")
    try:
        yield running.start()
    finally:
        running.stop()


def test_no_process_can_see_a_gpu(cpu: Stack) -> None:
    running = {name: process["pid"] for name, process in cpu.processes().items() if process["pid"]}
    assert {f"{kind}-0" for kind in WORKER_KINDS} <= running.keys()
    for name, pid in running.items():
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert b"CUDA_VISIBLE_DEVICES=-1" in environ, name


def test_the_usual_personas_face_is_made_ready_before_anybody_asks_for_it(cpu: Stack) -> None:
    def made() -> list[str]:
        return [line["portrait"] for line in cpu.log("lipsync-0") if line.get("event") == "face ready"]

    until(lambda: {"vera", "robin", "sam"} <= set(made()), "the personas' faces are not made ready")
    assert made()[0] == "vera"
    assert json.loads(cpu.get("api/v1/sessions")[1])["sessions"] == []


def test_each_process_says_which_engine_it_runs_and_why(cpu: Stack) -> None:
    status, text = cpu.get("api/v1/processes")
    assert status == 200
    told = {each["name"]: each for each in json.loads(text)["processes"]}
    assert told["vad-0"]["engine"] == "silero+smart-turn"
    assert told["llm-0"]["engine"] == "knowledge"
    assert told["lipsync-0"]["engine"] == "portrait"
    for kind in ("vad", "asr", "llm", "tts", "lipsync"):
        assert told[f"{kind}-0"]["detail"], kind
        chosen = [line for line in cpu.log(f"{kind}-0") if line.get("event") == "engine chosen"]
        assert chosen, kind
        assert all(line["reason"] for line in chosen)
    info = 'visavis_process_info{process="lipsync-0",kind="lipsync",engine="portrait",detail="portrait: '
    assert info in cpu.metrics()
