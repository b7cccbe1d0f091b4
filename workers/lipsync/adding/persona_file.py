"""A persona for a new face, ready to talk and short enough to be read before it is changed."""

from __future__ import annotations

from pathlib import Path

from workers.lipsync.adding.manifest import toml_text

TEXT = """\
# {title}: who answers with the face static/avatars/{name}/. Change what you like; the next call has it.
# What each key means: etc/visavis.toml for the installation, README.md "Changing who answers" for personas.

name = {quoted}
description = {description}
languages = ["en"]
greeting = {greeting}
suggestions = ["What is your name?", "What can you do?"]

[face]
{face}

[voices.en]
engine = "auto"
voice = "{voice}"      # slt, rms, awb, kal16; espeak: en-us, f3 …
rate = 1.0

[brain]
engine = "auto"    # a language model once `url` is set, else answers from the documents
url = ""           # any OpenAI-compatible server, such as "http://127.0.0.1:11434/v1"
model = ""
prompt = {prompt}

[knowledge]
folder = ""        # a folder beside this file with .md .txt .html .pdf .docx: what {title} knows

[asr]
words = [{words}]   # names that the ear should know

[[small_talk]]
say = ["hello", "hi", "hey", "good morning", "good afternoon", "good evening"]
reply = ["Hello! Nice to see you.", "Hi there!"]

[[small_talk]]
say = ["what is your name", "who are you", "what are you called"]
reply = [{called}]

[[small_talk]]
say = ["what can you do", "how can you help me", "what do you know", "help"]
reply = ["So far I can say hello. Give me documents or a language model, and I can answer your questions."]

[[small_talk]]
say = ["thank you", "thanks", "thank you very much"]
reply = ["You are welcome!"]

[[small_talk]]
say = ["goodbye", "bye", "see you", "see you later"]
reply = ["Goodbye! It was nice talking to you."]
"""


def persona_text(name: str, title: str, portrait: str, model: str = "", voice: str = "slt") -> str:
    """The file's text. `model`: the folder of a 3D head, shown first; `portrait`: the picture's."""
    face = [f'portrait = "{portrait}"']
    if model:
        face += ['front = "avatar3d"   # begin with the 3D head; "portrait" begins with the picture']
        face += [f'model = "{model}"'] if model != portrait else []
    heard = toml_text(title.partition(":")[0].strip())  # after a colon stands how a word sounds
    return TEXT.format(
        name=name,
        title="".join(character for character in title if character.isprintable()),
        quoted=toml_text(title),
        words=heard if heard != '""' else "",
        description=toml_text(f"{title}, a new face."),
        greeting=toml_text(f"Hello, I am {title}. What would you like to talk about?"),
        prompt=toml_text(f"You are {title}. Answer in two short sentences."),
        called=toml_text(f"My name is {title}."),
        face="\n".join([*face, "motion = 1.0"]),
        voice=voice,
    )


def write_persona(folder: Path, name: str, text: str) -> Path | None:
    """The new file, complete or not there; None where a persona of this name exists: it is somebody's work."""
    path = folder / f"{name}.toml"
    draft = folder / f".{name}.toml.part"
    draft.write_text(text, encoding="utf-8")
    try:
        path.hardlink_to(draft)  # unlike a rename it never takes another file's place
    except FileExistsError:
        return None
    finally:
        draft.unlink()
    return path
