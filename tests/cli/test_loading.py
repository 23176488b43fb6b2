"""What happens before the first word is read."""

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


def test_ctrl_c_while_the_program_is_loaded_is_quiet() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"")
