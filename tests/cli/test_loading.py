"""What happens before the command line is parsed."""

import subprocess
import sys

import pytest

INTERRUPTED = """
import sys

class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
from transcoder.cli import main
sys.exit(main(["get", "http://127.0.0.1:1/"]))
"""


@pytest.mark.parametrize("module", ["transcoder.cli.main", "transcoder.cli.get", "transcoder.pipeline.resolver"])
def test_ctrl_c_during_the_imports_is_quiet(module: str) -> None:
    completed = subprocess.run([sys.executable, "-c", INTERRUPTED, module], capture_output=True, check=False)
    assert (completed.returncode, completed.stderr) == (130, b"")
