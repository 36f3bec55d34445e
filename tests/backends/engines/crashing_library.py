"""An engine's library that takes its process down when it is imported."""

import os
import signal

os.kill(os.getpid(), signal.SIGSEGV)
