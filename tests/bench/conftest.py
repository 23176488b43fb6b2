"""`make bench` needs Linux: epoll, sendfile, splice and /proc."""

import sys

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]
