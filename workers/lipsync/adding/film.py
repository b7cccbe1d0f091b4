"""A film of a face to the files of a moving avatar. It is read twice – where the face is, then the pictures – so that
its length costs no memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from workers.lipsync.adding.confined import Job
from workers.lipsync.adding.findings import Finding, Report
from workers.lipsync.adding.quality import eye_openness, face_height, judge
from workers.lipsync.adding.still import UNSEEN, smaller, write_portrait, write_preview
from workers.lipsync.clip import CLIP, CLIP_FPS, MOST_PICTURES, ClipWriter, write_points
from workers.lipsync.errors import AvatarError
from workers.lipsync.framing import MIN_FACE_HEIGHT, cut_face, frame_face, square_of
from workers.lipsync.landmark_finder import FoundFace, LandmarkFinder
from workers.lipsync.landmarks import (
    LEFT_CHEEK,
    LEFT_CORNER,
    LOWER_LIP_MIDDLE,
    MESH_POINTS,
    NOSE_TIP,
    RIGHT_CHEEK,
    RIGHT_CORNER,
    UPPER_LIP_MIDDLE,
)

LARGEST_FILE = 300 * 1024 * 1024
LONGEST_SIDE_PX = 4096
SEARCHED_PX = 1280
"""Longest side of the pictures that are worked with; the finished ones have 512."""
FEWEST_PICTURES = CLIP_FPS
CLOSED = 0.06
"""Between the lips, in mouth widths, up to which a mouth is closed."""
WANDERS = 0.5
"""The head may move this much of its own height."""
JUMPS = 0.25
"""From one picture to the next, in head heights: a cut, or somebody else."""
MOST_LOST = 0.2
"""Share of pictures in which the face may be missing; there it is taken from the one before."""


@dataclass
class _Followed:
    """`faces`: one for each picture. `best`: the picture to draw the mouth on."""

    faces: list[FoundFace]
    lost: int
    best: int
    still: np.ndarray


AS_FILMED = "A film keeps its own looks, nods and background: moods and acts do not show. A photograph shows them."


def add_film(job: Job, source: Path, folder: Path) -> Report:
    """The report, and the avatar's files in `folder`. Raises AvatarError for what is no usable film."""
    followed = _follow(source, LandmarkFinder(Path(job.weights)))
    face, still = followed.faces[followed.best], followed.still
    try:
        frame_face(still, face, source.name)
    except AvatarError as error:
        return Report(kind="clip", findings=(Finding(level="refusal", code=error.code, text=str(error)),))
    closed = [lip_gap(each) < CLOSED for each in followed.faces]
    said = [*_judge(followed, closed), *(each for each in judge(still, face) if each.level != "good")]
    said.append(Finding(level="note", code="unseen", text=UNSEEN))
    said.append(Finding(level="note", code="film_moods", text=AS_FILMED))
    facts = {"pictures": len(closed), "fps": CLIP_FPS, "closed": sum(closed), "still": followed.best}
    report = Report(kind="clip", findings=tuple(said), facts=facts)
    if job.make and report.usable:
        _make(source, followed, closed, folder, job.portrait_px)
    return report


