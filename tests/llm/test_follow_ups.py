"""Ordinary wordings of tell me more, repeat that and slower are known in three languages; like questions are not."""

from __future__ import annotations

import pytest

from workers.llm.follow_ups import FollowUp, follow_up

MORE_EN = """
tell me more | could you tell me a bit more about that please | tell me a little more | more please
more information | give me more details | i would like to know more | i'd like to hear a bit more | please continue
carry on | go on please | go ahead and continue | what else | anything else | is there more
is there anything else i should know | keep talking | can you elaborate on that | can you say more | and what else
could you go into more detail | more on that | tell me some more | what else can you tell me
can i have more information please | do you have any more information | i want to learn more about it
let me hear more | what more is there to know | could you expand on that | do go on
can you tell me anything else about this | please tell me more about the subject | and what else should i know
in more detail please | is that all
"""
REPEAT_EN = """
repeat that | can you please repeat that | could you say that again | say again please | one more time please
sorry what | sorry i didn't hear you | i couldn't hear you | i did not understand you | what was that again
what did you say | again please | can you repeat the answer | could you repeat the last sentence | come again
pardon me | i missed that | i beg your pardon | say it one more time | could you say that one more time
would you mind repeating that | i can't hear you | i didn't quite get that | can you tell me that again
would you repeat what you just said | i didn't catch what you said | tell me again
sorry could you repeat your last answer please | could i hear that again | what were you saying
what was your answer | i missed the last part | can you read it again please | sorry i missed what you said
please repeat
"""
SLOWER_EN = """
slower | slower please | can you speak slower | could you speak a bit slower please | speak slowly please
can you slow down | can you say that a little bit slower please | slow down a bit | please slow down a little
can you talk a little slower | could you please say it again but slower | say it again slowly
repeat that slowly please | you're speaking too fast | you are talking too fast for me | that's too fast
that was too fast for me | please talk more slowly | a bit slower | i need you to speak more slowly
a little slower please | can you read that slower | not that fast | not so quickly please | you're too fast
you are going a bit too fast | don't talk so fast | would you mind speaking more slowly | i'd like you to go slower
could you speak at a slower pace | can you repeat the answer a bit more slowly please
please don't speak that quickly | slow it down | much slower please | you speak way too fast
"""
MORE_ES = """
dime más | cuéntame más sobre eso | ¿algo más? | háblame más de eso | continúa por favor | siga | ¿qué más?
más información | ¿puede contarme más? | ¿me puedes decir más? | quiero saber más | me gustaría saber un poco más
¿hay algo más? | más detalles por favor | ¿y qué más? | sigue hablando | ¿puede darme más detalles?
deme más información | explícame un poco más | cuénteme un poco más | ¿puede continuar? | adelante, continúe
¿qué más hay? | ¿qué más puede decirme? | dígame algo más sobre esto | ¿hay más? | con más detalle por favor
¿y luego? | ¿qué más debería saber? | cuentame mas
"""
REPEAT_ES = """
repite | repite por favor | ¿puede repetirlo? | ¿puedes repetir eso? | no te he oído | ¿cómo? | perdón
otra vez por favor | ¿qué ha dicho? | ¿cómo dice? | repítalo por favor | ¿podría repetir la respuesta?
dígalo otra vez | una vez más | de nuevo por favor | no le he entendido | no lo he oído bien | ¿me lo puede repetir?
¿puede decirlo de nuevo? | perdone, ¿qué ha dicho? | no he oído nada | ¿puedes repetir lo último? | ¿qué dijiste?
disculpe, no le he oído | ¿podrías repetirlo otra vez? | repita la última frase | ¿lo puede decir otra vez?
no te escuché | ¿perdón? ¿cómo dice? | ¿me lo repites? | ¿puede repetir lo que ha dicho?
"""
SLOWER_ES = """
más despacio | habla más despacio | habla más lento por favor | más despacio por favor | ¿puede hablar más despacio?
puedes hablar más lento | un poco más despacio | ¿podría hablar un poco más despacio, por favor? | hable más lento
despacio por favor | va demasiado rápido | habla muy rápido | hablas demasiado rápido | no tan rápido
no hables tan rápido | no vaya tan deprisa | ¿puede decirlo más despacio? | repítalo más despacio | dilo más lento
más lentamente por favor | ¿puedes ir más despacio? | demasiado rápido | está hablando muy rápido
eso es demasiado rápido | ¿me lo puede repetir más despacio? | tan rápido no | necesito que hable más despacio
mucho más lento | un poquito más lento por favor | repite eso más despacio
"""
MORE_ZH = """
再说说 | 再多讲一点 | 还有什么 | 多说点 | 继续说 | 请继续 | 讲详细一点 | 继续 | 还有呢 | 然后呢 | 能多说一些吗
请再详细介绍一下 | 我想了解更多 | 还有别的吗 | 可以说得具体一点吗 | 接着说 | 更多信息 | 还有吗
"""
REPEAT_ZH = """
请再说一遍 | 能再说一遍吗 | 可以重复一下吗 | 没听清 | 再说一下 | 什么 | 你说什么 | 重复一遍 | 再说一次好吗
不好意思，我没听清楚 | 我没听见 | 麻烦你再说一遍 | 你刚才说什么 | 请重复一遍 | 听不清 | 您能再讲一遍吗 | 再来一遍
可不可以再说一次
"""
SLOWER_ZH = """
请说慢一点 | 说慢点 | 慢点 | 慢一点好吗 | 能说慢一点吗 | 请慢一点 | 太快了 | 你说得太快了 | 可以说慢一些吗
请慢慢说 | 再慢一点 | 别说那么快 | 能不能讲慢点 | 语速太快了 | 说话慢一点 | 有点快 | 请放慢语速 | 您可以慢点说吗
"""
WORDINGS = {
    FollowUp.MORE: (MORE_EN, MORE_ES, MORE_ZH),
    FollowUp.REPEAT: (REPEAT_EN, REPEAT_ES, REPEAT_ZH),
    FollowUp.SLOWER: (SLOWER_EN, SLOWER_ES, SLOWER_ZH),
}
QUESTIONS = """
can you repeat the year at this school | slower internet | more parking | tell me more about parking
is the slow lane open | my computer is too slow | how can i repeat an exam | can i say no to the offer
more than twenty books | what is it again called | does the tram go on sundays | is there more parking at night
why is the internet slower at home | what did you say about the pool | can you tell me a joke
is there anything else to eat | what else do they sell | it is too fast for my camera
could you tell me about that building | is the fast train slower | can you read that file | go on a tour
continue my studies | i did not hear the alarm | a bit more sugar | no more | what is more important
más aparcamiento | repetir curso | ¿puedo repetir el examen? | ¿hay más aparcamiento? | internet más lento
¿cuánto más cuesta? | ¿cómo llego? | el tren más rápido | ¿qué más venden? | un poco más de azúcar
¿cuál es el más lento? | ¿puede hablar español? | no he oído la alarma | ¿por qué va tan lento internet?
cuéntame un chiste | ¿qué ha dicho el médico? | otra vez no funciona | quiero saber más sobre el museo | no más
la leche más lenta | 网速太慢了 | 更多停车位 | 图书馆还有什么书 | 怎么重复考试 | 什么时候开门 | 电脑很慢 | 再见
你说中文吗 | 慢车几点开 | 还有票吗 | 多少钱 | 继续教育在哪里 | 快餐在哪里 | 没听说过 | 讲座几点开始
请问说明书在哪里 | 详细地址是什么
"""


def table(rows: str) -> list[str]:
    return [words.strip() for row in rows.strip().splitlines() for words in row.split("|")]


@pytest.mark.parametrize(
    ("text", "wish"),
    [(text, wish) for wish, languages in WORDINGS.items() for rows in languages for text in table(rows)],
)
def test_ordinary_wordings_are_known(text: str, wish: FollowUp) -> None:
    assert follow_up(text) is wish


@pytest.mark.parametrize("text", table(QUESTIONS))
def test_questions_that_are_worded_alike_stay_questions(text: str) -> None:
    assert follow_up(text) is None
