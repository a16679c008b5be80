"""`fit`: runs a task for so many steps or minutes; saves, resumes, watches the loss, shows progress."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from mien.data.locked import locked
from mien.progress import Progress, say
from mien.runtime import Runtime, choose
from mien.train.checkpoint import CHECKPOINTS, load_latest, save_checkpoint
from mien.train.state import load_networks, load_rank, looking_only, networks_state, ranks_state, seed_all
from mien.train.task import Task
from mien.train.types import MINUTELY, Event, Every, Fitted, Reason
from mien.train.watch import Board, Stop, graceful_stop, plateau


def fit(
    task: Task,
    run: Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    runtime: Runtime | None = None,
    evaluate: Every = MINUTELY,
    save: Every = MINUTELY,
    keep: int = 3,
    seed: int = 0,
    resume: bool = True,
    stop_on_plateau: bool = False,
    patience: int = 5,
    least_gain: float = 0.002,
    tensorboard: bool = True,
    label: str = "train",
    on_event: Callable[[Event], None] | None = None,
) -> Fitted:
    """Train `task` in folder `run`; a run killed at any moment and started again goes on as if nothing had happened.

    steps, minutes: where to stop, whichever comes first; both count what was done before a resume.
    runtime: device and precision (None: `mien.runtime.choose()`). seed: for the global generators of a new run; the
    networks are made by the task beforehand. evaluate, save: how often; both also at the end. keep: checkpoints kept.
    stop_on_plateau: end when the best "score" of the last `patience` evaluations is less than `least_gain` above the
    best before; without it a line says so and training goes on. Ctrl-C and SIGTERM finish the step, save, and return.
    A loss or weight that is not finite, or trouble that the task tells of: back to the last checkpoint, on with other batches, once;
    then RuntimeError.
    Raises ValueError (no limit given; checkpoint of another network; `resume=False` in a used folder), RuntimeError where another
    process is training in `run`, and OSError.
    """
    if steps is None and minutes is None:
        raise ValueError("say how long to train: steps, minutes, or both")
    runtime = runtime or choose()
    fabric = _fabric(runtime)
    with ExitStack() as stack:
        if fabric.is_global_zero:
            stack.enter_context(locked(Path(run) / CHECKPOINTS, f"{run} is being trained"))
        checkpoint = load_latest(run)
        if checkpoint and not resume:
            raise ValueError(f"{run} holds a run of {checkpoint.step} steps: resume it, or name an empty folder")
        seed_all(seed + fabric.global_rank)
        task.setup(fabric, runtime)
        limits = _Limits(steps, minutes, evaluate, save, keep, patience, least_gain, stop_on_plateau)
        loop = _Loop(task, Path(run), fabric, runtime.precision, limits, on_event)
        if checkpoint:
            loop.resume(checkpoint.state, checkpoint.step)
            del checkpoint
        else:
            loop.save()  # what cannot be saved is better known now; also the first place to roll back to
        stop = stack.enter_context(graceful_stop())
        if fabric.is_global_zero:
            loop.bar = stack.enter_context(Progress(label, total=1.0))
            if tensorboard:
                loop.board = Board(Path(run) / "tensorboard", loop.step)
                stack.callback(loop.board.close)
        return loop.run(stop)


def _fabric(runtime: Runtime) -> Fabric:
    """One process, or as many as torchrun started."""
    world, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    one = [runtime.device.index or 0] if runtime.device.type == "cuda" else 1
    fabric = Fabric(
        accelerator=runtime.device.type,
        devices=local if world > 1 else one,
        num_nodes=world // local,
        strategy="ddp" if world > 1 else "auto",
        precision="bf16-mixed" if runtime.precision == "bf16" else "32-true",
    )
    fabric.launch()
    return fabric


@dataclass(frozen=True)
class _Limits:
    """What `fit` was asked for."""

    steps: int | None
    minutes: float | None
    evaluate: Every
    save: Every
    keep: int
    patience: int
    least_gain: float
    stop_on_plateau: bool


@dataclass
class _Loop:
    """The state of one call of `fit`."""

    task: Task
    folder: Path
    fabric: Fabric
    precision: str
    limits: _Limits
    on_event: Callable[[Event], None] | None
    bar: Progress | None = None
    board: Board | None = None
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._started, self._before = time.monotonic(), 0.0
        self._first_share, self._steps_here, self._step_seconds = 0.0, 0, 0.0
        self._saved_at = self._evaluated_at = 0.0
        self._evaluated, self._dirty = False, True  # since the last step; something to save
        self._losses: list[float] = []
        self._rollbacks, self._flat = 0, False

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._started

    @property
    def speed(self) -> float:
        """Items a second in this call, over the steps alone."""
        items = self._steps_here * self.task.items * self.fabric.world_size
        return items / max(self._step_seconds, 1e-9)

    @property
    def share(self) -> float:
        """How much of the whole is done, 0..1."""
        steps, minutes = self.limits.steps, self.limits.minutes
        of_steps = self.step / max(steps, 1) if steps is not None else 0.0
        of_time = self.seconds / max(minutes * 60, 1e-9) if minutes is not None else 0.0
        return min(max(of_steps, of_time), 1.0)

    def resume(self, state: dict[str, Any], step: int) -> None:
        load_networks(self.task, state["networks"])
        load_rank(self.task, self.fabric, state["ranks"])
        self.step, self._before, self.history, self._losses = step, state["seconds"], state["history"], state["losses"]
        self._saved_at = self._evaluated_at = self.seconds
        self._evaluated = bool(self.history) and self.history[-1]["step"] == step
        self._dirty = False
        self._first_share = self.share
        if state["precision"] != self.precision:
            self.say(f"this run was trained in {state['precision']}, it goes on in {self.precision}")
        self.say(f"going on from step {step} in {self.folder}")
        self.tell("resumed")

    def run(self, stop: Stop) -> Fitted:
        while True:
            while (reason := self.over(stop)) is None:
                good = self.one_step()
                if good and self.any(self.limits.evaluate.due(self.step, self.seconds - self._evaluated_at)):
                    self.evaluate()
                if good and self.any(not self.task.doubted and self.limits.save.due(self.step, self.seconds - self._saved_at)):
                    self.save()
            if reason != "interrupted" and not self._evaluated:
                self.evaluate()
            if not self._dirty or self.save():
                break
        return Fitted(self.step, self.seconds, self.speed, reason, tuple(self.history))

    def over(self, stop: Stop) -> Reason | None:
        if self.any(stop.asked):
            return "interrupted"
        steps, minutes = self.limits.steps, self.limits.minutes
        if steps is not None and self.step >= steps:
            return "steps"
        if self.any(minutes is not None and self.seconds >= minutes * 60):
            return "minutes"
        return "plateau" if self._flat and self.limits.stop_on_plateau else None

    def one_step(self) -> bool:
        """One step of the task; False when it had to be undone."""
        began = time.monotonic()
        self.task.share = self.share
        told = self.task.step(self.fabric, self.step)
        values = {name: float(v.detach() if isinstance(v, torch.Tensor) else v) for name, v in told.items()}
        self._step_seconds += time.monotonic() - began
        if self.any(not all(math.isfinite(value) for value in values.values())):
            self.roll_back("the loss became " + ", ".join(f"{name} {value:g}" for name, value in values.items()))
            return False
        if self.any(bool(self.task.trouble)):
            self.roll_back(self.task.trouble)
            return False
        for ema in self.task.averages().values():
            ema.update()
        self.step += 1
        self._evaluated, self._dirty = False, True
        self._steps_here += 1
        self._losses.append(values["loss"])
        if self.board and self.step % 10 == 0:
            self.board.add(self.step, values)
        self.show(values["loss"])
        self.tell("step", values)
        return True

    def evaluate(self) -> None:
        """Scores, preview, and a word when the score has stopped rising."""
        with looking_only(self.task, self.fabric.device):
            scores = self.task.evaluate()
            if self.fabric.is_global_zero:
                self.task.preview(self.folder / "preview.jpg")
        if self.fabric.world_size > 1:
            scores = self.fabric.broadcast(scores)
        loss = sum(self._losses) / max(len(self._losses), 1)
        self._losses, self._evaluated, self._dirty, self._evaluated_at = [], True, True, self.seconds
        if not scores:
            return
        self.history.append({"step": self.step, "seconds": self.seconds, "loss": loss, **scores})
        if self.board:
            self.board.add(self.step, scores)
        self.tell("evaluated", scores)
        limits, every = self.limits, [entry["score"] for entry in self.history if "score" in entry]
        flat = plateau(every, limits.patience, limits.least_gain)
        if flat and not self._flat:
            self.say(f"more training no longer helps: the score has stood still for {limits.patience} evaluations")
            self.tell("plateau", scores)
        self._flat = flat

    def save(self) -> bool:
        """Everything into one file; False when the weights are not finite: they are rolled back instead."""
        weights = [weight for module in self.task.modules().values() for weight in module.parameters()]
        if self.any(not all(bool(torch.isfinite(weight).all()) for weight in weights)):
            self.roll_back("a weight became infinite or not a number")
            return False
        ranks = ranks_state(self.task, self.fabric)
        if self.fabric.is_global_zero:
            state = {"networks": networks_state(self.task), "ranks": ranks, "precision": self.precision}
            progress = {"seconds": self.seconds, "history": self.history, "losses": self._losses}
            save_checkpoint(self.folder, self.step, state | progress, self.limits.keep)
        self.fabric.barrier()
        self._dirty, self._saved_at = False, self.seconds
        self.tell("saved")
        return True

    def roll_back(self, what: str) -> None:
        """Back to the last checkpoint, but on with other batches: the same ones would end the same way."""
        checkpoint = load_latest(self.folder)
        if checkpoint is None or self._rollbacks:
            advice = self.task.advice + (", or train in fp32" if self.precision == "bf16" else "")
            where = f"{self.folder} keeps the last good step"
            raise RuntimeError(f"{what} at step {self.step}, for the second time: {advice}; {where}")
        self._rollbacks += 1
        load_networks(self.task, checkpoint.state["networks"])
        self.say(f"{what} at step {self.step}: back to step {checkpoint.step}")
        self.step, self._losses, self._evaluated, self._dirty = checkpoint.step, [], False, True
        self.history = [entry for entry in self.history if entry["step"] <= self.step]
        self.tell("rolled back")

    def show(self, loss: float) -> None:
        if self.bar:
            note = f"step {self.step}  {self.speed:.1f}/s  loss {loss:.4f}"
            if self.history and "score" in self.history[-1]:
                note += f"  score {self.history[-1]['score']:.4f}"
            self.bar.set((self.share - self._first_share) / max(1 - self._first_share, 1e-9), note)

    def say(self, text: str) -> None:
        if self.fabric.is_global_zero:
            say(text)

    def tell(self, kind: Any, values: dict[str, float] | None = None) -> None:
        if self.on_event:
            self.on_event(Event(kind, self.step, self.seconds, values or {}))

    def any(self, flag: bool) -> bool:
        """Whether any process says so: all of them must decide alike."""
        if self.fabric.world_size == 1:
            return flag
        total = self.fabric.all_reduce(torch.tensor(float(flag), device=self.fabric.device), reduce_op="sum")
        return bool(torch.as_tensor(total).item() > 0)
