"""bin/environment: what it makes of half-made environments, proxies, other Pythons and an interrupted apt-get."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.layout.test_layout import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")

SOURCED = ". bin/environment; "
PATIENCE_S = 60


class Machine:
    """A PATH with programs of our own on it before the system's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.asked, self.policy = folder / "asked", folder / "policy-rc.d"
        self.environ = os.environ | {"PATH": f"{self.bin}:{os.environ['PATH']}", "VISAVIS_VENV": str(folder / "v env")}
        self.program("sudo", 'shift; exec "$@"')  # sudo -n …

    def program(self, name: str, source: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{source}\n")
        path.chmod(0o755)

    def apt_get(self, source: str = "") -> None:
        """Notes what it is asked, and whether services may start."""
        self.program("apt-get", f"echo \"$@\" >>'{self.asked}'; cat '{self.policy}' >>'{self.asked}'; {source}")

    def begin(self, script: str) -> subprocess.Popen[str]:
        def at_a_terminal() -> None:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGHUP):  # a shell's background jobs ignore the one, nohup the other
                signal.signal(number, signal.SIG_DFL)

        return subprocess.Popen(
            ["bash", "-c", f"{SOURCED}POLICY='{self.policy}'; {script}"],
            cwd=ROOT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=at_a_terminal,
        )

    def run(self, script: str) -> tuple[int, str]:
        begun = self.begin(script)
        said, _ = begun.communicate(timeout=PATIENCE_S)
        return begun.returncode, said


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


ENVIRONMENT = "install() { :; }; make_environment"


def test_an_environment_without_pip_is_made_anew(machine: Machine) -> None:
    venv = machine.folder / "v env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (venv / ".installed-requirements").write_text("of the broken one")
    status, said = machine.run(ENVIRONMENT)
    assert status == 0, said
    assert subprocess.run([venv / "bin/python", "-m", "pip", "--version"], capture_output=True).returncode == 0
    assert not (venv / ".installed-requirements").exists()
    assert machine.run(ENVIRONMENT) == (0, ""), "one that is whole is left alone"


def test_a_python_that_can_make_none_gets_its_package(machine: Machine) -> None:
    has_package = machine.folder / "has-package"
    machine.program("python3.13", f"case \"$*\" in *ensurepip*) test -e '{has_package}';; *) exit 0;; esac")
    machine.apt_get(f"touch '{has_package}'")
    status, said = machine.run(ENVIRONMENT)
    assert status == 0, said
    assert "python3.13-venv" in machine.asked.read_text()


def test_where_that_may_not_be_the_command_is_said(machine: Machine) -> None:
    machine.program("python3.13", 'case "$*" in *ensurepip*) exit 1;; *) exit 0;; esac')
    machine.apt_get("exit 100")
    status, said = machine.run(ENVIRONMENT)
    assert status == 1
    assert said.splitlines()[-1] == "python3.13 cannot make a virtual environment: sudo apt-get install python3.13-venv"


def test_a_python_with_the_newer_recogniser_is_taken_first(machine: Machine) -> None:
    for name in ("python3.13", "python3.12", "python3.11"):
        machine.program(name, f"exit {int(name == 'python3.13')}")
    assert machine.run("python_for_venv") == (0, "python3.11\n")


def test_this_machine_is_not_asked_for_by_proxy(machine: Machine) -> None:
    machine.environ = {key: value for key, value in machine.environ.items() if key.lower() != "no_proxy"}
    assert machine.run("echo $no_proxy") == (0, "127.0.0.1,localhost,::1\n")
    machine.environ["NO_PROXY"] = "intern.example"
    assert machine.run("echo $NO_PROXY") == (0, "intern.example,127.0.0.1,localhost,::1\n")


def test_while_a_package_is_installed_no_service_starts(machine: Machine) -> None:
    machine.apt_get()
    assert machine.run("debian nginx false") == (0, "Installing nginx …\n")
    assert machine.asked.read_text().splitlines()[::3] == ["install -y -qq nginx", "exit 101"]
    assert not machine.policy.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupted_apt_get_leaves_services_free_to_start(machine: Machine, number: signal.Signals) -> None:
    machine.apt_get("exec sleep 60")
    begun = machine.begin("debian nginx false; echo it went on")
    end = time.monotonic() + PATIENCE_S
    while not machine.asked.exists() or "exit 101" not in machine.asked.read_text():
        assert time.monotonic() < end, "apt-get was not asked"
        time.sleep(0.02)
    os.killpg(begun.pid, number)
    said, _ = begun.communicate(timeout=PATIENCE_S)
    assert begun.returncode != 0
    assert "it went on" not in said
    while machine.policy.exists():
        assert time.monotonic() < end, "the policy is still there"
        time.sleep(0.02)


def test_what_a_killed_one_left_is_removed_and_somebody_elses_policy_is_not(machine: Machine) -> None:
    machine.apt_get("kill -9 $PPID")
    machine.run("debian nginx false")
    assert machine.policy.exists()
    assert machine.run("debian nginx true") == (0, "")
    assert not machine.policy.exists()
    machine.apt_get()
    machine.policy.write_text("#!/bin/sh\nexit 101\n")
    assert machine.run("debian nginx true; debian nginx false")[0] == 0
    assert machine.policy.read_text() == "#!/bin/sh\nexit 101\n"
