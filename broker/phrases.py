"""What the avatar says of its own accord, per language: "one moment", apologies. Not what an engine answers."""

from __future__ import annotations

from broker.languages import primary

ONE_MOMENT = "one_moment"
NOT_CAUGHT = "not_caught"
FAILED = "failed"
ASKS = "asks"
"""Read out before a question from the audience; {name} and {text} are filled in."""

_PHRASES = {
    "en": {
        ASKS: "{name} asks: {text}",
        ONE_MOMENT: "One moment, please.",
        NOT_CAUGHT: "Sorry, I did not catch that.",
        FAILED: "I am sorry, I cannot answer that right now. Please ask me again.",
    },
    "es": {
        ASKS: "{name} pregunta: {text}",
        ONE_MOMENT: "Un momento, por favor.",
        NOT_CAUGHT: "Perdón, no le he entendido.",
        FAILED: "Lo siento, ahora mismo no puedo responder. Pregúntemelo otra vez, por favor.",
    },
    "zh": {
        ASKS: "{name}问：{text}",
        ONE_MOMENT: "请稍等。",
        NOT_CAUGHT: "不好意思，我没听清。",
        FAILED: "抱歉，我现在无法回答，请再问我一次。",
    },
    "de": {
        ASKS: "{name} fragt: {text}",
        ONE_MOMENT: "Einen Moment, bitte.",
        NOT_CAUGHT: "Entschuldigung, das habe ich nicht verstanden.",
        FAILED: "Es tut mir leid, das kann ich gerade nicht beantworten. Bitte fragen Sie mich noch einmal.",
    },
    "fr": {
        ASKS: "{name} demande : {text}",
        ONE_MOMENT: "Un instant, s'il vous plaît.",
        NOT_CAUGHT: "Pardon, je n'ai pas compris.",
        FAILED: "Je suis désolé, je ne peux pas répondre pour le moment. Reposez-moi la question, s'il vous plaît.",
    },
}


def phrase(name: str, language: str) -> tuple[str, str]:
    """The phrase `name` and the language it is in: `language` where there are words for it, else English."""
    words = _PHRASES.get(primary(language))
    return (words[name], language) if words else (_PHRASES["en"][name], "en")
