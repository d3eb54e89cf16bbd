"""Parts of bones: names of many makers, names that depend on others, places, and contradictions."""

import numpy as np
import pytest

from diffusionnet_blender.tasks.models import FROM_RIG, card_of
from diffusionnet_blender.tasks.skeleton import (
    UNKNOWN,
    Skeleton,
    parts_of_bones,
    probabilities_by_weights,
)
from diffusionnet_blender.tasks.skeleton.names import reading_of

CLASSES = card_of(FROM_RIG, (), "segment").class_names

# Bones of a person standing along +z and facing -y: name, name of the one above, head, tail.
LIMBS = (
    ("upper_arm", "chest", (0.18, 0, 1.4), (0.45, 0.02, 1.4)),
    ("forearm", "upper_arm", (0.45, 0.02, 1.4), (0.7, 0, 1.4)),
    ("hand", "forearm", (0.7, 0, 1.4), (0.88, 0, 1.4)),
    ("thigh", "hips", (0.1, 0, 0.9), (0.1, -0.02, 0.5)),
    ("shin", "thigh", (0.1, -0.02, 0.5), (0.1, 0, 0.1)),
    ("foot", "shin", (0.1, 0, 0.1), (0.1, -0.15, 0.02)),
    ("toe", "foot", (0.1, -0.15, 0.02), (0.1, -0.22, 0.02)),
)
MIDDLE = (
    ("hips", None, (0, 0, 0.95), (0, 0, 1.1)),
    ("spine", "hips", (0, 0, 1.1), (0, 0, 1.25)),
    ("chest", "spine", (0, 0, 1.25), (0, 0, 1.42)),
    ("neck", "chest", (0, 0, 1.45), (0, 0, 1.55)),
    ("head", "neck", (0, 0, 1.55), (0, 0, 1.8)),
)
PARTS = {
    "hips": "torso", "spine": "torso", "chest": "torso", "neck": "head", "head": "head",
    "clavicle": "torso", "toe": "foot",
}  # fmt: skip


def person(names=None, extra=()):
    """Skeleton of a person, and the part of each bone.

    `names` has a name for the bones of "L" and "R", by what they are; None leaves a bone out.
    `extra` are further bones: name, what is above, head, tail.
    """
    clavicle = ("clavicle", "chest", (0.02, 0, 1.42), (0.17, 0, 1.4))
    above = {"upper_arm": "clavicle"}
    bones, parts = [], []
    for what, parent, head, tail in MIDDLE:
        bones.append((what, "", parent and (parent, ""), head, tail))
    for side, sign in (("L", 1), ("R", -1)):
        for what, parent, *ends in (clavicle, *LIMBS):
            parent = above.get(what, parent)
            paired = parent not in ("chest", "hips")
            head, tail = (np.array(end) * (sign, 1, 1) for end in ends)
            bones.append((what, side, (parent, side if paired else ""), head, tail))
    number = {(what, side): index for index, (what, side, *_) in enumerate(bones)}
    found = []
    for what, side, parent, head, tail in bones:
        part = PARTS.get(what, what)
        parts.append(part if part in ("head", "torso") else f"{part}.{side}")
        name = names(what, side) if names else f"{what}.{side}".rstrip(".")
        found.append((name, number[parent] if parent else -1, head, tail))
    for name, parent, head, tail in extra:
        found.append((name, number[parent] if parent else -1, head, tail))
    skeleton = Skeleton(
        tuple(bone[0] for bone in found),
        np.array([bone[1] for bone in found]),
        np.array([bone[2] for bone in found], float),
        np.array([bone[3] for bone in found], float),
        np.ones(len(found), bool),
    )
    return skeleton, parts


