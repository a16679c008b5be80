"""Nothing is lost: kills, damaged files, bad losses, Ctrl-C; and the average, against numbers computed by hand."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from mien.data.locked import locked
from mien.runtime import choose
from mien.train import EMA, Event, Every, fit, load_latest, save_checkpoint
from mien.train.watch import Board, plateau
from train_probe import Tiny, equal, train

STEPS = 10


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[Tensor]:
    """Weights of a run that nobody disturbed."""
    task = Tiny()
    train(tmp_path_factory.mktemp("alone"), STEPS, task)
    return task.weights()


@pytest.mark.parametrize(("moment", "left"), [("step", 6), ("save", 3), ("saved", 6)])
def test_killed_and_resumed_equals_undisturbed(tmp_path: Path, alone: list[Tensor], moment: str, left: int) -> None:
    command = [sys.executable, str(Path(__file__).with_name("train_probe.py")), str(tmp_path), str(STEPS), moment]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    killed = subprocess.run(command, capture_output=True, text=True, env=one_thread, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    found = load_latest(tmp_path)
    assert found is not None
    assert found.step == left
    assert bool(list((tmp_path / "checkpoints").glob(".*.part.safetensors"))) == (moment == "save")
    task = Tiny()
    assert train(tmp_path, STEPS, task).steps == STEPS
    assert equal(task.weights(), alone)
    assert not list((tmp_path / "checkpoints").glob(".*"))


def test_two_trainings_cannot_share_a_folder(tmp_path: Path) -> None:
    """The second would write its own steps between the first one's checkpoints."""
    with locked(tmp_path / "checkpoints", ""), pytest.raises(RuntimeError, match=f"is being trained by process {os.getpid()} already"):
        train(tmp_path, STEPS, Tiny())
    assert train(tmp_path, STEPS, Tiny()).steps == STEPS


def test_checkpoint_cut_in_half(tmp_path: Path, alone: list[Tensor], capsys: pytest.CaptureFixture[str]) -> None:
    train(tmp_path, 6, Tiny())
    newest = tmp_path / "checkpoints" / "step-00000006.safetensors"
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    task = Tiny()
    train(tmp_path, STEPS, task)
    assert equal(task.weights(), alone)
    said = capsys.readouterr().err
    assert "step-00000006.safetensors is not a whole checkpoint" in said
    assert "taking the one before" in said
    assert "going on from step 3" in said


def test_finished_run_does_nothing_more(tmp_path: Path) -> None:
    first = train(tmp_path, 4, Tiny())
    task = Tiny()
    again = train(tmp_path, 4, task)
    assert (again.steps, again.reason, again.items_per_second) == (4, "steps", 0)
    assert again.history == first.history
    assert [entry["step"] for entry in again.history] == [4]


def test_preview_is_drawn_at_evaluations(tmp_path: Path) -> None:
    class Drawn(Tiny):
        def preview(self, path: Path) -> None:
            torch.rand(3)
            path.write_text(f"{self.net.training} {torch.is_grad_enabled()}")

    train(tmp_path, 1, Drawn())
    assert (tmp_path / "preview.jpg").read_text() == "False False"


