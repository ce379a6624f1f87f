"""Ctrl-C before the program is loaded: it ended with forty lines of its imports."""

from __future__ import annotations

import subprocess
import sys

PRESSED = """
import sys

class Pressed:
    def find_spec(self, name, *_):
        if name == "pandas":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Pressed())
from pipeline.cli.entry import main
sys.argv = ["tape-review", "config"]
main()
"""


def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_word() -> None:
    done = subprocess.run([sys.executable, "-c", PRESSED], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_without_it_the_program_runs() -> None:
    code = "import sys; sys.argv = ['tape-review', '--version']; from pipeline.cli.entry import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("tape-review ")
    assert done.returncode == 0
