"""A service for the tests that speaks the protocol without an engine. Run as a process: FOLDER --exchange DIR."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

ACCEPTED = (0, 21)  # epochs whose mix the gate lets pass


def main() -> None:
    exchange = Path(sys.argv[sys.argv.index("--exchange") + 1])
    sys.stdout.write("a library says hello\n")
    for line in sys.stdin:
        request = json.loads(line)
        words = request.get("description", "")
        if words == "die":
            os._exit(7)
        if words == "slow":
            time.sleep(0.3)
        sys.stdout.write(json.dumps(_reply(request, words, exchange)) + "\n")
        sys.stdout.flush()


def _reply(request: dict, words: str, exchange: Path) -> dict:
    if words == "refuse":
        return {"id": request["id"], "ok": False, "error": "There is no such case."}
    if request["do"] in ("reload", "warm"):
        return {"id": request["id"], "ok": True}
    if request["do"] == "views":
        return _views(request, exchange)
    if request["do"] == "next_mix":
        return _next_mix(request)
    if request["do"] == "words":
        read = 3 if len(words.split()) > 20 else None
        return {"id": request["id"], "ok": True, "read": read}
    if request["do"] == "explain":
        return _explanation(request, exchange)
    right = "right" in words
    probability = np.zeros((32, 32), np.float32)
    probability[20:28, 20:28] = 0.9 * right
    probability[20:28, 4:12] = 0.9 * (not right)
    name = f"{request['id']}.npz"
    also = {word: np.roll(probability, 4, axis=1) for word in request.get("also", ())}
    np.savez(exchange / name, probability=probability, entropy=probability, **also)
    answer = {"id": request["id"], "ok": True, "arrays": name, "model": "second-teacher"}
    return answer | {"milliseconds": 1.0, "process": os.getpid()}


def _views(request: dict, exchange: Path) -> dict:
    image = np.full((32, 32), 0.1 * (request["epoch"] + 1), np.float32)
    mask = np.zeros((32, 32), np.uint8)
    mask[4:9, 4:9] = 1
    arrays = {"weak": image, "strong": image, "mixed": image}
    name = f"{request['id']}.npz"
    trained = {"student": image, "student_mask": mask, "side_mask": mask}
    if request["epoch"] % 2 == 0:  # as if the case were labeled, and then not
        trained |= {"labeled": image, "labeled_mask": mask}
    accepted = request["epoch"] in ACCEPTED
    pasted = mask if accepted else np.zeros_like(mask)
    np.savez(
        exchange / name, **arrays, mixed_mask=mask, block_mask=pasted, tried_mask=mask, **trained
    )
    gate = {"value": 0.4 if accepted else 0.1, "threshold": 0.25, "accepted": accepted}
    gate |= {"sentence": "Pasted." if accepted else "Refused.", "tried_in_training": accepted}
    texts = {"posaug": "One infected area, [UNK_POS].", "mixed": "Two infected areas."}
    texts["student"] = "Areas infected two, somewhere."
    answer = {"id": request["id"], "ok": True, "arrays": name, "partner": "case_001"}
    answer |= {
        "gate": gate,
        "views": request.get("views"),
        "step": 6,
        "later": request["epoch"] > 0,
    }
    return answer | {"texts": texts, "words": ["Moved 3% to the left."]}


def _next_mix(request: dict) -> dict:
    behind = range(request["epoch"] + 1, request["epoch"] + 1 + request["most"])
    found = next((epoch for epoch in behind if epoch in ACCEPTED), None)
    answer = {"id": request["id"], "ok": True, "found": found, "sentence": "Refused: a test."}
    return answer | {"epoch": behind[-1] if found is None else found}


def _explanation(request: dict, exchange: Path) -> dict:
    """Maps at half the films' side; the deepest layer looks at the spot of the named side."""
    maps = {name: np.full((32, 32), 0.5, np.float32) for name in ("probability", "cam_DownCNN1")}
    spot = np.zeros((32, 32), np.float32)
    columns = slice(20, 28) if "right" in request["description"] else slice(4, 12)
    spot[20:28, columns] = 1.0
    maps["cam_DownCNN2"] = np.zeros((32, 32), np.float32)
    heard = 0 if request["description"] == "deaf" else 1
    maps["cam_DownViT1"] = spot
    maps |= {"difference_wordless": heard * spot, "difference_mirrored": -heard * spot}
    name = f"{request['id']}.npz"
    np.savez(exchange / name, **maps)
    answer = {"id": request["id"], "ok": True, "arrays": name, "model": "second-teacher"}
    return answer | {
        "layers": ["DownCNN1", "DownCNN2", "DownViT1"],
        "texts": {"mirrored": "The other side."},
    }


if __name__ == "__main__":
    main()
