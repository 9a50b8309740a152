"""The window: a napari plugin and the program around it. Never torch, monai, transformers or `training.engine`."""
