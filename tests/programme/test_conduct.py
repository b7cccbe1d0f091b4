"""What the face is told, as messages and tags, and the cues that come of it in a session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.messages import Act, Attend, Programme
from tests.programme.play import Play, voice
from workers.programme.conduct import SPOKEN_STRENGTH, Conduct, Cues

TICK = 960


def after(conduct: Conduct, tick: int = 0, talking: bool = False) -> Cues:
    return conduct.cues(tick * TICK, 0.05 if talking else 0.0, talking, held=False)


def test_an_acted_emotion_stays_until_the_next_one() -> None:
    conduct = Conduct()
    conduct.act(Act(emotion="happy", strength=0.6))
    assert (after(conduct).emotion, after(conduct, 9_000).strength) == ("happy", 0.6)
    conduct.act(Act(gaze="left"))
    assert after(conduct).emotion == "happy"
    conduct.act(Act(emotion="neutral"))
    assert after(conduct).emotion == "", "the face is free to think again"


def test_an_emotion_for_a_while_gives_way_to_the_one_before_it() -> None:
    conduct = Conduct()
    conduct.act(Act(emotion="happy"))
    after(conduct, 100)
    conduct.act(Act(emotion="surprised", for_ms=1_000))
    assert after(conduct, 149).emotion == "surprised"
    assert after(conduct, 150).emotion == "happy"


def test_a_sentences_emotion_comes_before_the_acted_one_and_lingers_after_the_voice() -> None:
    conduct = Conduct()
    conduct.act(Act(emotion="happy"))
    conduct.begin(1, 0, {"emotion": "concerned"}, 0)
    assert (after(conduct, 0, talking=True).emotion, after(conduct, 0).strength) == ("concerned", SPOKEN_STRENGTH)
    assert after(conduct, 50).emotion == "concerned"
    assert after(conduct, 70).emotion == "happy"


def test_tags_without_any_voice_pass_like_those_with_one() -> None:
    conduct = Conduct()
    conduct.begin(1, 1, {"emotion": "happy", "gesture": "nod"}, 0)
    assert (after(conduct, 1).emotion, after(conduct, 70).emotion) == ("happy", "")


def test_an_act_in_the_middle_of_a_sentence_counts_at_once() -> None:
    conduct = Conduct()
    conduct.begin(1, 0, {"emotion": "concerned"}, 0)
    after(conduct, 0, talking=True)
    conduct.act(Act(emotion="surprised"))
    assert after(conduct, 1, talking=True).emotion == "surprised"


def test_a_sentence_without_an_emotion_keeps_a_little_of_its_turns_and_another_turn_nothing() -> None:
    conduct = Conduct()
    conduct.begin(1, 0, {"emotion": "happy"}, 0)
    conduct.begin(1, 1, {}, 0)
    assert after(conduct, 1, talking=True).strength == pytest.approx(0.5 * SPOKEN_STRENGTH)
    conduct.begin(2, 0, {}, 0)
    assert after(conduct, 1, talking=True).emotion == ""


def test_a_sentence_said_again_after_a_hold_does_not_gesture_again() -> None:
    conduct = Conduct()
    conduct.begin(1, 0, {"gesture": "nod"}, 0)
    assert after(conduct).gestures == ("nod",)
    conduct.begin(1, 0, {"gesture": "nod"}, 0)
    assert after(conduct).gestures == ()


def test_a_sentences_look_aside_comes_back_and_an_acted_one_stays() -> None:
    conduct = Conduct()
    conduct.begin(1, 0, {"gaze": "away"}, 0)
    assert after(conduct, 60).gaze == "away"
    assert after(conduct, 80).gaze == ""
    conduct.act(Act(gaze="down"))
    assert after(conduct, 90_000).gaze == "down"


def test_the_persona_says_how_much_it_moves_until_somebody_says_otherwise() -> None:
    conduct = Conduct(motion=0.4)
    assert after(conduct).motion == 0.4
    conduct.act(Act(motion=0.0))
    assert after(conduct).motion == 0.0


@pytest.mark.parametrize("nonsense", ["loud", float("nan"), True, None, [1]])
def test_a_strength_that_is_no_number_is_the_usual_one(nonsense: object) -> None:
    conduct = Conduct()
    conduct.begin(1, 0, {"emotion": "happy", "strength": nonsense}, 0)
    assert after(conduct, 0).strength == SPOKEN_STRENGTH


# --- in a session ----------------------------------------------------------------------------------------------------


def faces(play: Play) -> list[Programme]:
    return play.ticks()


def test_a_session_nods_with_the_sentence_that_says_so_and_once() -> None:
    said = replace(voice(samples=96_000), tags={"gesture": "nod", "emotion": "happy"})
    plain, nodding = Play(), Play()
    for play, sentence in ((plain, voice(samples=96_000)), (nodding, said)):
        play.say(sentence)
        play.commit()
        play.run(2_000)
    added = [b.face["pitch"] - a.face["pitch"] for a, b in zip(faces(plain), faces(nodding), strict=True)]
    assert min(added[:60]) < -0.06
    assert nodding.ticks()[60].emotion == "happy"


def test_a_session_thinks_when_the_broker_says_so_and_listens_while_it_is_held() -> None:
    play = Play()
    play.say(Attend(session="a", state="thinking"))
    play.run(1_500)
    assert play.ticks()[-1].emotion == "thinking"
    play.say(Attend(session="a", state="idle"))
    play.run(2_500)
    assert play.ticks()[-1].face["emotion_strength"] == 0
    play.say(voice())
    play.commit()
    play.run(300)
    play.hold()
    play.run(1_000)
    assert play.ticks()[-1].face["brows"] > 0.08


def test_a_session_takes_another_personas_motion_with_a_repeated_open() -> None:
    play = Play(persona={"face": {"motion": 1.0}})
    play.run(1_000)
    play.open(persona={"face": {"motion": 0.0}})
    play.run(3_000)
    last = [tick.face["yaw"] for tick in play.ticks()[-50:]]
    assert max(map(abs, last)) < 0.001
    assert len({tick.tick for tick in play.ticks()}) == len(play.ticks()), "its clock has gone on"


def test_an_act_reaches_the_pictures() -> None:
    play = Play()
    play.watch()
    play.run(200)
    play.say(Act(session="a", emotion="surprised", strength=1.0, gaze="right"))
    play.run(1_000)
    assert play.draws()[-1].emotion == "surprised"
    assert play.draws()[-1].face["emotion_strength"] > 0.9
    assert play.draws()[-1].face["gaze_x"] > 0.5
