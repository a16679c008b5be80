"""The optimised picture against the textbook: the same steps, layers, weights and costs, on a picture of 512 pixels.

    python benchmarks/stylize.py --content PHOTO --style PAINTING [--side 512] [--steps 60] [--precision auto]

The textbook is written down here as tutorials have it: VGG as a chain of layers in fp32 NCHW with a loss behind every layer that
counts, torch.optim.LBFGS at a single size, from the content, pixels clipped before every evaluation. mien goes from coarse to
fine, with as many steps in all, in bf16 where the processor computes in it (`stylize_bf16.json`); what it ends with is judged in fp32.
One thread; the two take turns, step by step, in one process, so that both see the same machine;
seconds are those of the processor, since others may use it too. `cost` is alpha J_content + beta J_style in full size, the same
for both. `to the textbook's cost` and `to mien's cost`: until the other was at or below what that one ended with. Memory: of
processes that do two steps of one of them. With `--track` the textbook's steps are those of an earlier run (`in turns` is then
false).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from machine import load, origin


class Textbook:
    """Neural style transfer as it is taught."""

    def __init__(self, content: Any, style: Any, how: Any, weights: Any) -> None:
        """Pictures (1, 3, H, W) in 0..1; the layers and weights of mien's."""
        from torch import nn, optim

        from mien.models.vgg_features import CAFFE, load

        class Normalization(nn.Module):
            def forward(self, x: Any) -> Any:
                return x.flip(1) * 255 - x.new_tensor(CAFFE.mean).view(1, 3, 1, 1)

        class ContentLoss(nn.Module):
            def __init__(self, target: Any, weight: float) -> None:
                super().__init__()
                self.target, self.weight, self.loss = target.detach(), weight, None

            def forward(self, x: Any) -> Any:
                self.loss = self.weight * nn.functional.mse_loss(x, self.target) / 4
                return x

        class StyleLoss(nn.Module):
            def __init__(self, target: Any, weight: float) -> None:
                super().__init__()
                self.target, self.weight, self.loss = self.gram(target).detach(), weight, None

            @staticmethod
            def gram(x: Any) -> Any:
                features = x.reshape(x.shape[1], -1)
                return features @ features.t() / features.shape[1]

            def forward(self, x: Any) -> Any:
                self.loss = self.weight * nn.functional.mse_loss(self.gram(x), self.target) / 4
                return x

        net, self.model, self.losses = load(average=True), nn.Sequential(Normalization()), []
        for name in net.layers:
            if name.startswith("conv"):
                self.model.append(net.convs[name])
            else:
                self.model.append(nn.AvgPool2d(2) if name.startswith("pool") else nn.ReLU(inplace=False))
            for kind, layers, picture, weight in ((ContentLoss, weights.content_layers, content, how.content_weight),
                                                  (StyleLoss, weights.style_layers, style, how.style_weight)):  # fmt: skip
                if name in layers:
                    self.losses.append(kind(self.maps(picture), weight * layers[name]))
                    self.model.append(self.losses[-1])
            if len(self.losses) == len(weights.content_layers) + len(weights.style_layers):
                break
        self.model.eval().requires_grad_(False)
        self.x = content.clone().requires_grad_()
        # one evaluation a call; what it remembers goes on from call to call
        self.optimizer = optim.LBFGS([self.x], max_iter=1)

    def maps(self, picture: Any) -> Any:
        """Of a picture, where the chain ends so far; the losses on the way are left out."""
        import torch

        with torch.no_grad():
            for layer in self.model:
                picture = picture if layer in self.losses else layer(picture)
        return picture

    def step(self) -> float:
        """One evaluation; the cost of the picture before it."""
        import torch

        def closure() -> Any:
            with torch.no_grad():
                self.x.clamp_(0, 1)
            self.optimizer.zero_grad()
            self.model(self.x)
            loss = torch.stack([one.loss for one in self.losses]).sum()
            loss.backward()
            return loss

        return float(self.optimizer.step(closure).detach())


def timed(step: Callable[[], float | None]) -> Iterator[tuple[float, float | None]]:
    """Processor seconds so far, and the cost, for every step."""
    spent = 0.0
    while True:
        began = time.process_time()
        cost = step()
        spent += time.process_time() - began
        yield spent, cost


