"""The bundled style network: frames a second, memory, and its costs beside those of a picture optimised for the same costs.

    python benchmarks/style_net.py speed [--model mien-style]
    python benchmarks/style_net.py costs --data DATA/style [--steps 100]

speed, one thread, fp32: median seconds of five frames of 1280 x 720 after one to warm up, and the most memory the process took
beyond what it took before (its imports and weights). costs, as in Johnson et al. 2016, figure 5: photographs with a shorter side of
256 pixels, J = content + 10 style, relative as in training (`mien.train.style_recipe`), at full size; the network's picture, the
photograph itself, and L-BFGS (Gatys et al. 2016) from the photograph: how many evaluations until J is as low, and J after all of them.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from machine import load, origin
from mien.data.drawn import DRAWN
from mien.data.pictures import read_picture
from mien.models import stylizer, vgg_features
from mien.nn.style import content_cost, mean_gram, style_cost
from mien.train.style import sized, tensor
from mien.train.style_recipe import LAYERS
from mien.weights import locate

CONTENT, STYLE_WEIGHT, SIDE, STYLE_SIDE = "relu3_3", 10.0, 256, 512
PAINTINGS = {"mondrian": "style/mondrian.jpg", "matisse": "style/woman_with_hat_matisse.jpg"}


def opened(model: str) -> tuple[torch.nn.Module, stylizer.Plan]:
    """A file, a run folder or a card's name."""
    path = Path(model)
    path = path / "model.safetensors" if path.is_dir() else path
    return stylizer.load(path if path.is_file() else locate(model))


def peak() -> int:
    """Bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@torch.inference_mode()
def speed(model: str) -> dict[str, Any]:
    """Of one core."""
    net, plan = opened(model)
    style, frame = torch.eye(len(plan.styles))[:1], torch.rand(1, 3, 720, 1280)
    net(frame[..., :64, :64], style)
    before, seconds, own = peak(), [], []
    for _ in range(6):
        began, spent = time.perf_counter(), time.process_time()
        net(frame, style)
        seconds.append(time.perf_counter() - began)
        own.append(time.process_time() - spent)
    wall, cpu = statistics.median(seconds[1:]), statistics.median(own[1:])
    return {"seconds": wall, "frames_per_second": 1 / wall, "processor_seconds": cpu, "frames_per_processor_second": 1 / cpu,
            "megabytes": (peak() - before) / 1e6}  # fmt: skip


def costs(model: str, data: Path, steps: int, count: int) -> list[dict[str, Any]]:
    """A row for each photograph and style."""
    (net, plan), vgg, rows = opened(model), vgg_features.load(), []
    photos = sorted((data / "content").glob("*.jpg"))[:count]
    for path in photos:
        photo = sized(tensor(read_picture(path)), SIDE)
        truth = vgg(photo, [CONTENT])[CONTENT]
        for number, name in enumerate(plan.styles):
            picture = DRAWN[name]() if name in DRAWN else read_picture(data / PAINTINGS[name])
            grams = {layer: mean_gram(maps) for layer, maps in vgg(sized(tensor(picture), STYLE_SIDE), LAYERS).items()}

            def parts(x: Tensor, truth: Tensor = truth, grams: dict[str, Tensor] = grams) -> tuple[Tensor, Tensor]:
                maps = vgg(x, {**LAYERS, CONTENT: 1})
                content = content_cost(maps[CONTENT], truth) / content_cost(torch.zeros_like(truth), truth)
                style = [style_cost(mean_gram(maps[layer]), gram) / style_cost(torch.zeros_like(gram), gram)
                         for layer, gram in grams.items()]  # fmt: skip
                return content.sum(), torch.stack(style).mean()

            def total(x: Tensor, parts: Any = parts) -> float:
                content, style = parts(x)
                return float(content + STYLE_WEIGHT * style)

            with torch.no_grad():
                start = total(photo)
                made = net(photo, torch.eye(len(plan.styles))[number:number + 1]).clamp(0, 1)
                content, style = (float(one) for one in parts(made))
                goal = content + STYLE_WEIGHT * style
            history = optimised(photo, parts, steps)
            reached = next((step for step, value in enumerate(history, 1) if value <= goal), None)
            rows.append({"photo": path.stem, "style": name, "content": content, "style cost": style, "J": goal,
                         "J of the photograph": start, "evaluations until as low": reached,
                         f"J after {steps}": min(history)})  # fmt: skip
            print(json.dumps(rows[-1]), flush=True)
    return rows


def optimised(photo: Tensor, parts: Any, steps: int) -> list[float]:
    """J at every evaluation of L-BFGS from the photograph."""
    x, history = photo.clone().requires_grad_(True), []
    descent = torch.optim.LBFGS([x], lr=1, max_iter=steps, max_eval=steps, history_size=20, line_search_fn="strong_wolfe",
                                tolerance_change=0, tolerance_grad=0)  # fmt: skip

    def closure() -> Tensor:
        descent.zero_grad()
        content, style = parts(x)
        cost = content + STYLE_WEIGHT * style
        cost.backward()
        history.append(float(cost.detach()))
        return cost

    descent.step(closure)
    return history


def main() -> None:
    """What was asked for, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("speed", "costs"))
    parser.add_argument("--model", default="mien-style")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--photos", type=int, default=2)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    before = load()
    found = speed(asked.model) if asked.what == "speed" else costs(asked.model, asked.data, asked.steps, asked.photos)
    text = json.dumps({"origin": origin(before), asked.what: found}, indent=1)
    if asked.out:
        asked.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
