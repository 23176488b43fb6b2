"""What happens before the command line is parsed."""

import subprocess
import sys

INTERRUPTED = """
import sys

class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "transcoder.cli.get":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
import transcoder.cli
"""


def test_ctrl_c_during_the_imports_is_quiet() -> None:
    completed = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, check=False)
    assert (completed.returncode, completed.stderr) == (130, b"")
