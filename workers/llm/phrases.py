"""What the brain says of its own: asking back, not knowing, going on, apologies. Per language; others get English."""

from __future__ import annotations

from collections.abc import Mapping

from broker.languages import primary

PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "empty": "Sorry, I did not catch that. Could you say it again?",
        "ask_back_one": "I am not sure that I know just that. What I can tell you about is this: {first}. Shall I?",
        "ask_back_two": "I am not quite sure what you mean. Is it one of these: {first}, or {second}?",
        "unknown": "I am sorry, I do not know that. Please ask me in other words, or something else.",
        "unknown_again": "That is not in what I was given to know, I am afraid.",
        "unknown_of": "I am sorry, that is not in what I know about this: {first}.",
        "declined": "All right. Then please ask me in other words.",
        "slower": "Sure, I will speak more slowly.",
        "faster": "Sure, I will speak a little faster.",
        "normal": "All right, back to my usual pace.",
        "nothing_said": "I have not said anything yet. What would you like to know?",
        "nothing_more": "I have nothing to add to that. What would you like to know?",
        "no_more": "That is all I know about this.",
        "acknowledged": "What else would you like to know?",
        "wait": "All right. I am here when you want to go on.",
        "attention": "Yes, I am listening. Go ahead.",
        "loudness": "How loud I am is set on your own device, I am afraid.",
        "nothing_else": "All right. Just ask when something comes to mind.",
        "related": "That is all I know about this, but there is something related: {first}.",
        "meant": "I was talking about this: {first}.",
        "welcome": "Gladly. What else would you like to know?",
        "busy": "I am sorry, my brain is busy at the moment. Please ask me again in a little while.",
        "broken": "I am sorry, something went wrong while I was thinking. Please ask me again.",
        "cut": "I am sorry, I lost my thread there. Please ask me again.",
        "timeout": "I am sorry, thinking takes me too long just now. Please ask me again.",
        "unreachable": "I am sorry, I cannot reach my brain at the moment. Please try again later.",
        "refused": "I am sorry, my brain does not let me in. Somebody has to check its settings.",
    },
    "es": {
        "empty": "Perdón, no le he entendido. ¿Puede repetirlo?",
        "ask_back_one": "No estoy seguro de saber justo eso. Lo que sí puedo contarle es esto: {first}. ¿Se lo cuento?",
        "ask_back_two": "No estoy seguro de entenderle. ¿Es una de estas cosas: {first}, o {second}?",
        "unknown": "Lo siento, eso no lo sé. Pregúntemelo con otras palabras, o pregunte otra cosa.",
        "unknown_again": "Me temo que eso no está entre lo que sé.",
        "unknown_of": "Lo siento, eso no está en lo que sé de esto: {first}.",
        "declined": "De acuerdo. Entonces pregúntemelo con otras palabras, por favor.",
        "slower": "Claro, hablaré más despacio.",
        "faster": "Claro, hablaré un poco más rápido.",
        "normal": "De acuerdo, vuelvo a mi ritmo normal.",
        "nothing_said": "Todavía no he dicho nada. ¿Qué le gustaría saber?",
        "nothing_more": "No tengo nada que añadir. ¿Qué le gustaría saber?",
        "no_more": "Eso es todo lo que sé de este tema.",
        "acknowledged": "¿Qué más le gustaría saber?",
        "wait": "De acuerdo. Aquí estoy cuando quiera seguir.",
        "attention": "Sí, le escucho. Dígame.",
        "loudness": "El volumen se ajusta en su propio dispositivo.",
        "nothing_else": "De acuerdo. Pregúnteme cuando quiera.",
        "related": "Eso es todo lo que sé de este tema, pero hay algo relacionado: {first}.",
        "meant": "Hablaba de esto: {first}.",
        "welcome": "Con mucho gusto. ¿Qué más le gustaría saber?",
        "busy": "Lo siento, en este momento estoy muy ocupado. Pregúnteme otra vez dentro de un rato.",
        "broken": "Lo siento, algo ha salido mal mientras pensaba. Pregúnteme otra vez, por favor.",
        "cut": "Lo siento, he perdido el hilo. Pregúnteme otra vez, por favor.",
        "timeout": "Lo siento, ahora mismo tardo demasiado en pensar. Pregúnteme otra vez, por favor.",
        "unreachable": "Lo siento, en este momento no puedo pensar. Inténtelo más tarde, por favor.",
        "refused": "Lo siento, no tengo acceso a mi cerebro. Alguien tiene que revisar la configuración.",
    },
    "zh": {
        "empty": "不好意思，我没听清，请再说一遍。",
        "ask_back_one": "这一点我不确定知不知道。我能告诉您的是：{first}。要我说说吗？",
        "ask_back_two": "我不太确定您的意思。您是想问{first}，还是{second}？",
        "unknown": "抱歉，这个我不知道。请换个说法，或者问点别的。",
        "unknown_again": "抱歉，我的资料里没有这个内容。",
        "unknown_of": "抱歉，关于{first}，我不知道这一点。",
        "declined": "好的，那请您换个说法再问一次。",
        "slower": "好的，我说慢一点。",
        "faster": "好的，我说快一点。",
        "normal": "好的，恢复正常语速。",
        "nothing_said": "我还没有说什么呢。您想了解什么？",
        "nothing_more": "这个我没有更多要说的。您想了解什么？",
        "no_more": "关于这个，我知道的就这些。",
        "acknowledged": "您还想了解什么？",
        "wait": "好的，您想继续的时候我都在。",
        "attention": "我在听，请说。",
        "loudness": "音量请在您的设备上调节。",
        "nothing_else": "好的，想到什么就问我。",
        "related": "关于这个我知道的就这些，不过还有相关的内容：{first}。",
        "meant": "我刚才说的是：{first}。",
        "welcome": "好的，您还想了解什么？",
        "busy": "抱歉，我现在有点忙，请稍后再问我。",
        "broken": "抱歉，我思考的时候出了点问题，请再问我一次。",
        "cut": "抱歉，我的思路断了，请再问我一次。",
        "timeout": "抱歉，我想得太久了，请再问我一次。",
        "unreachable": "抱歉，我现在无法思考，请稍后再试。",
        "refused": "抱歉，我无法使用我的大脑，需要有人检查一下设置。",
    },
}


def phrase(name: str, language: str, **inserts: str) -> tuple[str, str]:
    """The phrase with its inserts, and the language it is in: English where there are no words for `language`."""
    words = PHRASES.get(primary(language))
    words, spoken = (words, language) if words else (PHRASES["en"], "en")
    return words[name].format(**inserts), spoken


def begins_with(name: str, text: str) -> bool:
    """Whether a line of the dialogue is the phrase `name` in some language (its inserts aside)."""
    return any(text.startswith(phrases[name].split("{")[0]) for phrases in PHRASES.values())


def asks_back(text: str) -> bool:
    """Whether a line of the dialogue asks back, also when only its first sentence was heard."""
    questions = (phrases[name] for phrases in PHRASES.values() for name in ("ask_back_one", "ask_back_two"))
    return any(question.split("{")[0].split(". ")[0] in text for question in questions)
