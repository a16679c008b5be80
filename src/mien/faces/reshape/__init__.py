"""Faces reshaped as an editor's face-aware liquify does it, with the exact field of displacement known.

`sliders`: which points of a face move for what is asked; `warpers`: three ways to a dense field; `brush`: strokes by hand; `fields`:
from a coarse grid to every pixel, without folds; `sampling`: the picture that comes out.
"""
