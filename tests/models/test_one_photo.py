"""The network of the swap from one photo."""

import torch

from mien.models.one_photo import SIZE, OnePhoto, compose


def shown(batch: int = 2, side: int = SIZE) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.rand(batch, channels, side, side, generator=rng) for channels in (3, 3, 1)]


def test_its_size() -> None:
    net = OnePhoto()
    assert sum(p.numel() for p in net.parameters()) == 1_377_716
    assert net(*shown(), torch.zeros(2, 128)).shape == (2, 5, SIZE, SIZE)


def test_untrained_it_is_mostly_the_photo() -> None:
    frame, photo, mask = shown()
    face, change = compose(frame, photo, mask, OnePhoto()(frame, photo, mask, torch.zeros(2, 128)))
    assert torch.allclose(face, photo * torch.tensor(3.0).sigmoid() + frame * torch.tensor(-3.0).sigmoid(), atol=1e-6)
    assert torch.allclose(change, mask * torch.tensor(3.0).sigmoid())


def test_maps_serve_any_size() -> None:
    raw = torch.zeros(1, 5, SIZE, SIZE)
    raw[:, 3] = 30  # the photo alone
    frame, photo, mask = shown(1, 300)
    assert torch.equal(compose(frame, photo, mask, raw)[0], photo)


def test_whom_to_draw_changes_what_is_drawn_once_it_has_learnt() -> None:
    torch.manual_seed(0)
    net = OnePhoto((8, 8, 8, 8))
    torch.nn.init.normal_(net.out[0].weight, std=0.1)  # pyright: ignore[reportArgumentType]
    maps = [net(*shown(1), who) for who in (torch.zeros(1, 128), torch.ones(1, 128))]
    assert (maps[0] - maps[1]).abs().max() > 1e-3
