"""Made-up teachers for the window's tests."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
from made import spot

from training.pool import Project, schema
from training.pool.images import encode_gray
from training.pool.times import now


def probability(left: bool = True) -> np.ndarray:
    """What a teacher may say: sure of one spot, ``(32, 32) float32``."""
    return spot(left, 32).astype(np.float32) * 0.9


def promote(project: Project, model_id: str, said: np.ndarray) -> None:
    """Make a teacher serve that says the same of every unlabeled case."""
    content = encode_gray((said * 255).astype(np.uint8))
    path = project.probabilities.put(content, ".png", durable=False)
    row = {"model_id": model_id, "probability": path, "description": "", "entropy": 0.1}
    row["foreground"] = float((said > 0.5).mean())
    run = {"folder": f"runs/{model_id}", "labeled": 1, "unlabeled": 1, "created_at": now()}
    run |= {"outcome": "promoted", "reason": "Promoted: it is the first teacher."}
    rows = [row | {"case_id": case.id} for case in project.cases("unlabeled")]
    with project.writing() as connection:
        made = connection.execute(sa.insert(schema.runs).values(run))
        model = {"id": model_id, "run_id": made.inserted_primary_key[0], "folder": "models/none"}
        model |= {"scores": {}, "created_at": now()}
        connection.execute(sa.insert(schema.models).values(model))
        connection.execute(sa.insert(schema.proposals), rows)
        promotion = sa.insert(schema.promotions).values(model_id=model_id, created_at=now())
        connection.execute(promotion)
