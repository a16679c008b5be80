"""An enlarger measured as the papers measure theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from mien.data.pictures import read_picture
from mien.data.resize import cropped, resize, resize_pixels
from mien.data.sources import PICTURES, natural
from mien.metrics.restoration import Protocol, psnr_y, ssim_y
from mien.models.enlarger import Enlarger
from mien.models.enlargers import opened
from mien.nn.colour import luma
from mien.progress import Progress, say
from mien.runtime import choose
from mien.tasks.upscale.results import Evaluated, Image

GREY = ("bridge",)
"""Pictures of the papers' sets that are kept in one channel there: their own values are scored, from 0 to 255, not those of
`rgb2ycbcr`. WebP and JPEG make three channels of them."""


def truth(image: np.ndarray, grey: bool) -> np.ndarray:
    """(H, W, 3) uint8 -> (H, W) float64, whole numbers in 0..255."""
    if grey:
        return image[..., 0].astype(np.float64)
    x = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].double() / 255
    return (luma(x)[0, 0] * 255).round().numpy()


@torch.inference_mode()
def scored(enlarger: Enlarger, image: np.ndarray, protocol: Protocol, device: torch.device, grey: bool = False) -> tuple[float, float]:
    """(H, W, 3) uint8 -> PSNR in dB and SSIM of what is made of its reduced brightness."""
    scale = enlarger.scale
    whole = cropped(image, scale)
    if not whole.size:
        raise ValueError(f"{image.shape[1]} x {image.shape[0]} pixels cannot be reduced by {scale}")
    large = truth(whole, grey)
    if enlarger.coloured:  # small pictures of 8 bits, as those of the papers that work in colour
        small = torch.from_numpy(resize_pixels(whole, 1 / scale)).permute(2, 0, 1)[None].to(device).float() / 255
        made = (enlarger(small)[0].permute(1, 2, 0) * 255).round().clamp(0, 255).byte().cpu().numpy()
        told = truth(made, grey)
    else:
        small = resize(torch.from_numpy(large / 255)[None, None], 1 / scale)
        small = small if enlarger.net is None else small.float().to(device)
        told = np.clip(np.round(enlarger.brightness(small)[0, 0].double().cpu().numpy() * 255), 0, 255)
    return psnr_y(told, large, protocol.border), ssim_y(told, large, protocol.border)


def evaluated(folder: Path, model: str, scale: int, border: int | None, device: str) -> Evaluated:
    """Every picture in `folder`; one that cannot be read or is too small is left out and said so. ValueError where none is left."""
    if not folder.is_dir():
        raise ValueError(f"{folder} {'is a file' if folder.exists() else 'does not exist'}, expected a folder of pictures")
    if border is not None and border < 0:
        raise ValueError(f"a border of {border} pixels cannot be left out: expected 0 or more")
    runtime = choose(device, "fp32")
    enlarger, protocol = opened(model, scale, runtime.device), Protocol(scale if border is None else border)
    paths = [path for path in sorted(folder.iterdir(), key=lambda p: natural(p.name)) if path.suffix.lower().lstrip(".") in PICTURES]
    images = []
    with Progress(f"{model} x{scale}", total=len(paths), unit="pictures") as bar:
        for path in paths:
            try:
                image = read_picture(path)
                grey = path.stem in GREY and not np.ptp(image, axis=2).any()
                images.append(Image(path.name, *scored(enlarger, image, protocol, runtime.device, grey)))
            except ValueError as error:
                say(f"left out: {path.name}: {error}")
            bar.advance()
    if not images:
        raise ValueError(f"{folder} holds no picture that could be measured")
    mean = {name: float(np.mean([getattr(one, name) for one in images])) for name in ("psnr", "ssim")}
    return Evaluated(model, scale, mean["psnr"], mean["ssim"], str(protocol), tuple(images))
