"""One thread a library, as the workers run, before anything loads numpy; what a busy machine may cost a test; and the
closing lines, which say how often it did."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

REAL_TIME = (
    "/tests/e2e/",
    "/tests/outputs/",
    "/tests/stack/",
    "/tests/webrtc/",
    "/tests/broker/test_bus.py",
    "/tests/broker/test_launch.py",
    "/tests/broker/test_process.py",
    "/tests/layout/test_environment.py",
    "/tests/lipsync/generator3d/test_foreign_clients.py",
    "/tests/llm/test_openai_engine.py",
    "/tests/tts/test_preparing.py",
    "/tests/workers/test_shell.py",
)
"""Real processes, peers and browsers that keep time with each other: two cores that do something else for a second
fail one of some thousand for no fault of the code. Such a test is run once more, and the last line names it."""

MOST_RERUN = 8
"""When more than so many needed it, it is the code or the machine, and the run has failed."""

BROWSERS = ("tests/e2e/", "tests/stack/")
WHOLE = "VISAVIS_TEST_WHOLE"
"""Set by .ci/run: where a browser test says before it begins that the machine lacks something, the run has failed."""

NOT_ALLOWED = "not allowed here:"
"""Begins the reason of a skipped test that no package helps: what it needs is for this machine's owner to allow."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(room in item.path.as_posix() for room in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=1))


def closing(rerun: Sequence[str], lacking: Sequence[str], not_allowed: Sequence[str] = ()) -> tuple[str, bool]:
    """The last line of a run, and whether what it says fails it; tests by their node ids."""
    line = f"{len(rerun)} rerun" + (f" of at most {MOST_RERUN}: {', '.join(rerun)}" if rerun else "")
    if lacking:
        line += f"; left out for want of something: {', '.join(lacking)}"
    if not_allowed:
        line += f"; left out, not allowed here: {', '.join(not_allowed)}"
    return line, len(rerun) > MOST_RERUN or bool(lacking)


def _closing(config: pytest.Config) -> tuple[str, bool]:
    stats = config.pluginmanager.get_plugin("terminalreporter").stats
    rerun = sorted({report.nodeid for report in stats.get("rerun", ())})
    skipped = stats.get("skipped", ()) if os.environ.get(WHOLE) else ()
    # One that finds in its middle that the machine is too busy to judge by lacks nothing.
    missed = [
        report
        for report in skipped
        if getattr(report, "when", "") != "call" and any(room in report.nodeid for room in BROWSERS)
    ]
    not_allowed = {report.nodeid for report in missed if NOT_ALLOWED in str(report.longrepr)}
    return closing(rerun, sorted({report.nodeid for report in missed} - not_allowed), sorted(not_allowed))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _closing(session.config)[1] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """After the terminal's own last line."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    line, fails = _closing(config)
    reporter.write_line(line, red=fails)
