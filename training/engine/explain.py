"""Why a mask is where it is: Grad-CAM of named layers, and what changes without words or with sides exchanged. No
pictures, no requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from training.engine.data import as_network_input, shrink_image
from training.engine.networks import Network
from training.engine.networks.lvit import LViT
from training.engine.networks.unet import UNet
from training.engine.predict import Predictor
from training.engine.views import standardize
from training.errors import EngineError
from training.report.swap import swap_sides


@dataclass(frozen=True)
class Explanation:
    """What a network looked at, and how far it listened.

    Attributes
    ----------
    film : (S, S) float32 in [0, 1]
        The image as the network sees it.
    probability, wordless, mirrored : (S, S) float32 in [0, 1]
        With the description, with none, with left and right exchanged in it.
    mirrored_text : str
        That description.
    layers : dict of (S, S) float32 in [0, 1]
        Grad-CAM by the layer's name.
    """

    film: NDArray[np.float32]
    probability: NDArray[np.float32]
    wordless: NDArray[np.float32]
    mirrored: NDArray[np.float32]
    mirrored_text: str
    layers: dict[str, NDArray[np.float32]]

    @property
    def difference_wordless(self) -> NDArray[np.float32]:
        """What the words add, ``(S, S) float32 in [-1, 1]``: with the description minus with none."""
        return self.probability - self.wordless

    @property
    def difference_mirrored(self) -> NDArray[np.float32]:
        """What the side adds, ``(S, S) float32 in [-1, 1]``: with the description minus mirrored."""
        return self.probability - self.mirrored


def explain(
    predictor: Predictor,
    image: NDArray[np.float32],
    description: str,
    layers: Sequence[str] | None = None,
) -> Explanation:
    """Explain the mask of one film.

    Parameters
    ----------
    image : (H, W) float32 in [0, 1]
    description : str
    layers : sequence of str, optional
        Names as in `explained_layers`; all of them by default.

    Raises
    ------
    EngineError
        If the network has no layer of a name; the sentence lists those it has.
    """
    network = predictor.network
    modules = _chosen(network, layers)
    small = torch.from_numpy(shrink_image(image, network.config.image_size))[None]
    mirrored_text = swap_sides(description).text
    said, silent, mirrored = predictor.batch(
        small.expand(3, -1, -1), (description, "", mirrored_text)
    )
    films = as_network_input(small, predictor.device)
    maps = grad_cam(network, standardize(films), description, modules)
    return Explanation(films[0, 0].cpu().numpy(), said, silent, mirrored, mirrored_text, maps)


def explained_layers(network: Network) -> dict[str, nn.Module]:
    """The layers of a network that can be explained, by name, from the finest to the coarsest."""
    if isinstance(network, LViT):
        named = {f"DownCNN{n}": part for n, part in enumerate(network.down_cnn, 1)}
        return {**named, "DownViT1": network.down_vit[0]}
    if isinstance(network, UNet):
        return {f"Down{n}": getattr(network.body, f"down_{n}") for n in range(1, 5)}
    return {f"Stage{n}": part for n, part in enumerate(network.vision.stages, 1)}


def grad_cam(
    network: Network, images: Tensor, description: str, modules: dict[str, nn.Module]
) -> dict[str, NDArray[np.float32]]:
    """Grad-CAM of a segmentation (Selvaraju et al., 2017; Vinogradova et al., 2020).

    What is explained is the mean logit of the predicted foreground, or of the whole image where the
    network predicts none. A layer's channels are summed with their mean gradients as weights,
    negative sums become 0, and the largest becomes 1.

    Parameters
    ----------
    images : (1, 1, S, S) float
        Z-scored.

    Returns
    -------
    dict of (S, S) float32 in [0, 1]
        By the names of ``modules``.
    """
    network.eval()
    heard: dict[str, Tensor] = {}
    with ExitStack() as hooks, torch.inference_mode(False), torch.enable_grad():
        for name, module in modules.items():
            hook = module.register_forward_hook(_keep(heard, name))
            hooks.callback(hook.remove)
        # The image carries the gradient, for networks whose weights are frozen.
        output = network(images.clone().requires_grad_(True), [description])
        logits = output.logits
        inside = (logits > 0) if (logits > 0).any() else torch.ones_like(logits, dtype=torch.bool)
        features = [heard[name] for name in modules]
        slopes = torch.autograd.grad(logits[inside].mean(), features)
    side = images.shape[-1]
    pairs = zip(modules, features, slopes, strict=True)
    return {name: _weighed(feature, slope, side) for name, feature, slope in pairs}


def _keep(heard: dict[str, Tensor], name: str) -> Callable[..., None]:
    def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        heard[name] = output

    return hook


def _weighed(feature: Tensor, slope: Tensor, side: int) -> NDArray[np.float32]:
    feature, slope = (_as_map(each.detach().float()) for each in (feature, slope))
    summed = (feature * slope.mean((2, 3), keepdim=True)).sum(1, keepdim=True).relu()
    large = F.interpolate(summed, (side, side), mode="bilinear", align_corners=False)[0, 0]
    return (large / large.max().clamp_min(1e-12)).cpu().numpy()


def _as_map(tokens: Tensor) -> Tensor:
    if tokens.ndim == 4:
        return tokens
    side = round(tokens.shape[1] ** 0.5)  # Tokens of a square picture, row by row.
    grid: Tensor = tokens.transpose(1, 2).unflatten(2, (side, side))
    return grid


def _chosen(network: Network, layers: Sequence[str] | None) -> dict[str, nn.Module]:
    known = explained_layers(network)
    if layers is None:
        return known
    for name in layers:
        if name not in known:
            raise EngineError(f"There is no layer {name!r} to explain: choose {', '.join(known)}.")
    return {name: known[name] for name in layers}
