"""The semi-supervised step written plainly, as the public release of Semi-MedRef takes it (METHOD, "Semi-MedRef").

What it imitates: every film is decoded from its PNG and changed by MONAI's random transforms, one by one on the CPU
(`plain_films`); descriptions are tokenized again in every pass, padded to the limit, and the frozen text encoder runs
in every pass; the teacher, a deep copy with a text encoder of its own, looks twice, at the weak views and at the same
views permuted; the student passes three times, over labeled films, over strong views, and over weak views for ITCL;
T-PatchMix goes film by film and asks its gate with `.item()`; the average follows by a loop over parameters; plain
AdamW without clipping.

Where the release could be read either way, the cheaper reading stands here: no dropout inside the frozen encoder, no
gradient through it, frozen parameters left out of the optimizer and of the average. Films are read in the same process
(workers would need cores of their own), and their seconds are told apart. The networks, their sizes and the chances of
every change are those of the settings, so both steps do the same work where they do the same thing.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from monai.losses import DiceCELoss
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, RandomSampler
from transformers import BertModel, BertTokenizer

from steps.material import Material
from steps.plain_films import PlainFilms, hide_positions, mix_patches, zones_of
from training.engine.networks import Network, Output, with_words
from training.snapshot import SnapshotCase

LEARNING_RATE, DECAY = 3e-4, 0.99


class PlainWords(nn.Module):
    """Tokenizer and frozen BERT, both called in every pass."""

    def __init__(self, source: str, tokens: int, dropout: float) -> None:
        super().__init__()
        self.tokenizer = BertTokenizer.from_pretrained(source)
        self.bert = BertModel.from_pretrained(source, add_pooling_layer=False).requires_grad_(False)
        self.tokens, self.width = tokens, self.bert.config.hidden_size
        self.vocabulary: tuple[str, ...] = ()
        self.drop = nn.Dropout(dropout)

    def train(self, mode: bool = True) -> PlainWords:
        """The frozen encoder stays in eval mode."""
        super().train(mode)
        self.bert.eval()
        return self

    def forward(self, descriptions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Features ``(B, tokens, width)`` and presence ``(B, tokens) bool``."""
        limits = {"padding": "max_length", "truncation": True, "max_length": self.tokens}
        batch = self.tokenizer(list(descriptions), return_tensors="pt", **limits)
        batch = batch.to(self.bert.device)
        with torch.no_grad():
            features = self.bert(batch["input_ids"], batch["attention_mask"]).last_hidden_state
        return self.drop(features), batch["attention_mask"].bool()


class PlainSteps:
    """Student, teacher, optimizer and loaders of the plain step."""

    def __init__(self, material: Material, clock: Callable[[], float] = time.perf_counter) -> None:
        torch.set_flush_denormal(True)
        config = material.config
        self.config, self.device = config, torch.device(config.device)
        network = config.network
        assert network.text_weights is not None
        words = PlainWords(network.text_weights, network.text_tokens, network.text_dropout)
        torch.manual_seed(config.seed)
        student: Network = with_words(network, words, True)  # type: ignore[arg-type]
        self.student = student.to(self.device).train()
        self.teacher = copy.deepcopy(self.student).eval().requires_grad_(False)
        trained = [p for p in self.student.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE)
        self.segment = DiceCELoss(sigmoid=True)
        films, training = material.snapshot, config.training
        root = Path(films.root)
        self.labeled = self._loader(root, films.labeled, training.batch_labeled)
        self.unlabeled = self._loader(root, films.unlabeled, training.batch_unlabeled)
        self.clock, self.loading = clock, 0.0

    def step(self) -> float:
        """One semi-supervised step; its loss."""
        begun = self.clock()
        labeled, unlabeled = next(self.labeled), next(self.unlabeled)
        self.loading = self.clock() - begun
        with self._precision():
            loss = self._loss(labeled, unlabeled)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self._follow()
        return loss.item()

    def _loss(self, labeled: dict[str, Any], unlabeled: dict[str, Any]) -> Tensor:
        method, views, device = self.config.method, self.config.views, self.device
        output = self.student(labeled["weak"].to(device), labeled["text"])
        loss = self.segment(output.logits.float(), labeled["mask"].to(device))
        loss = loss + method.lambda_labeled_itcl * self._contrast(output, labeled["text"])

        weak, strong = unlabeled["weak"].to(device), unlabeled["strong"].to(device)
        texts = list(unlabeled["text"])
        partners = random.sample(range(len(texts)), len(texts))
        with torch.no_grad():
            own = torch.sigmoid(self.teacher(weak, texts).logits.float())
            permuted = [texts[j] for j in partners]
            theirs = torch.sigmoid(self.teacher(weak[partners], permuted).logits.float())
        mixed = mix_patches(strong, (own, theirs), texts, partners, views)
        hidden = [hide_positions(text, views) for text in mixed.texts]
        pseudo = (mixed.probabilities >= method.threshold).float()
        copied = self.segment(self.student(mixed.films, hidden).logits.float(), pseudo)
        contrast = self._contrast(self.student(weak, texts), texts)
        return loss + method.lambda_u * (copied + method.lambda_unlabeled_itcl * contrast)

    def _contrast(self, output: Output, texts: Sequence[str]) -> Tensor:
        """ITCL with zones read by regular expressions."""
        zones = torch.tensor([zones_of(text) for text in texts], device=self.device)
        both = zones @ zones.T
        sizes = zones.sum(1)
        positives = both / (sizes[:, None] + sizes[None] - both).clamp_min(1)
        positives.fill_diagonal_(1)
        images = F.normalize(output.image_vector.float(), dim=1)
        words = F.normalize(output.text_vector.float(), dim=1)
        scores = images @ words.T / self.config.method.itcl_temperature
        rows = positives / positives.sum(1, keepdim=True)
        columns = positives.T / positives.T.sum(1, keepdim=True)
        one = -(rows * scores.log_softmax(1)).sum(1).mean()
        return 0.5 * (one - (columns * scores.T.log_softmax(1)).sum(1).mean())

    @torch.no_grad()
    def _follow(self) -> None:
        for own, new in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            if new.requires_grad:
                own.mul_(DECAY).add_(new, alpha=1 - DECAY)

    def _precision(self) -> AbstractContextManager[Any]:
        if self.config.training.precision != "bf16-mixed":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def _loader(
        self, root: Path, cases: tuple[SnapshotCase, ...], batch: int
    ) -> Iterator[dict[str, Any]]:
        films = PlainFilms(root, cases, self.config.network.image_size, self.config.views)
        endless = RandomSampler(films, replacement=True, num_samples=10**9)
        return iter(DataLoader(films, batch, sampler=endless))
