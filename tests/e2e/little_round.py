"""`semimedref round`, with the little trainer in the engine's place. Run as a process: PROJECT [options]."""

from __future__ import annotations

import sys
from pathlib import Path

from training import trainer_process
from training.cli import main

if __name__ == "__main__":
    trainer_process.TRAINER = (sys.executable, str(Path(__file__).with_name("little_trainer.py")))
    sys.argv = ["semimedref", "round", *sys.argv[1:]]
    main()