def named(skeleton):
    return [CLASSES[part] if part != UNKNOWN else "" for part in parts_of_bones(skeleton, CLASSES)]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        # Mixamo, with and without its namespace, and as engines rename it
        ("mixamorig:LeftUpLeg", "thigh.L"), ("mixamorig:RightForeArm", "forearm.R"),
        ("mixamorig7:LeftHandIndex1", "hand.L"), ("mixamorig:Spine1", "spine"),
        ("mixamorigRightToeBase", "foot.R"), ("LeftToe_End_end", "foot.L"),
        ("mixamorig:HeadTop_End", "head"), ("lefthandthumb2", "hand.L"), ("LEFTUPLEG", "thigh.L"),
        ("mixamorig:LeftArm_014", "arm.L"), ("Armature|mixamorig:Hips", "torso"),
        # Rigify
        ("DEF-upper_arm.L.001", "upper_arm.L"), ("DEF-f_index.01.L", "hand.L"),
        ("ORG-shin.R", "shin.R"), ("MCH-foot_ik.parent.L", "foot.L"), ("DEF-toe.R", "foot.R"),
        ("DEF-lid.T.L.002", "head"), ("DEF-teeth.B", "head"), ("DEF-pelvis.R", "torso"),
        ("DEF-breast.L", "torso"), ("palm.03.R", "hand.R"), ("thigh_ik_target.L", ""),
        # MakeHuman, MPFB, CMU
        ("upperleg01.L", "thigh.L"), ("lowerarm02.R", "forearm.R"), ("wrist.L", "hand.L"),
        ("metacarpal3.R", "hand.R"), ("finger4-2.L", "hand.L"), ("toe5-3.R", "foot.R"),
        ("spine05", "spine"), ("oculi01.L", "head"), ("orbicularis03.R", "head"),
        ("tongue05.L", "head"), ("LHipJoint", "hip.L"), ("LThumb", "hand.L"),
        ("LeftFingerBase", "hand.L"), ("LowerBack", "torso"), ("Neck1", "head"),
        # Unreal
        ("upperarm_twist_01_l", "upper_arm.L"), ("calf_r", "shin.R"), ("ball_l", "foot.L"),
        ("clavicle_l", "collar.L"), ("pelvis", "torso"), ("spine_03", "spine"),
        ("calf_kneeBack_l", "shin.L"), ("index_metacarpal_01_r", "hand.R"), ("neck_01", "head"),
        ("spine_04_latissimus_l", "torso"), ("lowerarm_correctiveRoot_r", "forearm.R"),
        # Unity, VRM, VRoid
        ("LeftUpperLeg", "thigh.L"), ("Left Index Proximal", "hand.L"), ("UpperChest", "torso"),
        ("J_Bip_L_UpperArm", "upper_arm.L"), ("J_Bip_C_Hips", "torso"),
        ("J_Sec_Hair1_01", "head"), ("J_Sec_R_Bust1", "torso"), ("J_Adj_L_FaceEye", "head"),
        ("leftThumbMetacarpal", "hand.L"), ("J_Bip_R_ToeBase", "foot.R"),
        # Character Creator
        ("CC_Base_L_Thigh", "thigh.L"), ("CC_Base_R_UpperarmTwist01", "upper_arm.R"),
        ("CC_Base_L_MidToe1", "foot.L"), ("CC_Base_L_Mid1", "hand.L"), ("CC_Base_Waist", "torso"),
        ("CC_Base_L_RibsTwist", "torso"), ("CC_Base_FacialBone", "head"),
        ("CC_Base_L_ElbowShareBone", ""), ("CC_Base_NeckTwist02", "head"),
        # Daz, Poser
        ("lThighBend", "thigh.L"), ("rForearmTwist", "forearm.R"), ("lShin", "shin.L"),
        ("rMetatarsals", "foot.R"), ("lSmallToe2", "foot.L"), ("lCarpal1", "hand.L"),
        ("abdomenLower", "torso"), ("chestUpper", "torso"), ("neckLower", "head"),
        ("lEyelidUpperInner", "head"), ("rPectoral", "torso"), ("lCollar", "collar.L"),
        ("lShldrBend", "shoulder.L"), ("l_upperarmtwist2", "upper_arm.L"), ("rBigToe", "foot.R"),
        # 3ds Max, Source
        ("Bip01 L Thigh", "thigh.L"), ("Bip001 R Forearm", "forearm.R"), ("Bip01 Pelvis", "torso"),
        ("Bip001 LUpArmTwist", "upper_arm.L"), ("Bip001 L ForeTwist", "forearm.L"),
        ("Bip01 R Finger0Nub", "hand.R"), ("Bip01 Ponytail1", "head"), ("Bip001 L Toe0", "foot.L"),
        ("ValveBiped.Bip01_L_UpperArm", "upper_arm.L"), ("ValveBiped.Bip01_R_Ulna", "forearm.R"),
        ("ValveBiped.Bip01_Head1", "head"), ("bip_lowerArm_R", "forearm.R"),
        # KayKit, Quaternius, Auto-Rig Pro, Advanced Skeleton, Maya
        ("lowerleg.r", "shin.R"), ("handslot.l", "hand.L"), ("kneeIK.l", ""), ("Palm2.L", "hand.L"),
        ("MiddleHand.R", "hand.R"), ("Foot.L_end", "foot.L"), ("PoleTarget.R", ""),
        ("L.DownLeg", "shin.L"), ("Abdomen", "torso"), ("Body", "torso"), ("Fist1.R", "hand.R"),
        ("thigh_stretch.l", "thigh.L"), ("forearm_twist.r", "forearm.R"), ("spine_01.x", "spine"),
        ("ShoulderPart1_R", "shoulder.R"), ("Toes_L", "foot.L"), ("Lf_Knee_JNT", "shin.L"),
        # MikuMikuDance
        ("左ひじ", "forearm.L"), ("右手首", "hand.R"), ("左足首", "foot.L"), ("頭", "head"),
        ("上半身2", "torso"), ("ひざ.R", "shin.R"), ("左人指1", "hand.L"), ("左ひざＩＫ", ""),
        # plain English
        ("upper arm left", "upper_arm.L"), ("arm_lower-r", "forearm.R"), ("rightFoot", "foot.R"),
        ("leg upper.R", "thigh.R"), ("lfoot", "foot.L"), ("handR", "hand.R"),
        ("lSide_Hand", "hand.L"),
        ("Character_L_Hand_Weapon", "hand.L"), ("EyeBall_L", "head"), ("EarRing.R", "head"),
        # words that only look like parts
        ("Armature_rootJoint", "root"), ("armor", ""), ("Handle", ""), ("Bone.001", ""),
        ("charm", ""), ("spring", ""), ("rear", ""), ("BackPack", "torso"), ("middle", ""),
        ("Tail01", ""), ("Wing.L", ""), ("hind_leg.L", ""), ("FootBall", "foot"), ("hand", "hand"),
        ("L_R_Arm", "arm"), ("hand_foot.L", ""),
    ],
)  # fmt: skip
def test_names_of_all_makers_are_read(name, part):
    read = reading_of(name)
    side = read.side if read.part and part not in ("head", "torso", "spine", "root") else ""
    assert f"{read.part}.{side}".rstrip(".") == part


