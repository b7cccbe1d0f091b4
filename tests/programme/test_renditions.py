from __future__ import annotations

import av

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
