"""H shows where the model looks, on the clip on screen and no other."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.ui.test_keys import KEY, press, wait_for_next
from vidlabel.services.saliency import NO_MODEL, SaliencyMaps
from vidlabel.ui.main_window import MainWindow


def _maps_of(clip_id: int) -> SaliencyMaps:
    return SaliencyMaps(
        clip_id=clip_id, label="wave", times=(0, 1_000_000), width=2, height=1,
        region=(0.0, 0.0, 1.0, 1.0), maps=(bytes([255, 0]), bytes([0, 255])),
    )  # fmt: skip


def test_between_two_moments_one_map_fades_into_the_other() -> None:
    maps = _maps_of(1)
    assert maps.around(-5) == (0, 0, 0.0)
    assert maps.around(250_000) == (0, 1, 0.25)
    assert maps.around(1_000_000) == (1, 1, 0.0)


def test_the_glow_lies_where_the_map_says(qtbot: QtBot, at_work: MainWindow) -> None:
    view, player = at_work.player.view, at_work.workbench.player
    player.pause()
    clip = at_work.workbench.library.current_id
    assert clip is not None
    qtbot.waitUntil(lambda: player.info is not None)
    plain = view.grab().toImage()
    view.set_saliency(_maps_of(clip))
    glowing = view.grab().toImage()
    picture = view.picture_rect()
    middle = round(picture.center().y())

    def change(share: float) -> int:
        x = round(picture.left() + share * picture.width())
        before, after = plain.pixelColor(x, middle), glowing.pixelColor(x, middle)
        return sum(abs(one - two) for one, two in zip(before.getRgb()[:3], after.getRgb()[:3], strict=True))

    assert change(0.05) > 40 > change(0.95)
    view.set_saliency(_maps_of(clip + 1))
    assert view.grab().toImage() == plain


def test_h_follows_the_clip_on_screen_and_blind_mode_hides_it(qtbot: QtBot, at_work: MainWindow) -> None:
    bench, told = at_work.workbench, []
    bench.saliency.refused.connect(told.append)
    press(qtbot, at_work, KEY.Key_H)
    assert bench.saliency.on and told == [NO_MODEL]
    bench.suggesting.start("bundled")
    qtbot.waitUntil(lambda: bench.saliency.maps is not None, timeout=60_000)
    first = bench.library.current_id
    assert bench.saliency.maps is not None and bench.deciding.suggestion is not None
    assert bench.saliency.maps.clip_id == first
    assert bench.saliency.maps.label == bench.deciding.suggestion.scores[0].label
    press(qtbot, at_work, KEY.Key_Down)
    wait_for_next(qtbot, at_work, first)
    second = bench.library.current_id

    def of_second() -> bool:
        maps = bench.saliency.maps
        return maps is not None and maps.clip_id == second

    qtbot.waitUntil(of_second, timeout=20_000)
    press(qtbot, at_work, KEY.Key_B)
    assert bench.saliency.maps is None
    press(qtbot, at_work, KEY.Key_B)
    qtbot.waitUntil(of_second, timeout=20_000)
    press(qtbot, at_work, KEY.Key_H)
    assert not bench.saliency.on and bench.saliency.maps is None
    assert at_work.player.view.hasFocus()
