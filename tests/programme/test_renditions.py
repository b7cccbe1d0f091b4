from __future__ import annotations

from dataclasses import replace

import av
import numpy as np

from broker.messages import Act, Draw, Wanted
from tests.programme.play import MS, ORIGIN_NS, SMALL, Play
from workers.programme.renditions import DROP_TICKS, WANTED_TICKS, Renditions
from workers.programme.ticks import TICK_NS

GREY = bytes((128,)) * (64 * 64 * 3 // 2)


def wanted(edge: str = "e", h264: int = 0, vp8: int = 0) -> Wanted:
    return Wanted(session="a", edge=edge, h264=h264, vp8=vp8)


def test_an_encoder_is_opened_on_demand_and_closed_after_5_s_without_any() -> None:
    renditions = Renditions(SMALL)
    assert renditions.encode(GREY, 0, 0) == {}
    assert renditions.open_encoders() == ()
    renditions.want(wanted(h264=1), 1)
    assert set(renditions.encode(GREY, 1, 2)) == {"h264"}
    renditions.sweep(2)
    renditions.want(wanted(h264=0), 3)
    renditions.sweep(2 + DROP_TICKS)
    assert renditions.open_encoders() == ("h264",)
    renditions.sweep(3 + DROP_TICKS)
    assert renditions.open_encoders() == ()


def test_a_codec_is_wanted_while_any_edge_wants_it_and_speaks_up() -> None:
    renditions = Renditions(SMALL)
    renditions.want(wanted("one", h264=1), 0)
    renditions.want(wanted("two", h264=3, vp8=1), 0)
    assert renditions.wanted(0) == ("h264", "vp8")
    renditions.want(wanted("two"), 1)
    assert renditions.wanted(1) == ("h264",)
    assert renditions.wanted(WANTED_TICKS + 1) == ()


def test_demand_that_returns_gets_a_key_frame() -> None:
    renditions = Renditions(SMALL)
    renditions.want(wanted(h264=1), 0)
    assert renditions.encode(GREY, 0, 0)["h264"].key
    assert not renditions.encode(GREY, 1, 2)["h264"].key
    renditions.want(wanted(), 3)
    renditions.want(wanted(h264=1), 40)
    assert renditions.encode(GREY, 2, 41)["h264"].key


def test_a_codec_nobody_knows_is_refused() -> None:
    assert not Renditions(SMALL).ask_key("av1")


def on_a_line(step: int, h264: int = 0, vp8: int = 0, reason: str = "") -> Wanted:
    return Wanted(session="a", edge="caller", h264=h264, vp8=vp8, step=step, reason=reason)


def noise(n: int, size: int = 128) -> bytes:
    """A picture that takes all the bits it may."""
    return np.random.default_rng(n % 9).integers(40, 200, size * size * 3 // 2, np.uint8).tobytes()


def test_h264_follows_the_callers_line_without_a_key_frame_and_vp8_with_one() -> None:
    renditions = Renditions(replace(SMALL, width=128, height=128, video_kbps=1600))
    octets: dict[int, int] = {}
    keys: dict[str, list[int]] = {"h264": [], "vp8": []}
    for n in range(150):
        tick, step = 2 * n, 0 if n < 50 else 3 if n < 100 else 0
        if n % 25 == 0:
            renditions.want(on_a_line(step, h264=1, vp8=1), tick)
            renditions.take_step(tick)
        for codec, unit in renditions.encode(noise(n), n, tick).items():
            keys[codec] += [n] if unit.key else []
            octets[n // 25] = octets.get(n // 25, 0) + (len(unit.data) if codec == "h264" else 0)
    assert keys == {"h264": [0], "vp8": [0, 50, 100]}
    assert octets[3] < 0.5 * octets[1], "the second after the step has settled"
    assert octets[5] > 2 * octets[3], "and back"


def test_viewers_have_no_say_and_a_caller_that_falls_silent_neither() -> None:
    renditions = Renditions(SMALL)
    renditions.want(wanted("viewers", h264=5), 0)
    assert renditions.take_step(0) is None
    renditions.want(on_a_line(2, h264=1, reason="narrow"), 1)
    renditions.want(wanted("viewers", h264=5), 2)
    assert renditions.take_step(2) == "narrow"
    assert (renditions.step, renditions.take_step(3)) == (2, None)
    assert renditions.take_step(2 + WANTED_TICKS) == ""
    assert renditions.step == 0


def test_a_step_is_an_event_with_its_reason_and_the_last_one_leaves_out_every_other_picture() -> None:
    play = Play()
    play.watch()
    play.run(1000)
    play.say(on_a_line(1, h264=1, reason="your connection loses 14 % of the packets"))
    play.run(100)
    assert play.events("degraded")[-1].data == {
        "kind": "network",
        "step": "rate_133",
        "reason": "your connection loses 14 % of the packets: pictures at 133 kb/s",
    }
    for _ in range(4):
        play.say(on_a_line(4, h264=1, reason="your connection carries 60 kb/s"))
        play.run(500)
    assert play.events("degraded")[-1].data["step"] == "rate_28"
    assert play.events("degraded")[-1].data["reason"].endswith("28 kb/s, half as many")
    pictures = [tick.picture for tick in play.ticks()[-40:] if tick.h264]
    assert len(pictures) in (9, 10, 11), "12.5 a second"
    play.say(on_a_line(0, h264=1))
    play.run(100)
    assert play.events("degraded")[-1].data["step"] == "full"


def test_a_picture_that_is_here_is_encoded_before_its_tick() -> None:
    play = Play()
    play.watch()
    play.run(513)
    assert play.ticks()[-1].tick == 25
    assert play.stage.due_ns == ORIGIN_NS + 26 * TICK_NS - 6 * MS
    play.run(2)
    assert play.stage.due_ns == ORIGIN_NS + 26 * TICK_NS, "only the tick is left to do"
    play.run(5)
    assert play.ticks()[-1].picture == 13


def test_the_figure_alone_is_a_rendition_of_twice_the_width_for_who_wants_it() -> None:
    renditions = Renditions(SMALL)
    renditions.want(Wanted(session="a", edge="e", vp8=1, h264_cutout=1), 0)
    assert renditions.wants_cutout(0)
    units = renditions.encode(GREY, 0, 0, GREY + GREY)
    assert set(units) == {"vp8", "h264_cutout"}
    decoder = av.CodecContext.create("h264", "r")
    pictures = [*decoder.decode(av.Packet(units["h264_cutout"].data)), *decoder.decode(None)]
    assert [(picture.width, picture.height) for picture in pictures] == [(128, 64)]


def test_a_picture_that_came_without_its_figure_is_encoded_for_the_others() -> None:
    renditions = Renditions(SMALL)
    renditions.want(Wanted(session="a", edge="e", vp8=1, vp8_cutout=1), 0)
    assert set(renditions.encode(GREY, 0, 0)) == {"vp8"}


def test_a_background_that_was_asked_for_goes_along_with_every_picture() -> None:
    play = Play()

    def draws() -> list[Draw]:
        return [message for message in play.messages if isinstance(message, Draw)]

    play.watch()
    play.say(Act(session="a", background="#204060"))
    play.run(300)
    assert {draw.background for draw in draws()[-3:]} == {"#204060"}
    assert play.ticks()[-1].background == "#204060", "pages that draw the face themselves are told, too"
    assert not any(draw.cutout for draw in draws())
    play.say(Wanted(session="a", edge="edge", vp8_cutout=1))
    play.run(300)
    assert draws()[-1].cutout
