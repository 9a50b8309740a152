"""The one way to make a network: `build`. Networks know nothing of training."""

from __future__ import annotations

from collections.abc import Sequence

from training.config import NetworkConfig
from training.engine.networks.guide_decoder import GuideDecoder
from training.engine.networks.lvit import DEPTHS, LViT
from training.engine.networks.mmi_unet import MMIUNet
from training.engine.networks.referring import Output, ReferringNetwork, Segment
from training.engine.networks.text import (
    FrozenBert,
    NoWords,
    SmallTextEncoder,
    collect_vocabulary,
    text_vectors,
)
from training.engine.networks.unet import UNet

Network = ReferringNetwork | LViT | UNet
Words = SmallTextEncoder | FrozenBert | NoWords
ARCHITECTURES = {"mmi-unet": MMIUNet, "guide-decoder": GuideDecoder}

__all__ = [
    "ARCHITECTURES",
    "Network",
    "Output",
    "Segment",
    "build",
    "collect_vocabulary",
    "resolved",
    "text_vectors",
    "with_words",
]


def build(config: NetworkConfig, vocabulary: Sequence[str], pretrained: bool = True) -> Network:
    """Make a network with fresh (or pretrained, where named) weights.

    Parameters
    ----------
    config : NetworkConfig
        Sizes and encoders.
    vocabulary : sequence of str
        Words of the small text encoder (see `collect_vocabulary`); unused by a pretrained BERT.
    pretrained : bool
        False leaves ``vision_weights`` unread, since a model file follows.

    Raises
    ------
    EngineError
        If named weights cannot be loaded.
    """
    words: Words
    if config.name == "u-net" or (config.name in DEPTHS and not config.use_text):
        words = NoWords(vocabulary)
    elif config.text_encoder == "hf" and config.text_weights:
        words = FrozenBert(config.text_weights, config.text_tokens, config.text_dropout)
    else:
        words = SmallTextEncoder(
            vocabulary, config.text_width, config.text_layers, config.heads, config.text_tokens
        )
    return with_words(config, words, pretrained)


def with_words(config: NetworkConfig, words: Words, pretrained: bool) -> Network:
    """The network of the settings around an encoder of words; parameters as in `build`."""
    if isinstance(words, NoWords):
        return UNet(config, words) if config.name == "u-net" else LViT(config, words)
    if config.name in DEPTHS:
        return LViT(config, words)
    return ARCHITECTURES[config.name](config, words, pretrained)


def resolved(network: Network) -> NetworkConfig:
    """The network's settings with the sizes that pretrained weights brought."""
    if not isinstance(network, ReferringNetwork):
        return network.config
    vision = network.vision
    return network.config.model_copy(
        update={
            "widths": vision.widths,
            "depths": vision.depths,
            "patch_size": vision.patch_size,
            "channels": vision.channels,
        }
    )