def pictures_of(path: Path) -> Iterator[np.ndarray]:
    """Pictures at exactly 25 a second, (height, width, 3) uint8 BGR, upright, at most `MOST_PICTURES`.

    Slower films repeat pictures, faster ones skip some. What is broken behind a second of film is left out.
    Raises AvatarError for a file without pictures, too large, or broken from the start.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise AvatarError("too_big", f"{path.name} is larger than 300 MB; cut it to ten seconds.")
    shown = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video and container.streams.audio:
                text = f"{path.name} has sound but no pictures; give a film, a photograph or a 3D model."
                raise AvatarError("no_pictures", text)
            stream = container.streams.video[0]  # an IndexError where there is nothing at all
            width, height = stream.codec_context.width, stream.codec_context.height
            if max(width, height) > LONGEST_SIDE_PX:
                text = f"{path.name} has pictures of {width} × {height} pixels; 1920 × 1080 are plenty."
                raise AvatarError("too_big", text)
            stream.thread_type = "NONE"
            start_s: float | None = None
            for frame in container.decode(stream):
                at_s = float(frame.time) if frame.time is not None else shown / CLIP_FPS
                start_s = at_s if start_s is None else start_s
                if max(frame.width, frame.height) > LONGEST_SIDE_PX:
                    raise AvatarError("too_big", f"{path.name} changes to a size that is too large; export it again.")
                due = int((at_s - start_s) * CLIP_FPS + 0.5) + 1
                if due <= shown:
                    continue
                picture = smaller(_upright(frame), SEARCHED_PX)
                while shown < min(due, MOST_PICTURES):
                    shown += 1
                    yield picture
                if shown >= MOST_PICTURES:
                    return
    except (av.error.FFmpegError, ValueError, IndexError, OverflowError) as exc:
        if shown < FEWEST_PICTURES:
            text = f"{path.name} cannot be played, it is cut off or damaged; export it again as MP4 (H.264)."
            raise AvatarError("damaged", text) from exc


def lip_gap(found: FoundFace) -> float:
    """Between the lips, in mouth widths."""
    points = found.points[:, :2]
    wide = float(np.linalg.norm(points[RIGHT_CORNER] - points[LEFT_CORNER]))
    return float(np.linalg.norm(points[LOWER_LIP_MIDDLE] - points[UPPER_LIP_MIDDLE])) / max(wide, 1e-6)


def _upright(frame: av.VideoFrame) -> np.ndarray:
    pixels = frame.to_ndarray(format="bgr24")
    quarter_turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns)) if quarter_turns else pixels


def _follow(source: Path, finder: LandmarkFinder) -> _Followed:
    """The face through the film. Raises AvatarError when it is not one face that stays in the picture."""
    faces: list[FoundFace | None] = []
    best, still, worth = -1, None, -np.inf
    for number, picture in enumerate(pictures_of(source)):
        found = finder.find(picture)
        faces.append(found)
        if still is None and found is None and len(faces) >= FEWEST_PICTURES:
            break  # a second without anybody: there is no need to look at the rest
        if found is not None and (value := _worth(found)) > worth:
            best, still, worth = number, picture, value
    if not faces:
        raise AvatarError("no_pictures", f"{source.name} has no pictures in it; export it again as MP4 (H.264).")
    if len(faces) < FEWEST_PICTURES:
        text = f"{source.name} is only {len(faces) / CLIP_FPS:.1f} s long; use two to ten seconds, or a photograph."
        raise AvatarError("too_short", text)
    seen = [face for face in faces if face is not None]
    if still is None or len(seen) < (1 - MOST_LOST) * len(faces):
        text = f"A face was found in {len(seen)} of {len(faces)} pictures; use a film of one person who stays in view."
        raise AvatarError("no_face", text)
    whole: list[FoundFace] = []
    for face in faces:
        whole.append(face or (whole[-1] if whole else seen[0]))
    return _Followed(whole, len(faces) - len(seen), best, still)


def _worth(found: FoundFace) -> float:
    """How good a picture is to draw the mouth on: closed lips, open eyes, looking ahead."""
    points = found.points[:, :2]
    middle, across = (points[LEFT_CHEEK] + points[RIGHT_CHEEK]) / 2, points[RIGHT_CHEEK] - points[LEFT_CHEEK]
    turned = abs(float((points[NOSE_TIP] - middle) @ across)) / float(across @ across)
    return min(0.3, min(eye_openness(points))) - 2 * max(0.0, lip_gap(found) - 0.02) - turned


def _judge(followed: _Followed, closed: list[bool]) -> list[Finding]:
    """About the film as a whole."""
    said = []
    height = float(np.median([face_height(each) for each in followed.faces]))
    centres = np.array([each.points[:MESH_POINTS, :2].mean(0) for each in followed.faces]) / max(height, 1.0)
    if len(closed) > 1 and float(np.linalg.norm(np.diff(centres, axis=0), axis=1).max()) > JUMPS:
        text = "The face jumps from one picture to the next; use a film without cuts, of one person."
        said.append(Finding(level="refusal", code="jumps", text=text))
    elif float(np.ptp(centres, axis=0).max()) > WANDERS:
        text = "The head moves far through the picture; a film of somebody who sits still looks better."
        said.append(Finding(level="warning", code="wanders", text=text))
    if height < MIN_FACE_HEIGHT:
        return said  # framing has said so
    seconds = len(closed) / CLIP_FPS
    text = f"{seconds:.1f} s, converted to 25 pictures a second and played forwards and backwards."
    said.append(Finding(level="note", code="length", text=text))
    if len(closed) == MOST_PICTURES:
        text = f"Only the first {MOST_PICTURES // CLIP_FPS} s are used."
        said.append(Finding(level="note", code="cut", text=text))
    share = sum(closed) / len(closed)
    if share < 0.5:
        text = (
            f"The mouth is closed in {100 * share:.0f} % of the pictures only; a film of somebody who listens "
            "in silence works best."
        )
        said.append(Finding(level="warning", code="talks", text=text))
    else:
        said.append(Finding(level="good", code="closed", text=f"The mouth is closed in {100 * share:.0f} % of it."))
    if followed.lost:
        text = f"The face was lost in {followed.lost} of {len(closed)} pictures and guessed from those before."
        said.append(Finding(level="warning", code="lost", text=text))
    return said


def _make(source: Path, followed: _Followed, closed: list[bool], folder: Path, portrait_px: int) -> None:
    """One square for all pictures, so that the shoulders do not swim."""
    heights = [face_height(each) for each in followed.faces]
    centres = [each.points[:MESH_POINTS, :2].mean(0) for each in followed.faces]
    height, width = followed.still.shape[:2]
    square = square_of(width, height, float(np.median(heights)), np.median(centres, axis=0))
    still = cut_face(followed.still, followed.faces[followed.best].points, square)
    write_portrait(still, folder)
    writer = ClipWriter(folder / CLIP)
    points = []
    for picture, face in zip(pictures_of(source), followed.faces, strict=False):
        framed = cut_face(picture, face.points, square)
        writer.add(framed.pixels)
        points.append(framed.points[:, :2])
    writer.close()
    write_points(folder, np.array(points, np.float32), closed[: len(points)])
    write_preview(still, folder, portrait_px)