def main() -> None:
    """One JSON object, into results/ as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--content", type=Path, required=True)
    parser.add_argument("--style", type=Path, required=True)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto", help="mien's")
    parser.add_argument("--pictures", type=Path, help="a folder for both results")
    parser.add_argument("--track", type=Path, help="a textbook's track from an earlier run, instead of running it again")
    parser.add_argument("--only", choices=("mien", "textbook"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    from mien.data.pictures import write_picture
    from mien.models.vgg_features import load as load_vgg
    from mien.nn.memory import keep_freed_memory
    from mien.runtime import choose, peak
    from mien.tasks.stylize.asking import pictures, pixels
    from mien.tasks.stylize.painting import How, Moment, Painter, resized, style_size

    before, how = load(), How(steps=2 if given.only else given.steps, scales=1 if given.only else None)
    inputs = pictures(given.content, [given.style], [], given.side, how)
    runtime = choose("cpu", given.precision)
    painter = Painter(inputs.content, inputs.styles, inputs.masks, how, load_vgg(average=True), runtime)
    exact = painter
    if runtime.precision != "fp32":
        exact = Painter(inputs.content, inputs.styles, inputs.masks, how, load_vgg(average=True), choose("cpu", "fp32"))
    judge = exact.objective(len(exact.sizes) - 1)  # fills in the layers' weights
    style = resized(inputs.styles[0], style_size(inputs.styles[0], given.side))
    if given.only != "textbook":
        keep_freed_memory()
    moments, last = painter.run(), None

    def ours() -> float | None:
        nonlocal last
        last = next(moments, None)
        return last.cost.total if last is not None and last.scale == len(painter.sizes) - 1 else None

    if given.only:
        run = ours if given.only == "mien" else Textbook(inputs.content, style, how, exact.weights).step
        for _ in range(2):
            run()
        print(peak())
        return
    earlier = [tuple(one) for one in json.loads(given.track.read_text())[: given.steps]] if given.track else None
    textbook = None if earlier else Textbook(inputs.content, style, how, exact.weights)
    theirs_timed = timed(textbook.step) if textbook else iter(earlier or [])
    ours_timed, tracks = timed(ours), {"textbook": [], "mien": []}
    for _ in range(given.steps):
        tracks["textbook"].append(next(theirs_timed))
        tracks["mien"].append(next(ours_timed))
        print(tracks["textbook"][-1], tracks["mien"][-1], file=sys.stderr, flush=True)
    assert isinstance(last, Moment)
    end = {"textbook": min(cost for _, cost in tracks["textbook"]), "mien": judge(last.state["x"], slope=False)[0].total}
    same = [seconds for seconds, cost in tracks["mien"] if cost is not None and cost <= end["textbook"]]
    theirs = [seconds for seconds, cost in tracks["textbook"] if cost is not None and cost <= end["mien"]]
    seconds = {name: track[-1][0] for name, track in tracks.items()}
    memory = {name: int(subprocess.run([sys.executable, __file__, *sys.argv[1:], "--only", name], capture_output=True, text=True,
                                       check=True).stdout) for name in tracks} if textbook else {"mien": peak()}  # fmt: skip
    full = [painter.steps[-1], [track for track in tracks["mien"] if track[1] is not None]]
    table = {
        "side": given.side, "precision": runtime.precision,
        "sizes": [[*size, steps] for size, steps in zip(painter.sizes, painter.steps, strict=True)],
        "steps": given.steps, "first cost": last.first.total, "cost": end, "seconds": seconds,
        "times faster for the same steps": seconds["textbook"] / seconds["mien"],
        "times faster to the textbook's cost": seconds["textbook"] / same[0] if same else None,
        "times faster to mien's cost": theirs[0] / seconds["mien"] if theirs else None,
        "seconds of a step in full size": {"textbook": seconds["textbook"] / given.steps,
                                           "mien": (full[1][-1][0] - full[1][0][0]) / max(full[0] - 1, 1)},
        "in turns": textbook is not None, "memory": memory, "tracks": tracks, "pictures": [given.content.name, given.style.name],
    }  # fmt: skip
    if given.pictures:
        write_picture(given.pictures / "mien.png", pixels(painter.picture(last)))
        if textbook:
            write_picture(given.pictures / "textbook.png", pixels(textbook.x.detach().clamp(0, 1)))
    text = json.dumps(table | origin(before), indent=2)
    name = {"fp32": "stylize.json", "bf16": "stylize_bf16.json"}[runtime.precision]
    Path(__file__).with_name("results").joinpath(name).write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