WORDS = {
    "Mixamo": dict(
        hips="Hips", spine="Spine", chest="Spine1", neck="Neck", head="Head", clavicle="Shoulder",
        upper_arm="Arm", forearm="ForeArm", hand="Hand", thigh="UpLeg", shin="Leg", foot="Foot",
        toe="ToeBase",
    ),
    "Poser": dict(
        hips="hip", spine="abdomen", chest="chest", neck="neck", head="head", clavicle="Collar",
        upper_arm="Shldr", forearm="ForeArm", hand="Hand", thigh="Thigh", shin="Shin", foot="Foot",
        toe="Toe",
    ),
    "joints": dict(
        hips="Pelvis", spine="Spine1", chest="Spine2", neck="Neck", head="Head", clavicle="Collar",
        upper_arm="Shoulder", forearm="Elbow", hand="Wrist", thigh="Hip", shin="Knee", foot="Ankle",
        toe="Foot",
    ),
    "Rigify's spine": dict(
        hips="spine", spine="spine.001", chest="spine.002", neck="spine.003", head="spine.004",
        clavicle="shoulder", upper_arm="upper_arm", forearm="forearm", hand="hand", thigh="thigh",
        shin="shin", foot="foot", toe="toe",
    ),
    "Auto-Rig Pro": dict(
        hips="root.x", spine="spine_01.x", chest="spine_02.x", neck="neck.x", head="head.x",
        clavicle="shoulder", upper_arm="arm_stretch", forearm="forearm_stretch", hand="hand",
        thigh="thigh_stretch", shin="leg_stretch", foot="foot", toe="toes_01",
    ),
    "MikuMikuDance": dict(
        hips="下半身", spine="上半身", chest="上半身2", neck="首", head="頭", clavicle="肩",
        upper_arm="腕", forearm="ひじ", hand="手首", thigh="足", shin="ひざ", foot="足首",
        toe="つま先",
    ),
    "numbered": dict(
        hips="hips", spine="spine", chest="chest", neck="neck", head="head", clavicle="clavicle",
        upper_arm="arm", forearm="arm.001", hand="hand", thigh="leg1", shin="leg2", foot="foot",
        toe="toe",
    ),
}  # fmt: skip
SIDES = {"L": "Left", "R": "Right"}
SPELLINGS = {
    ".L": lambda word, side: f"{word}.{side}" if side else word,
    "Left": lambda word, side: f"{SIDES[side]}{word[:1].upper()}{word[1:]}" if side else word,
    "l": lambda word, side: side.lower() + word[:1].upper() + word[1:] if side else word,
    "_l_": lambda word, side: f"rig_{side.lower()}_{word}" if side else f"rig_{word}",
    "L ": lambda word, side: f"Bip01 {side} {word}" if side else f"Bip01 {word}",
    "-l": lambda word, side: f"{word}-{side.lower()}" if side else word,
    "no side": lambda word, side: f"{word}.{'001' if side == 'R' else '002'}" if side else word,
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("words", WORDS)
def test_a_whole_skeleton_is_known_in_any_words_and_spelling(words, spelling):
    if (words, spelling) == ("MikuMikuDance", "l"):
        pytest.skip("a small letter before a Japanese word is nobody's spelling")
    skeleton, parts = person(lambda what, side: SPELLINGS[spelling](WORDS[words][what], side))
    assert named(skeleton) == parts


def nothing(what, side):
    return f"Bone.{abs(hash((what, side))) % 1000:03}"


def turned(skeleton, degrees):
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    heads, tails = skeleton.heads @ turn.T + 5, skeleton.tails @ turn.T + 5
    return Skeleton(skeleton.names, skeleton.parents, heads, tails, skeleton.deforms)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_without_names_the_place_tells_and_the_feet_the_sides(degrees):
    skeleton, parts = person(nothing)
    assert named(turned(skeleton, degrees)) == parts


def test_without_names_and_feet_no_limb_has_a_side():
    skeleton, parts = person(nothing)
    kept = [number for number, part in enumerate(parts) if not part.startswith("foot")]
    place = {old: new for new, old in enumerate(kept)}
    tails = skeleton.tails[kept]
    footless = Skeleton(
        tuple(skeleton.names[n] for n in kept),
        np.array([place.get(int(skeleton.parents[n]), -1) for n in kept]),
        skeleton.heads[kept],
        tails,
        np.ones(len(kept), bool),
    )
    found = named(footless)
    assert set(found) <= {"", "head", "torso"}


@pytest.mark.parametrize("what", ["upper_arm", "thigh"])
def test_a_second_pair_of_limbs_without_names_leaves_all_limbs_open(what):
    """Wings beside arms, hind legs beside front legs."""
    skeleton, parts = person(nothing)
    second = [n for n, part in enumerate(parts) if part.partition(".")[0] in _below(what)]
    start = len(parts)
    place = {old: start + new for new, old in enumerate(second)}
    shift = np.array([0, 0.3, -0.05])
    double = Skeleton(
        (*skeleton.names, *(f"{skeleton.names[n]}.x" for n in second)),
        np.array([*skeleton.parents, *(place.get(int(p), p) for p in skeleton.parents[second])]),
        np.vstack([skeleton.heads, skeleton.heads[second] + shift]),
        np.vstack([skeleton.tails, skeleton.tails[second] + shift]),
        np.ones(start + len(second), bool),
    )
    found = named(double)
    assert not {part for part in found if part.partition(".")[0] in _below(what)}


def _below(what):
    return {"upper_arm": ("upper_arm", "forearm", "hand"), "thigh": ("thigh", "shin", "foot")}[what]


@pytest.mark.parametrize(
    ("above", "part"),
    [
        (("head", ""), "head"), (("hand", "R"), "hand.R"), (("toe", "L"), "foot.L"),
        (("chest", ""), "torso"), (("forearm", "L"), "forearm.L"),
    ],
)  # fmt: skip
def test_what_has_no_name_of_its_own_moves_with_the_bone_above(above, part):
    extra = [("Bone.077", above, (0.1, 0.2, 1.0), (0.1, 0.2, 0.9))]
    assert named(person(extra=extra)[0])[-1] == part


@pytest.mark.parametrize("name", ["pole", "elbow_ik.L", "ik_target.R", "PoleTarget.L", "root"])
def test_steering_bones_move_no_part(name):
    extra = [(name, None, (0.4, 0.6, 0.0), (0.4, 0.8, 0.0))]
    skeleton, parts = person(extra=extra)
    assert named(skeleton) == [*parts, ""]


def test_where_the_place_contradicts_a_named_side_the_place_tells():
    swapped = {("forearm", "L"): "forearm.R"}
    skeleton, parts = person(lambda what, side: swapped.get((what, side), f"{what}.{side}"))
    assert skeleton.names.count("forearm.R") == 2
    assert named(skeleton) == parts


def test_one_bone_for_a_whole_limb_is_no_part():
    """An arm that is one bone covers three parts."""
    heads = np.array([[0, 0, 1.0], [0, 0, 1.5], [0.2, 0, 1.4], [-0.2, 0, 1.4]])
    skeleton = Skeleton(
        ("body", "head", "arm.L", "arm.R"),
        np.array([-1, 0, 0, 0]),
        heads,
        heads + (0, 0, 0.2),
        np.ones(4, bool),
    )
    assert named(skeleton) == ["torso", "head", "", ""]


@pytest.mark.parametrize(
    ("weights", "row"),
    [
        ([1, 0, 0], [1, 0]), ([0.5, 0.5, 0], [0.5, 0.5]), ([0.2, 0.4, 0.2], [1 / 3, 2 / 3]),
        ([0.2, 0, 0.7], [0, 0]), ([0, 0, 1], [0, 0]), ([0, 0, 0], [0, 0]),
    ],
)  # fmt: skip
def test_parts_have_their_shares_of_the_weight_unless_most_is_on_unknown_bones(weights, row):
    found = probabilities_by_weights(np.array([weights], float), np.array([0, 1, UNKNOWN]), 2)
    np.testing.assert_allclose(found, [row], atol=1e-6)
