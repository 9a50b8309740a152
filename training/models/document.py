"""A model's card as a document to be filed: the usual sections, in Markdown, from the card's figures alone."""

from __future__ import annotations

from collections.abc import Iterator

from training.models.card import Errors, Figure, ModelCard

METRICS = {
    "dice_global": "Dice over all pixels",
    "dice_per_image": "Dice, mean over images",
    "iou_global": "IoU over all pixels",
    "iou_per_image": "IoU, mean over images",
}
LEFT = {"image": "the left of the picture", "patient": "the left of the patient"}
MAKERS = {
    "people": "by readers of the project",
    "import": "that came with an import",
    "script": "by a scripted reader in a simulation, whom nobody may take for a person",
}
HALF = {
    "gate": "`gate` half: it decided which training step was kept, so these figures flatter",
    "report": "`report` half: it decided nothing",
}


def document(card: ModelCard, local: ModelCard | None = None, origin: str = "") -> str:
    """The card in Markdown.

    Parameters
    ----------
    local : ModelCard, optional
        The same card with scores measured in the project that files it, where the model came from another one.
    origin : str
        Where it came from; empty if it was made in the project.
    """
    parts = [f"# Model {card.model}", *_details(card, origin), *_intended_use(), *_data(card)]
    parts += ["## Metrics", *_scores(card, "Measured where it was trained")]
    if local is not None:
        parts += _scores(local, "Measured in the project that files this card")
    return "\n\n".join([*parts, *_limits(card), *_versions(card)]) + "\n"


def _details(card: ModelCard, origin: str) -> Iterator[str]:
    method, network = card.config["method"]["name"], card.config["network"]["name"]
    start = f"the weights of model `{card.parent}`" if card.parent else "random weights"
    yield "## Model details"
    yield _list(
        f"Teacher and student of round {card.round} of the project “{card.project}”, {card.created_at[:10]}.",
        f"Network `{network}`, {card.config['network']['image_size']} pixels a side; method `{method}`.",
        f"Started from {start}; {card.steps} steps, of which step {card.best_step} was kept; "
        f"{card.trained_seconds:.0f} seconds of training; seed {card.seed}.",
        *_unlabeled(card),
        *([f"Brought into this project from {origin}."] if origin else []),
    )


def _unlabeled(card: ModelCard) -> Iterator[str]:
    """What the unlabeled pool was used for, where the method would use it."""
    if card.burn_in is None or card.config["method"]["name"] == "supervised":
        return
    if card.burn_in < card.steps:
        yield f"Unlabeled films were learned from after step {card.burn_in}."
    elif card.data.cases.get("unlabeled"):
        yield "Unlabeled films were not learned from: burn-in lasted for all of its steps."


def _intended_use() -> Iterator[str]:
    yield "## Intended use"
    yield (
        "It proposes masks for films with a written description, for a reader to accept, correct or draw anew while "
        "annotating a collection. Every mask is a reader's decision."
    )
    yield (
        "**It is not a medical device.** It has not been assessed for diagnosis, triage, measurement or any other "
        "clinical decision, and must not be used for one."
    )


def _data(card: ModelCard) -> Iterator[str]:
    cases, patients = card.data.cases, card.data.patients
    rows = [
        f"| {name} | {cases.get(name, 0)} | {patients.get(name, 0)} |"
        for name in ("labeled", "unlabeled", "gate", "report")
    ]
    zones = ", ".join(f"{zone} {count}" for zone, count in card.data.labeled_zones.items())
    yield "## Training data"
    yield "\n".join(["| pool | cases | patients |", "|---|---|---|", *rows])
    yield (
        f"Labeled cases whose words name a zone: {zones}. The card knows nothing of age, sex, scanner or site: "
        "the project does not record them."
    )
    if card.data.masks_from:
        made = ", ".join(
            f"{card.data.masks_from[kind]} {words}"
            for kind, words in MAKERS.items()
            if kind in card.data.masks_from
        )
        yield f"Masks of the labeled cases: {made}."
    yield f"Snapshot `{card.data.snapshot}`."


def _scores(card: ModelCard, title: str) -> Iterator[str]:
    yield f"### {title}"
    measured = False
    for half, told in HALF.items():
        roles = card.scores.get(half, {})
        if roles:
            measured = True
            lines = [f"{told}.", "", "| | teacher | student |", "|---|---|---|"]
            for name, words in METRICS.items():
                values = (_figure(roles.get(role, {}).get(name)) for role in ("teacher", "student"))
                lines.append(f"| {words} | {' | '.join(values)} |")
            yield "\n".join(lines)
    if card.errors is not None:
        yield _errors(card.errors)
    if measured:
        yield "In parentheses: 95 % interval over cases (bootstrap); one run, so the spread over seeds is not in it."
    else:
        yield "It was not measured: there was no holdout."


def _errors(errors: Errors) -> str:
    """Distances and recall in two sentences."""
    zones = ", ".join(
        f"{zone} {share:.2f} ({images})" for zone, (share, images) in errors.zone_recall.items()
    )
    distance = (
        "none"
        if errors.hd95_median is None
        else f"{errors.hd95_median:.1f} pixels of the network's"
    )
    return (
        f"Where the teacher errs on the `report` half: 95th percentile of the distance of outlines, median of "
        f"{errors.hd95_images} images, {distance}; in {errors.one_empty} images only one of the masks is empty. Share "
        f"of the lesion pixels found, by zone (images): {zones or 'no lesions'}."
    )


def _figure(figure: Figure | None) -> str:
    return "–" if figure is None else f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})"


def _limits(card: ModelCard) -> Iterator[str]:
    few = [zone for zone, count in card.data.labeled_zones.items() if count < 5]
    holdout = card.data.cases.get("report", 0)
    yield "## Limits"
    yield _list(
        "The figures hold for films like those of the project; nothing is known about others.",
        f"They rest on {holdout} cases that decided nothing."
        if holdout
        else "There is no figure from cases that decided nothing: the `report` half was empty.",
        f"Zones with fewer than 5 labeled cases: {', '.join(few) if few else 'none'}.",
        "What it reads in the words counts: a description of the wrong side leads to a mask on the wrong side.",
    )


def _versions(card: ModelCard) -> Iterator[str]:
    commit = f", commit `{card.code['commit']}`" if card.code.get("commit") else ""
    yield "## Laterality, zones, versions"
    yield _list(
        f"“Left” in the words means {LEFT[card.laterality]} (`{card.laterality}`).",
        f"Zones {' '.join(card.zones.names)}, definition `{card.zones.digest}`.",
        f"napari-semimedref {card.code.get('version')}{commit}; card format {card.format}.",
    )


def _list(*lines: str) -> str:
    return "\n".join(f"- {line}" for line in lines)