def test_trains_outside_the_main_thread(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(train, tmp_path, 2, Tiny()).result().steps == 2


def test_refusals(tmp_path: Path) -> None:
    task = Tiny()
    with pytest.raises(ValueError, match="steps, minutes, or both"):
        fit(task, tmp_path)
    train(tmp_path, 1, task)
    with pytest.raises(ValueError, match="holds a run of 1 steps"):
        train(tmp_path, 2, task, resume=False)
    other = Tiny()
    other.net[4] = nn.Linear(8, 2)
    with pytest.raises(ValueError, match=r"net is of another shape.*4\.weight"):
        train(tmp_path, 2, other)
    with pytest.raises(ValueError, match="the decay of an average lies in"):
        EMA(task.net, 1.0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_goes_on_later(
    tmp_path: Path, alone: list[Tensor], number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    usual = signal.getsignal(number)

    def ask(event: Event) -> None:
        if (event.kind, event.step) == ("step", 5):
            os.kill(os.getpid(), number)

    ended = train(tmp_path, STEPS, Tiny(), on_event=ask)
    assert (ended.reason, ended.steps) == ("interrupted", 5)
    assert "finishing this step and saving" in capfd.readouterr().err
    assert signal.getsignal(number) is usual
    task = Tiny()
    assert train(tmp_path, STEPS, task).reason == "steps"
    assert equal(task.weights(), alone)


def test_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    def twice(event: Event) -> None:
        for _ in range(2 if event.step == 4 else 0):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, STEPS, Tiny(), on_event=twice)
    found = load_latest(tmp_path)
    assert found is not None
    assert found.step == 3


class Spoiled(Tiny):
    """Its loss is no number at the steps in `bad` (counted by calls, not by index)."""

    def __init__(self, *bad: int) -> None:
        super().__init__()
        self.bad, self.calls = bad, 0

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        self.calls += 1
        if self.calls in self.bad:
            for weight in self.net.parameters():
                weight.data.fill_(float("nan"))
            return {"loss": float("nan")}
        return super().step(fabric, index)


def test_bad_loss_is_rolled_back_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task, events = Spoiled(6), []
    ended = train(tmp_path, STEPS, task, on_event=events.append)
    assert (ended.steps, task.calls) == (STEPS, STEPS + 1 + 2)  # the bad one, and steps 4 and 5 once more
    assert [event.step for event in events if event.kind == "rolled back"] == [3]
    assert all(bool(weight.isfinite().all()) for weight in task.weights())
    assert "the loss became loss nan at step 5: back to step 3" in capsys.readouterr().err
    assert [entry["step"] for entry in ended.history] == [4, 8, 10]


def test_bad_loss_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="for the second time: lower the learning rate"):
        train(tmp_path, STEPS, Spoiled(6, 8))
    found = load_latest(tmp_path)
    assert found is not None
    assert found.step == 3


def test_bad_weights_are_never_saved(tmp_path: Path) -> None:
    class Late(Tiny):
        def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
            values = super().step(fabric, index)
            if index == 5 and not self.scores:
                self.scores.append(0.0)
                next(self.net.parameters()).data.fill_(float("inf"))
            return values

    task = Late()
    events: list[Any] = []
    assert train(tmp_path, 6, task, evaluate=Every(), on_event=events.append).steps == 6
    assert [event.step for event in events if event.kind == "rolled back"] == [3]
    assert all(bool(weight.isfinite().all()) for weight in task.weights())


class Scored(Tiny):
    """Scores given in advance."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.scores = list(scores)

    def evaluate(self) -> dict[str, float]:
        assert not self.net.training
        assert not torch.is_grad_enabled()
        return {"score": self.scores.pop(0)}


RISES = (0.1, 0.5, 0.501, 0.5, 0.9, 0.9, 0.9, 0.9)


def test_plateau_is_said_and_stops_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options: dict[str, Any] = {"evaluate": Every(steps=1), "patience": 2}
    on = train(tmp_path / "on", 8, Scored(*RISES), **options)
    assert on.reason == "steps"
    assert capsys.readouterr().err.count("more training no longer helps") == 2  # it rose in between
    task = Scored(*RISES)
    off = train(tmp_path / "off", 8, task, stop_on_plateau=True, **options)
    assert (off.reason, off.steps) == ("plateau", 4)
    assert task.net.training


def test_plateau_by_hand() -> None:
    assert not plateau([0.5, 0.5], patience=2)
    assert plateau([0.5, 0.5, 0.5], patience=2)
    assert plateau([0.5, 0.501, 0.4], patience=2)
    assert not plateau([0.5, 0.503, 0.4], patience=2)


def test_minutes_count_over_resumes(tmp_path: Path) -> None:
    assert train(tmp_path, 4, Tiny(), minutes=60).reason == "steps"
    found = load_latest(tmp_path)
    assert found is not None
    save_checkpoint(tmp_path, 5, found.state | {"seconds": 3601.0})
    ended = train(tmp_path, 8, Tiny(), minutes=60)
    assert (ended.reason, ended.steps) == ("minutes", 5)
    assert ended.seconds >= 3601


def test_two_optimisers_and_bf16(tmp_path: Path) -> None:
    class Pair(Tiny):
        def __init__(self) -> None:
            super().__init__()
            self.critic = nn.Conv2d(3, 4, 3)
            self.sgd = torch.optim.SGD(self.critic.parameters(), lr=0.1, momentum=0.9)

        def modules(self) -> dict[str, nn.Module]:
            return super().modules() | {"critic": self.critic}

        def optimizers(self) -> dict[str, torch.optim.Optimizer]:
            return super().optimizers() | {"sgd": self.sgd}

        def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
            values = super().step(fabric, index)
            with fabric.autocast():
                made = self.critic(torch.rand(2, 3, 8, 8))
            assert made.dtype == torch.bfloat16
            self.sgd.zero_grad()
            fabric.backward(made.float().square().mean())
            self.sgd.step()
            return values | {"critic": made.mean()}

    def run(folder: Path, *stops: int) -> Pair:
        task = Pair()
        for stop in stops:
            task = Pair()
            fit(task, folder, steps=stop, runtime=choose("cpu", "bf16"), tensorboard=False)
        return task

    whole, halves = run(tmp_path / "whole", 4), run(tmp_path / "halves", 2, 4)
    assert equal(list(whole.critic.state_dict().values()), list(halves.critic.state_dict().values()))
    momentum = halves.sgd.state[halves.critic.weight]["momentum_buffer"]
    assert momentum.is_contiguous(memory_format=torch.channels_last)


def test_curves_are_written_or_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard")
    train(tmp_path / "with", 4, Tiny(), tensorboard=True)
    assert list((tmp_path / "with" / "tensorboard").glob("events.out.*"))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard.writer", None)
    Board(tmp_path / "without", 0).add(1, {"loss": 1.0})
    assert "tensorboard is not installed" in capsys.readouterr().err
    assert not (tmp_path / "without").exists()


def test_average_by_hand() -> None:
    net = nn.Linear(1, 1, bias=False)
    net.weight.data.fill_(0.0)
    ema = EMA(net, decay=0.25)
    assert isinstance(ema.module, nn.Linear)
    net.weight.data.fill_(11.0)
    ema.update()  # the first step keeps 2/11
    assert ema.module.weight.item() == pytest.approx(9.0)
    ema.update()  # the second 3/12, which is the decay asked for
    ema.update()
    assert ema.module.weight.item() == pytest.approx(11 - 2 * 0.25**2)
    with ema.swap() as averaged:
        assert averaged is net
        assert net.weight.item() == pytest.approx(11 - 2 * 0.25**2)
    assert net.weight.item() == 11.0
