"""Parts of the body and their sides, from the names of bones.

A name is cut into words (`words_of`): at separators, at capitals, and where letters run on, by the
vocabulary (``lefthandindex1``, ``lThighBend``). Each word then means a part, a side, "upper" or
"lower", or nothing. So one vocabulary reads the names of all makers of rigs.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

# Of each part, words that mean it whatever the other words of the name are.
_STRONG = {
    "head": """head neck face facial skull cranium jaw chin eye eyes eyeball eyelid eyelids eyebrow
        eyebrows brow brows lid lids lash lashes ear ears nose nostril nostrils mouth lip lips teeth
        tooth tongue cheek cheeks hair hairs bangs fringe ponytail pigtail braid beard moustache
        mustache forehead temple oris oculi orbicularis levator temporalis risorius helmet hat
        headtop 頭 首 顔 目 両目 眼 髪 前髪 後髪 耳 舌 口 歯 顎 眉 まゆ""",
    "torso": """chest thorax torso abdomen belly stomach tummy waist hips pelvis rib ribs ribcage
        sternum breast breasts boob boobs bust pectoral pectoralis pec scapula trapezius lat latt
        latissimus butt buttock buttocks glute lumbar 上半身 下半身 腰 胸 腹""",
    "upper_arm": "bicep biceps tricep triceps humerus",
    "forearm": "forearm elbow ulna radius antebrachium ひじ 肘 手捩 手捩り 手ひねり",
    "hand": """hand hands wrist palm palms finger fingers thumb pinky pinkie metacarpal metacarpals
        carpal carpals fist knuckle knuckles 手首 手 指 親指 人指 人差指 中指 薬指 小指""",
    "thigh": "thigh thighs femur",
    "shin": "shin calf knee tibia kneecap ひざ 膝",
    "foot": """foot feet ankle toe toes heel metatarsal metatarsals instep hallux
        足首 足先 つま先 爪先 足指""",
    "collar": "clavicle clav collar collarbone",
    "shoulder": "shoulder shldr 肩",
    "hip": "hip",
    "arm": "arm 腕",
    "leg": "leg 足",
    "spine": "spine",
}
# Words that mean it where no other word does.
_WEAK = {
    "torso": "back body trunk upperbody lowerbody core",
    "forearm": "fore",
    "hand": "index middle mid ring little small",
    "foot": "ball",
    "root": "root center centre センター グルーブ",
}
_UPPER = "upper up uppr top"
_LOWER = "lower low lo lwr down dn bottom"
_FORE = "fore"
_LEFT = "l left lf lft 左"
_RIGHT = "r right rt rgt 右"
# Of the trunk.
_INNER = {"torso", "spine", "hip", "shoulder", "collar"}
# Bones that steer others from a distance.
_STEERING = "pole poles target targets pt aim lookat ポール"
# Bones at a joint that move what lies on both sides of it.
_BETWEEN = "helper share"
_INVERSE = "ik"
_STEERED_JOINTS = {"elbow", "knee", "ひじ", "肘", "ひざ", "膝"}
# They mean nothing here, and stand beside words that do without a gap.
_SILENT = """twist bend roll bone bones joint jnt jt part slot base end tip nub start
    stretch inner outer in out front rear side mixamorig bip biped valve def org mch ctrl control
    rig skin bind big proximal distal intermediate corrective aux adjust pad armor armour nail
    pack strap band guard plate piece line corner 先 捩 捩り ひねり 補助 キャンセル ex"""
# Limbs of animals: whatever the other words are, no part of a person.
_ANIMAL = "hind paw hoof tail wing fin tentacle rearleg frontleg"

_SPLIT = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z]+|[a-z]+|[A-Z]+|[^\W\d_a-zA-Z]+")
_CHUNK = re.compile(r"[a-zA-Z]+|[^\W\d_a-zA-Z]+")


@dataclass(frozen=True)
class Reading:
    """Meaning of a name.

    Attributes
    ----------
    part : str
        A part without its side, as the classes of the model are called; or a word that depends on
        the other bones ("shoulder", "collar", "hip", "arm", "leg", "spine", "root"); "" for none.
    side : str
        "L" or "R", the character's own; "" where the name has none, or both.
    moves_no_part : bool
        Whether the bone steers others from a distance, as a pole target does, or moves what lies
        on both sides of a joint.
    """

    part: str = ""
    side: str = ""
    moves_no_part: bool = False


def reading_of(name: str) -> Reading:
    """Read the name of a bone.

    Parameters
    ----------
    name : str
        As of any maker of rigs: "mixamorig:LeftForeArm", "DEF-upper_arm.L.001", "lThighBend".
    """
    words = words_of(name)
    said = set(words)
    left, right = said & _set(_LEFT), said & _set(_RIGHT)
    side = "" if bool(left) == bool(right) else "L" if left else "R"
    if said & (_set(_STEERING) | _set(_BETWEEN)) or (
        said & _set(_INVERSE) and said & _STEERED_JOINTS
    ):
        return Reading("", side, moves_no_part=True)
    return Reading("" if said & _set(_ANIMAL) else _part(words, side), side)


def words_of(name: str) -> list[str]:
    """Words of a name in small letters, without numbers and without its namespace."""
    text = re.split(r"[:|]", unicodedata.normalize("NFKC", name))[-1]
    found: list[str] = []
    for chunk in _CHUNK.findall(text):
        readings = [
            [_run_on(word.lower()) for word in _SPLIT.findall(chunk)],
            [_run_on(chunk.lower())],
        ]
        # Capitals mark words, unless the letters make more sense without them ("IKfoot").
        best = min(readings, key=lambda cuts: sum(len(c[0]) for c in cuts if not c[1]))
        found += [word for cut, _ in best for word in cut.split()]
    return found


@cache
def _run_on(text: str) -> tuple[str, bool]:
    """Words that letters without a gap are made of, joined by blanks, and whether all are known.

    Few long words are preferred. A single letter for the side may stand first or last, beside a
    part of the body.
    """
    vocabulary = _vocabulary()
    if text in vocabulary or len(text) < 2:
        return text, True
    best: list[list[str] | None] = [[], *([None] * len(text))]
    for end in range(1, len(text) + 1):
        for start in range(end):
            before, word = best[start], text[start:end]
            if before is None or word not in vocabulary:
                continue
            if _is_letter(word) and start > 0 and end < len(text):
                continue
            known = best[end]
            if known is None or len(before) + 1 < len(known):
                best[end] = [*before, word]
    words = best[-1]
    if not words or (any(map(_is_letter, words)) and not _parts_said().intersection(words)):
        return text, False
    return " ".join(words), True


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isascii()


def _part(words: list[str], side: str) -> str:
    """Part that words mean, without its side."""
    said = set(words)
    strong = {part for part, known in _STRONG.items() if said & _set(known)}
    if "hair" in said or "hairs" in said:
        return "head"
    if len(strong) > 1:
        # Inner words are only where a limb is attached ("HipThigh", "SpineNeck").
        strong = strong - _INNER or {"torso"}
    if len(strong) > 1:
        strong -= {"arm", "leg"}
    if len(strong) > 1:
        return ""
    if not strong:
        said_weakly = {part for part, known in _WEAK.items() if said & _set(known)}
        part = said_weakly.pop() if len(said_weakly) == 1 else ""
        # Without a side it is the middle of anything.
        return part if side or part in ("torso", "root") else ""
    (part,) = strong
    if _FORE in said:
        return {"arm": "forearm", "leg": ""}.get(part, part)
    upper, lower = said & _set(_UPPER), said & _set(_LOWER)
    if part not in ("arm", "leg") or bool(upper) == bool(lower):
        return part
    return {"arm": ("upper_arm", "forearm"), "leg": ("thigh", "shin")}[part][bool(lower)]


@cache
def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


@cache
def _parts_said() -> frozenset[str]:
    return _set(" ".join([*_STRONG.values(), *_WEAK.values()]))


@cache
def _vocabulary() -> frozenset[str]:
    others = (_UPPER, _LOWER, _FORE, _LEFT, _RIGHT, _STEERING, _BETWEEN, _INVERSE, _SILENT, _ANIMAL)
    return _parts_said() | _set(" ".join(others))
