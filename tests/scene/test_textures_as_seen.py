"""Whatever a material does with its colours, the target shows them: compared by Cycles' own bakes.

Source and target are the same body with the same faces, so that both can be baked into one layout
and compared texel by texel.
"""

import contextlib

import bpy
import numpy as np
import pytest

from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.matching.transfer.texture import rasterise, sample
from diffusionnet_blender.scene import bake_layout, texture_pixels, textures
from diffusionnet_blender.scene.compat import node_tree, uses_nodes
from diffusionnet_blender.scene.srgb import srgb_to_linear
from diffusionnet_blender.scene.textured_materials import new_tiled_image
from tests.operators.test_transfer import keep_true_match
from tests.scenes import add_body

pytestmark = pytest.mark.usefixtures("blender")

SIDE = 128


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Images of patterns are small here, so that a bake is quick."""
    for module in (bake_layout, texture_pixels):
        monkeypatch.setattr(module, "DEFAULT_SIDE", 256)


@pytest.fixture
def pair(blender):
    return make_pair()


def make_pair():
    """Two objects of one body, the second with another UV map, with their true match kept."""
    one, other = add_body("Source"), add_body("Target")
    unwrap(one, "UVMap", 0.0)
    unwrap(one, "UV2", 1.1)
    one.data.uv_layers["UVMap"].active_render = True
    unwrap(other, "Lay", 0.4)
    faces = np.array([polygon.vertices[:] for polygon in one.data.polygons])
    keep_true_match(one, other, points_at_vertices(np.arange(len(one.data.vertices)), faces))
    return one, other


def unwrap(obj, name, turn, scale=0.42):
    """Seen from above and below, in two islands, turned."""
    mesh = obj.data
    mesh.uv_layers.new(name=name)
    at = np.array([mesh.vertices[loop.vertex_index].co for loop in mesh.loops])
    at = (at / np.abs(at).max()).reshape(-1, 3, 3)
    above = np.array([polygon.normal.z for polygon in mesh.polygons]) > 0
    c, s = np.cos(turn), np.sin(turn)
    uv = at[..., :2] @ np.array([[c, s], [-s, c]]) * scale * 0.7 + 0.5
    uv = uv * [0.5, 1.0]
    uv[..., 0] += 0.5 * above[:, None]
    write_uv(mesh, name, uv)
    return uv


def write_uv(mesh, name, uv):
    flat = np.ascontiguousarray(uv, dtype=np.float32).ravel()
    mesh.attributes[name].data.foreach_set("vector", flat)


def read_uv(mesh, name):
    uv = np.empty(2 * len(mesh.loops), dtype=np.float32)
    mesh.attributes[name].data.foreach_get("vector", uv)
    return uv.reshape(-1, 3, 2).astype(float)


def add_image(name="Skin", kind="waves", size=96, space="sRGB", is_float=False):
    v, u = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size,
                       indexing="ij")  # fmt: skip
    pixels = np.ones((size, size, 4), dtype=np.float32)
    if kind == "waves":
        pixels[..., :3] = np.stack([0.2 + 0.6 * u, 0.5 + 0.3 * np.sin(9 * v), 0.8 - 0.6 * v], -1)
    elif kind == "other":
        pixels[..., :3] = np.stack([0.9 - 0.7 * v, 0.3 + 0.4 * u, 0.2 + 0.3 * np.cos(7 * u)], -1)
    elif kind == "bumps":
        slope = np.stack([0.5 * np.sin(20 * u), 0.4 * np.cos(15 * v)], -1)
        pixels[..., :2], pixels[..., 2] = 0.5 + 0.5 * slope, 0.95
    elif kind == "alpha":
        pixels[..., :3], pixels[..., 3] = np.stack([0.9 - 0.5 * v, u, v], -1), 0.25 + 0.7 * u
    image = bpy.data.images.new(name, size, size, alpha=True, float_buffer=is_float)
    image.colorspace_settings.name = space
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image


def add_tiles():
    """An image of two UDIM tiles."""
    colours = {1001: (0.8, 0.1, 0.1, 1), 1002: (0.1, 0.7, 0.2, 1)}
    tiles = {number: np.tile(np.float32(colour), (16, 16, 1)) for number, colour in colours.items()}
    return new_tiled_image("Tiles", tiles, textures.Storage("sRGB"))


def new(tree, kind, **settings):
    node = tree.nodes.new(kind)
    for name, value in settings.items():
        setattr(node, name, value)
    return node


def link(tree, source, socket):
    tree.links.new(source, socket)
    return socket.node.outputs[0]


def skin(tree, vector=None, kind="waves", name="Skin", **settings):
    space = settings.pop("space", "sRGB")
    is_float = settings.pop("is_float", False)
    image = bpy.data.images.get(name) or add_image(name, kind, space=space, is_float=is_float)
    node = new(tree, "ShaderNodeTexImage", image=image, **settings)
    if vector is not None:
        tree.links.new(vector, node.inputs["Vector"])
    return node.outputs["Color"]


def coordinates(output):
    def build(tree):
        return skin(tree, new(tree, "ShaderNodeTexCoord").outputs[output])

    return build


def beyond(extension):
    def build(tree):
        mesh = bpy.data.objects["Source"].data
        write_uv(mesh, "UVMap", read_uv(mesh, "UVMap") * 1.7 - 0.35)
        return skin(tree, extension=extension)

    return build


def through(kind, socket="Color", output=0, **values):
    """An image through a node that changes colours."""

    def build(tree):
        node = new(tree, kind)
        for name, value in values.items():
            node.inputs[name].default_value = value
        tree.links.new(skin(tree), node.inputs[socket])
        return node.outputs[output]

    return build


def mapped(tree):
    node = new(tree, "ShaderNodeMapping")
    node.inputs["Scale"].default_value = (2, 3, 1)
    node.inputs["Rotation"].default_value = (0, 0, 0.4)
    tree.links.new(new(tree, "ShaderNodeTexCoord").outputs["UV"], node.inputs["Vector"])
    return skin(tree, node.outputs[0])


def unmapped(tree):
    node = new(tree, "ShaderNodeMapping")
    tree.links.new(new(tree, "ShaderNodeTexCoord").outputs["UV"], node.inputs["Vector"])
    return skin(tree, node.outputs[0])


def scaled(tree):
    node = new(tree, "ShaderNodeVectorMath", operation="SCALE")
    node.inputs["Scale"].default_value = 3
    tree.links.new(new(tree, "ShaderNodeTexCoord").outputs["UV"], node.inputs[0])
    return skin(tree, node.outputs[0])


def of_object(tree):
    """The coordinates of another object."""
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.collection.objects.link(empty)
    empty.location, empty.scale = (0.3, 0.2, 0), (2, 2, 2)
    bpy.context.view_layer.update()
    return skin(tree, new(tree, "ShaderNodeTexCoord", object=empty).outputs["Object"])


def mixed(tree):
    node = new(tree, "ShaderNodeMix", data_type="RGBA")
    node.inputs[0].default_value = 0.4
    tree.links.new(skin(tree), node.inputs[6])
    tree.links.new(skin(tree, kind="other", name="Other"), node.inputs[7])
    return node.outputs[2]


def ramp(tree):
    node = new(tree, "ShaderNodeValToRGB")
    node.color_ramp.elements[0].color = (0.8, 0.1, 0.0, 1)
    node.color_ramp.elements[1].color = (0.0, 0.3, 0.9, 1)
    tree.links.new(skin(tree), node.inputs[0])
    return node.outputs[0]


def rerouted(tree):
    middle = new(tree, "NodeReroute")
    tree.links.new(skin(tree, new(tree, "ShaderNodeUVMap", uv_map="UV2").outputs[0]),
                   middle.inputs[0])  # fmt: skip
    return middle.outputs[0]


def muted(tree):
    colour = through("ShaderNodeInvert")(tree)
    colour.node.mute = True
    return colour


def grouped(depth, is_from_outside=False):
    """An image in a node group, or in a group of a group; or below one, whose input it is."""

    def build(tree):
        inner = bpy.data.node_groups.new(f"Group {depth}", "ShaderNodeTree")
        inner.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
        end = inner.nodes.new("NodeGroupOutput")
        if is_from_outside:
            inner.interface.new_socket("In", in_out="INPUT", socket_type="NodeSocketColor")
            node = inner.nodes.new("ShaderNodeInvert")
            inner.links.new(inner.nodes.new("NodeGroupInput").outputs[0], node.inputs["Color"])
            inner.links.new(node.outputs[0], end.inputs[0])
        else:
            colour = skin(inner) if depth == 1 else grouped(depth - 1)(inner)
            inner.links.new(colour, end.inputs[0])
        group = new(tree, "ShaderNodeGroup", node_tree=inner)
        if is_from_outside:
            tree.links.new(skin(tree), group.inputs[0])
        return group.outputs[0]

    return build


def coloured(kind, **settings):
    """A colour attribute of vertices."""

    def build(tree):
        mesh = bpy.data.objects["Source"].data
        colours = mesh.color_attributes.new("Paint", "FLOAT_COLOR", "POINT")
        values = np.ones((len(mesh.vertices), 4), dtype=np.float32)
        values[:, :3] = 0.5 + 0.25 * np.array([v.co for v in mesh.vertices])
        colours.data.foreach_set("color", np.clip(values, 0, 1).ravel())
        return new(tree, kind, **settings).outputs["Color"]

    return build


def pattern(kind, **values):
    def build(tree):
        node = new(tree, kind)
        for name, value in values.items():
            node.inputs[name].default_value = value
        return node.outputs["Color"]

    return build


def tiled(tree):
    mesh = bpy.data.objects["Source"].data
    uv = read_uv(mesh, "UVMap")
    uv[uv.mean(axis=1)[:, 0] > 0.5] += [1, 0]
    write_uv(mesh, "UVMap", uv)
    return new(tree, "ShaderNodeTexImage", image=add_tiles()).outputs["Color"]


def with_alpha(tree):
    """The alpha is used, so that the colour is not darkened by it."""
    node = skin(tree, kind="alpha", name="Alpha").node
    shader = tree.nodes.get("Principled BSDF")
    if shader:
        tree.links.new(node.outputs["Alpha"], shader.inputs["Alpha"])
    return node.outputs["Color"]


COLOURS = {
    "render UV map": skin,
    "UV Map node": lambda t: skin(t, new(t, "ShaderNodeUVMap", uv_map="UV2").outputs[0]),
    "UV Map node without a name": lambda t: skin(t, new(t, "ShaderNodeUVMap").outputs[0]),
    "Attribute node": lambda t: skin(
        t, new(t, "ShaderNodeAttribute", attribute_name="UV2").outputs["Vector"]
    ),
    "UV coordinates": coordinates("UV"),
    "Mapping that changes nothing": unmapped,
    "reroute": rerouted,
    "closest": lambda t: skin(t, interpolation="Closest"),
    "repeat": beyond("REPEAT"),
    "extend": beyond("EXTEND"),
    "clip": beyond("CLIP"),
    "mirror": beyond("MIRROR"),
    "image of raw data": lambda t: skin(t, space="Non-Color"),
    "linear image": lambda t: skin(t, space="Linear Rec.709"),
    "float image": lambda t: skin(t, space="Linear Rec.709", is_float=True),
    "image of another space": lambda t: skin(t, space="Filmic sRGB"),
    "alpha": with_alpha,
    "Mapping": mapped,
    "Vector Math": scaled,
    "Generated": coordinates("Generated"),
    "Object": coordinates("Object"),
    "object of another": of_object,
    "Normal": coordinates("Normal"),
    "box projection": lambda t: skin(
        t, new(t, "ShaderNodeTexCoord").outputs["Generated"], projection="BOX"
    ),
    "wrong UV map": lambda t: skin(t, new(t, "ShaderNodeUVMap", uv_map="Lost").outputs[0]),
    "muted": muted,
    "group": grouped(1),
    "group in a group": grouped(2),
    "image into a group": grouped(3, is_from_outside=True),
    "mix of images": mixed,
    "ramp": ramp,
    "hue": through("ShaderNodeHueSaturation", Hue=0.7, Saturation=0.8),
    "invert": through("ShaderNodeInvert"),
    "gamma": through("ShaderNodeGamma", Gamma=2.0),
    "one channel": through("ShaderNodeSeparateColor", output=1),
    "noise": pattern("ShaderNodeTexNoise", Scale=3.0),
    "checker": pattern("ShaderNodeTexChecker", Scale=3.0),
    "colour attribute": coloured("ShaderNodeVertexColor", layer_name="Paint"),
    "attribute": coloured("ShaderNodeAttribute", attribute_name="Paint"),
    "UDIM tiles": tiled,
}


def new_material(name):
    material = bpy.data.materials.new(name)
    node_tree(material)
    return material


def give_material(obj, build, name="Paint"):
    """A Principled BSDF with a colour."""
    material = new_material(name)
    tree = material.node_tree
    tree.links.new(build(tree), tree.nodes["Principled BSDF"].inputs["Base Color"])
    obj.data.materials.append(material)
    return material


@contextlib.contextmanager
def emitting(material, colour):
    """What a material would emit if it emitted a colour of its tree alone."""
    tree = material.node_tree
    output = tree.get_output_node("ALL")
    before = output.inputs["Surface"].links[0].from_socket
    emission = tree.nodes.new("ShaderNodeEmission")
    source = colour(tree)
    if isinstance(source, bpy.types.NodeSocket):
        tree.links.new(source, emission.inputs["Color"])
    else:
        emission.inputs["Color"].default_value = source
    both = tree.nodes.new("ShaderNodeAddShader")
    tree.links.new(emission.outputs[0], both.inputs[0])
    if before.node.type == "BSDF_PRINCIPLED":
        # The colour of an image depends on whether its alpha is in use.
        tree.links.new(before, both.inputs[1])
    tree.links.new(both.outputs[0], output.inputs["Surface"])
    yield
    tree.links.new(before, output.inputs["Surface"])
    tree.nodes.remove(emission)
    tree.nodes.remove(both)


def baked(obj, layer, kind="EMIT"):
    """An object's materials baked by Cycles in the ordinary way, into one of its layouts."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    image = bpy.data.images.new("Seen", SIDE, SIDE, float_buffer=True)
    image.colorspace_settings.name = "Non-Color"
    nodes = []
    for slot in obj.material_slots:
        node = slot.material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = image
        slot.material.node_tree.nodes.active = node
        nodes.append((slot.material.node_tree, node))
    for other in bpy.context.view_layer.objects:
        other.select_set(other == obj)
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.bake(type=kind, normal_space="OBJECT", uv_layer=layer, margin=0)
    for tree, node in nodes:
        tree.nodes.remove(node)
    pixels = np.array(image.pixels[:], dtype=np.float32).reshape(SIDE, SIDE, 4)[..., :3]
    bpy.data.images.remove(image)
    return pixels


def texels_of(obj, layer):
    """Rows and columns well inside the islands."""
    found = rasterise(read_uv(obj.data, layer), SIDE, SIDE)
    return found.row, found.column


def base_colour(tree, channel="Base Color"):
    shader = tree.get_output_node("ALL").inputs["Surface"].links[0].from_node
    socket = shader.inputs.get(channel) or shader.inputs["Color"]
    if socket.links:
        return socket.links[0].from_socket
    value = socket.default_value
    return tuple(value) if hasattr(value, "__len__") else (value, value, value, 1)


def shown_by_target(target, layer="Lay", channel="Base Color"):
    with contextlib.ExitStack() as stack:
        for slot in target.material_slots:
            stack.enter_context(emitting(slot.material, lambda t: base_colour(t, channel)))
        return baked(target, layer)[texels_of(target, layer)]


def shown_by_source(source, colours, target, layer="Lay"):
    """`colours`: for each slot, from the tree to a socket or a colour."""
    source.data.uv_layers.new(name=layer, do_init=False)
    write_uv(source.data, layer, read_uv(target.data, layer))
    with contextlib.ExitStack() as stack:
        for slot, colour in zip(source.material_slots, colours, strict=True):
            stack.enter_context(emitting(slot.material, colour))
        return baked(source, layer)[texels_of(target, layer)]


def close(found, expected, tolerance=0.02):
    """In the brightness that one sees, where edges may lie half a texel apart."""
    away = np.abs(np.clip(found, 0, 1) ** (1 / 2.2) - np.clip(expected, 0, 1) ** (1 / 2.2))
    assert away.mean() < tolerance, away.mean(axis=0)
    assert np.ptp(found, axis=0).max() > 0.05


def transfer(**options):
    options = {"texture": True, "texture_size": 256, **options}
    assert bpy.ops.diffusionnet.transfer(source="Source", target="Target", **options) == {
        "FINISHED"
    }


@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_is_shown_as_on_the_source(pair, name):
    source, target = pair
    give_material(source, COLOURS[name])
    if name in ("Normal", "box projection"):
        # Flat faces have edges, which no image shows to the texel.
        source.data.shade_smooth()
    transfer()
    found = shown_by_target(target)
    expected = shown_by_source(source, [base_colour], target)
    if name == "wrong UV map":
        # One colour, as Blender shows it.
        np.testing.assert_allclose(found, expected, atol=0.02)
    else:
        # Edges, and what varies along the faces that are steep in the layout.
        rough = name in ("closest", "checker", "Normal", "box projection")
        close(found, expected, 0.06 if rough else 0.02)


def emission(tree, colour):
    shader = new(tree, "ShaderNodeEmission")
    return link(tree, colour, shader.inputs["Color"])


def diffuse(tree, colour):
    shader = new(tree, "ShaderNodeBsdfDiffuse")
    return link(tree, colour, shader.inputs["Color"])


def principled(tree, colour):
    shader = new(tree, "ShaderNodeBsdfPrincipled")
    return link(tree, colour, shader.inputs["Base Color"])


def mix(tree, factor, one, other):
    node = new(tree, "ShaderNodeMixShader")
    if isinstance(factor, float):
        node.inputs[0].default_value = factor
    else:
        tree.links.new(factor, node.inputs[0])
    tree.links.new(one, node.inputs[1])
    tree.links.new(other, node.inputs[2])
    return node.outputs[0]


def plain(tree, *colour):
    node = new(tree, "ShaderNodeRGB")
    node.outputs[0].default_value = (*colour, 1)
    return node.outputs[0]


def mask(tree):
    node = new(tree, "ShaderNodeSeparateColor")
    return link(tree, skin(tree, kind="other", name="Mask"), node.inputs[0])


def mixed_colours(tree, factor, one, other):
    node = new(tree, "ShaderNodeMix", data_type="RGBA")
    for socket, value in ((node.inputs[0], factor), (node.inputs[6], one), (node.inputs[7], other)):
        tree.links.new(value, socket)
    return node.outputs[2]


def shader_group(surface):
    def build(tree):
        inner = bpy.data.node_groups.new("Shader", "ShaderNodeTree")
        inner.interface.new_socket("BSDF", in_out="OUTPUT", socket_type="NodeSocketShader")
        inner.links.new(surface(inner), inner.nodes.new("NodeGroupOutput").inputs[0])
        return new(tree, "ShaderNodeGroup", node_tree=inner).outputs[0]

    return build


def toon(tree):
    """The light on a shader, which is no colour of the surface."""
    node = new(tree, "ShaderNodeShaderToRGB")
    tree.links.new(diffuse(tree, skin(tree)), node.inputs[0])
    return emission(tree, node.outputs["Color"])


# The surface, and the colour that is expected of it.
SURFACES = {
    "emission": (lambda t: emission(t, skin(t)), skin),
    "diffuse": (lambda t: diffuse(t, skin(t)), skin),
    "glossy": (
        lambda t: link(t, skin(t), new(t, "ShaderNodeBsdfAnisotropic").inputs["Color"]), skin,
    ),
    "mix by a value": (
        lambda t: mix(t, 0.0, diffuse(t, skin(t)), emission(t, plain(t, 1, 0, 0))), skin,
    ),
    "mix by an image": (
        lambda t: mix(t, mask(t), principled(t, skin(t)), diffuse(t, plain(t, 1, 0, 0))),
        lambda t: mixed_colours(t, mask(t), skin(t), plain(t, 1, 0, 0)),
    ),
    "transparent": (
        lambda t: mix(t, mask(t), new(t, "ShaderNodeBsdfTransparent").outputs[0],
                      principled(t, skin(t))), skin,
    ),
    "sum": (
        lambda t: link(t, emission(t, skin(t)), new(t, "ShaderNodeAddShader").inputs[0]), skin,
    ),
    "group": (shader_group(lambda t: principled(t, skin(t))), skin),
    "group of a mix": (
        shader_group(
            lambda t: mix(t, mask(t), diffuse(t, skin(t)), emission(t, plain(t, 0, 0, 1)))
        ),
        lambda t: mixed_colours(t, mask(t), skin(t), plain(t, 0, 0, 1)),
    ),
    "group in a group": (shader_group(shader_group(lambda t: diffuse(t, skin(t)))), skin),
    "mix of groups": (
        lambda t: mix(t, mask(t), shader_group(lambda g: diffuse(g, skin(g)))(t),
                      shader_group(lambda g: principled(g, plain(g, 1, 1, 0)))(t)),
        lambda t: mixed_colours(t, mask(t), skin(t), plain(t, 1, 1, 0)),
    ),
    "shader to RGB": (toon, skin),
}  # fmt: skip


@pytest.mark.parametrize("name", SURFACES)
def test_a_surface_of_any_shader_is_shown_by_its_colour(pair, name):
    source, target = pair
    surface, colour = SURFACES[name]
    material = new_material("Paint")
    tree = material.node_tree
    tree.nodes.remove(tree.nodes["Principled BSDF"])
    tree.links.new(surface(tree), tree.nodes["Material Output"].inputs["Surface"])
    source.data.materials.append(material)
    groups = len(bpy.data.node_groups)
    transfer()
    assert len(bpy.data.node_groups) == groups
    found = shown_by_target(target)
    close(found, shown_by_source(source, [colour], target))
    if name == "transparent":
        alpha = shown_by_target(target, channel="Alpha")
        tree = bpy.data.materials["Paint"].node_tree
        with emitting(bpy.data.materials["Paint"], mask):
            expected = baked(source, "Lay")[texels_of(target, "Lay")]
        np.testing.assert_allclose(alpha.mean(), expected.mean(), atol=0.02)


def zone_materials(space, is_float):
    """Materials of all kinds, and what each shows, scene linear."""

    def nodes(name):
        material = new_material(name)
        return material, material.node_tree

    def with_surface(name, build):
        material, tree = nodes(name)
        tree.nodes.remove(tree.nodes["Principled BSDF"])
        tree.links.new(build(tree), tree.nodes["Material Output"].inputs["Surface"])
        return material

    image, tree = nodes("Image")
    colour = skin(tree, space=space, is_float=is_float)
    tree.links.new(colour, tree.nodes["Principled BSDF"].inputs["Base Color"])
    value, tree = nodes("Value")
    tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.1, 0.6, 0.1, 1)
    rgb, tree = nodes("RGB")
    tree.links.new(plain(tree, 0.7, 0.6, 0.1), tree.nodes["Principled BSDF"].inputs["Base Color"])
    none = bpy.data.materials.new("None")
    none.diffuse_color = (0.7, 0.1, 0.6, 1)
    if uses_nodes(none):
        # Since 5.0 every material does.
        none.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (
            0.7,
            0.1,
            0.6,
            1,
        )
    unlinked, tree = nodes("Unlinked")
    tree.links.clear()
    unlinked.diffuse_color = (0.2, 0.2, 0.7, 1)
    noise, tree = nodes("Group")
    tree.links.new(grouped(1)(tree), tree.nodes["Principled BSDF"].inputs["Base Color"])
    return {
        image: None,
        value: (0.1, 0.6, 0.1),
        rgb: (0.7, 0.6, 0.1),
        with_surface("Emission", lambda t: emission(t, plain(t, 0.1, 0.7, 0.8))): (0.1, 0.7, 0.8),
        with_surface("Diffuse", lambda t: diffuse(t, plain(t, 0.9, 0.3, 0.1))): (0.9, 0.3, 0.1),
        none: (0.7, 0.1, 0.6),
        unlinked: (0.2, 0.2, 0.7),
        noise: None,
        None: (0.8, 0.8, 0.8),
    }


def linear_skin():
    """Pixels of the image, scene linear."""
    image = bpy.data.images["Skin"]
    pixels = np.array(image.pixels[:]).reshape(*image.size, 4)
    if image.colorspace_settings.name == "sRGB":
        pixels = srgb_to_linear(pixels)
    return pixels


@pytest.mark.parametrize("is_each", [False, True])
@pytest.mark.parametrize(
    ("space", "is_float"),
    [("sRGB", False), ("Non-Color", False), ("Linear Rec.709", True), ("Filmic sRGB", False)],
)
def test_zones_of_any_material_have_their_colours(pair, space, is_float, is_each):
    """With an image in the first, a baked graph in another, and plain colours between."""
    source, target = pair
    zones = zone_materials(space, is_float)
    for material in zones:
        source.data.materials.append(material)
    at = np.array([polygon.center.x for polygon in source.data.polygons])
    number = np.argsort(np.argsort(at)) * len(zones) // len(at)
    source.data.polygons.foreach_set("material_index", number.astype(np.int32))
    transfer(materials=is_each)
    found = shown_by_target(target)
    points = rasterise(read_uv(target.data, "Lay"), SIDE, SIDE).points
    for zone, colour in enumerate(zones.values()):
        inner = (number[points.face] == zone) & (points.barycentric.min(axis=1) > 0.2)
        if colour:
            np.testing.assert_allclose(np.median(found[inner], axis=0), colour, atol=0.03)
        elif space == "Filmic sRGB":
            assert 0.01 < found[inner].mean() < 0.9
        else:
            uv = np.einsum(
                "nc,nci->ni", points.barycentric, read_uv(source.data, "UVMap")[points.face]
            )
            expected = sample(linear_skin(), uv[inner])[:, :3]
            away = np.abs(found[inner] - expected)
            assert np.median(away) < 0.02, (zone, np.median(away, axis=0), len(away))
    used = {polygon.material_index for polygon in target.data.polygons}
    assert len(used) == (len(zones) if is_each else 1)


def normal_map(tree, name="Bumps", uv_map="", space="TANGENT", vector=None):
    node = new(tree, "ShaderNodeNormalMap", space=space, uv_map=uv_map)
    colour = skin(tree, vector, kind="bumps", name=name, space="Non-Color")
    return link(tree, colour, node.inputs["Color"])


def bump(tree, height, normal=None):
    node = new(tree, "ShaderNodeBump")
    node.inputs["Distance"].default_value = 0.6
    if normal is not None:
        tree.links.new(normal, node.inputs["Normal"])
    return link(tree, height, node.inputs["Height"])


def group_of_normals(tree):
    inner = bpy.data.node_groups.new("Normals", "ShaderNodeTree")
    inner.interface.new_socket("Normal", in_out="OUTPUT", socket_type="NodeSocketVector")
    inner.links.new(normal_map(inner), inner.nodes.new("NodeGroupOutput").inputs[0])
    return new(tree, "ShaderNodeGroup", node_tree=inner).outputs[0]


RELIEFS = {
    "normal map": normal_map,
    "through a second UV map": lambda t: normal_map(
        t, uv_map="UV2", vector=new(t, "ShaderNodeUVMap", uv_map="UV2").outputs[0]
    ),
    "tangents of another UV map": lambda t: normal_map(t, uv_map="UV2"),
    "in the object's space": lambda t: normal_map(t, space="OBJECT"),
    "bump": lambda t: bump(t, skin(t, kind="bumps", name="Hills", space="Non-Color")),
    "bump of a pattern": lambda t: bump(t, pattern("ShaderNodeTexNoise", Scale=1.5)(t)),
    "bump over a normal map": lambda t: bump(t, skin(t, space="Non-Color"), normal_map(t)),
    "in a group": group_of_normals,
    "through a Mapping node": lambda t: normal_map(t, vector=mapped_uv(t)),
}


def mapped_uv(tree):
    node = new(tree, "ShaderNodeMapping")
    node.inputs["Scale"].default_value = (2, 2, 1)
    tree.links.new(new(tree, "ShaderNodeTexCoord").outputs["UV"], node.inputs["Vector"])
    return node.outputs[0]


@pytest.mark.parametrize("name", RELIEFS)
def test_a_relief_leans_as_on_the_source(pair, name):
    source, target = pair
    for obj in pair:
        obj.data.shade_smooth()
    material = give_material(source, skin)
    tree = material.node_tree
    tree.links.new(RELIEFS[name](tree), tree.nodes["Principled BSDF"].inputs["Normal"])
    transfer()
    source.data.uv_layers.new(name="Lay", do_init=False)
    write_uv(source.data, "Lay", read_uv(target.data, "Lay"))
    texels = texels_of(target, "Lay")
    found, expected = (2 * baked(obj, "Lay", "NORMAL")[texels] - 1 for obj in (target, source))
    for slot in source.material_slots:
        shader = slot.material.node_tree.nodes["Principled BSDF"]
        slot.material.node_tree.links.remove(shader.inputs["Normal"].links[0])
    flat = 2 * baked(source, "Lay", "NORMAL")[texels] - 1
    relief, error = (angles(one, expected).mean() for one in (flat, found))
    assert relief > 4
    assert error < max(0.3 * relief, 2.5), (error, relief)


def angles(one, other):
    one, other = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (one, other))
    return np.degrees(np.arccos(np.clip(np.einsum("ni,ni->n", one, other), -1, 1)))


def test_channels_packed_into_one_image_stay_so(pair):
    """Roughness and metallic of one image, and of another material by its values."""
    source, target = pair
    material = give_material(source, skin)
    tree = material.node_tree
    packed = new(tree, "ShaderNodeSeparateColor")
    tree.links.new(skin(tree, kind="other", name="Packed", space="Non-Color"), packed.inputs[0])
    shader = tree.nodes["Principled BSDF"]
    tree.links.new(packed.outputs["Green"], shader.inputs["Roughness"])
    tree.links.new(packed.outputs["Blue"], shader.inputs["Metallic"])
    other = new_material("Metal")
    other.node_tree.nodes["Principled BSDF"].inputs["Metallic"].default_value = 0.9
    other.node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value = 0.1
    source.data.materials.append(other)
    above = np.array([polygon.center.z > 0 for polygon in source.data.polygons])
    source.data.polygons.foreach_set("material_index", above.astype(np.int32))
    before = set(bpy.data.images)
    transfer()
    made = set(bpy.data.images) - before
    assert len(made) == 2
    for channel in ("Roughness", "Metallic"):
        found = shown_by_target(target, channel=channel)
        if "Lay" in source.data.uv_layers:
            source.data.uv_layers.remove(source.data.uv_layers["Lay"])
        colour = [lambda t, c=channel: base_colour(t, c)] * 2
        close(found, shown_by_source(source, colour, target), 0.03)


def test_materials_with_unlike_structures_are_shown_each_as_it_is(pair):
    """One packs what another has in an image of its own, or as a graph."""
    source, target = pair
    material = give_material(source, with_alpha)
    other = give_material(source, mapped, "Other")
    tree = other.node_tree
    tree.links.new(skin(tree, kind="other", name="Rough", space="Non-Color"),
                   tree.nodes["Principled BSDF"].inputs["Roughness"])  # fmt: skip
    above = np.array([polygon.center.z > 0 for polygon in source.data.polygons])
    source.data.polygons.foreach_set("material_index", above.astype(np.int32))
    transfer()
    assert material.users == other.users == 1
    for channel in ("Base Color", "Alpha", "Roughness"):
        found = shown_by_target(target, channel=channel)
        if "Lay" in source.data.uv_layers:
            source.data.uv_layers.remove(source.data.uv_layers["Lay"])
        colour = [lambda t, c=channel: base_colour(t, c)] * 2
        close(found, shown_by_source(source, colour, target), 0.03)


def counts():
    return {
        name: len(getattr(bpy.data, name))
        for name in ("scenes", "objects", "meshes", "materials", "images", "node_groups")
    }


def state():
    scene, layer = bpy.context.scene, bpy.context.view_layer
    return (
        scene.name, scene.render.engine, scene.render.bake.margin, scene.render.bake.target,
        scene.cycles.samples if hasattr(scene, "cycles") else None,
        layer.objects.active, [o.name for o in layer.objects.selected],
        [(o.name, o.hide_get(), o.hide_render, o.mode) for o in layer.objects],
    )  # fmt: skip


def test_a_bake_leaves_nothing_behind(pair):
    source, target = pair
    give_material(source, grouped(2))
    source.hide_render = True
    source.hide_set(True)
    before, here = counts(), state()
    transfer()
    after = counts()
    assert {n: after[n] - before[n] for n in before if after[n] != before[n]} == {
        "materials": 1, "images": 1
    }  # fmt: skip
    assert state() == here
    close(shown_by_target(target), shown_by_source_shown(source, target))


def shown_by_source_shown(source, target):
    source.hide_set(False)
    source.hide_render = False
    return shown_by_source(source, [base_colour], target)


def test_without_cycles_it_is_said_and_nothing_is_black(pair):
    import addon_utils

    source, target = pair
    give_material(source, grouped(1))
    shader = source.data.materials[0].node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (0.2, 0.5, 0.3, 1)
    addon_utils.disable("cycles")
    try:
        before, here = counts(), state()
        read = textures_of(source)
        assert counts() == before
        assert state() == here
    finally:
        addon_utils.enable("cycles")
    (texture,), _, (remark,) = read
    assert not texture.images
    np.testing.assert_allclose(texture.constants[0][:3] ** 2.2, (0.2, 0.5, 0.3), atol=0.02)
    assert "'Paint'" in remark
    assert "Cycles" in remark


def textures_of(source):
    from diffusionnet_blender.scene.layers import read_shape

    found = textures.find_textures(source)
    return texture_pixels.read_textures(source, read_shape(source), found)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda t: new(t, "ShaderNodeFresnel").outputs[0], "the view"),
        (lambda t: new(t, "ShaderNodeLayerWeight").outputs[0], "the view"),
        (lambda t: new(t, "ShaderNodeCameraData").outputs[1], "the view"),
        (lambda t: new(t, "ShaderNodeLightPath").outputs[0], "the view"),
        (lambda t: new(t, "ShaderNodeTexCoord").outputs["Reflection"], "the view"),
        (lambda t: new(t, "ShaderNodeObjectInfo").outputs["Random"], "the name"),
        (lambda t: new(t, "ShaderNodeAttribute", attribute_name="gone").outputs[0], "'gone'"),
        (lambda t: skin(t, new(t, "ShaderNodeUVMap", uv_map="Lost").outputs[0]), "'Lost'"),
    ],
)
def test_what_an_image_cannot_show_is_told(pair, build, words):
    source, _ = pair
    give_material(source, build)
    (remark,) = textures.find_textures(source).remarks
    assert "'Paint'" in remark
    assert words in remark


def moved_islands(change):
    """Another layout for the target: its right half changed."""

    def lay(target):
        uv = read_uv(target.data, "Lay")
        right = uv.mean(axis=1)[:, 0] > 0.5
        write_uv(target.data, "Lay", change(uv.copy(), right))
        target.data.uv_layers.new(name="Flat", do_init=False)
        write_uv(target.data, "Flat", uv)

    return lay


def shifted(*by):
    def change(uv, right):
        uv[right] += by
        return uv

    return change


def stacked(*by):
    """Each half fills its own unit square: what lies in the right one would cover the left."""

    def change(uv, right):
        uv[..., 0] = 2 * uv[..., 0] - right[:, None]
        uv[right] += by
        return uv

    return change


@pytest.mark.parametrize(
    ("change", "tiles"),
    [
        (shifted(1, 0), ()),
        (shifted(-1, 0), ()),
        (shifted(3, -2), ()),
        (shifted(0.3, 0), ()),
        (shifted(0, 0.7), ()),
        (stacked(1, 0), (1001, 1002)),
        (stacked(0, 1), (1001, 1011)),
        (stacked(9, 3), (1001, 1040)),
    ],
)
@pytest.mark.parametrize("is_float", [False, True])
def test_a_target_s_layout_may_leave_the_unit_square(pair, change, tiles, is_float, tmp_path):
    source, target = pair
    space = "Linear Rec.709" if is_float else "sRGB"
    give_material(source, lambda t: skin(t, space=space, is_float=is_float))
    moved_islands(change)(target)
    transfer()
    expected = shown_by_source(source, [base_colour], target, "Flat")
    close(shown_by_target(target, "Flat"), expected)
    image = next(i for i in bpy.data.images if i.name == "Target Base Color")
    assert (image.source == "TILED") == bool(tiles)
    if tiles:
        assert tuple(tile.number for tile in image.tiles) == tiles
        # Packed: they are in the file.
        path = str(tmp_path / "tiles.blend")
        bpy.ops.wm.save_as_mainfile(filepath=path)
        bpy.ops.wm.open_mainfile(filepath=path)
        close(shown_by_target(bpy.data.objects["Target"], "Flat"), expected)


def test_a_target_without_a_uv_map_and_a_source_without_one(pair):
    source, target = pair
    give_material(source, coordinates("Generated"))
    for obj in pair:
        while obj.data.uv_layers:
            obj.data.uv_layers.remove(obj.data.uv_layers[0])
    transfer()
    close(shown_by_target(target, "UVMap"), shown_by_source(source, [base_colour], target, "UVMap"))


def test_a_source_of_plain_colours_gets_an_image_and_one_of_one_colour_is_refused(pair):
    source, target = pair
    for name, colour in (("Red", (0.8, 0.1, 0.1, 1)), ("Blue", (0.1, 0.1, 0.8, 1))):
        material = new_material(name)
        shader = material.node_tree.nodes["Principled BSDF"]
        shader.inputs["Base Color"].default_value = colour
        source.data.materials.append(material)
    with pytest.raises(RuntimeError, match="one colour everywhere"):
        transfer()
    above = np.array([polygon.center.z > 0 for polygon in source.data.polygons])
    source.data.polygons.foreach_set("material_index", above.astype(np.int32))
    transfer()
    found = shown_by_target(target)
    points = rasterise(read_uv(target.data, "Lay"), SIDE, SIDE).points
    for zone, colour in ((above, (0.1, 0.1, 0.8)), (~above, (0.8, 0.1, 0.1))):
        np.testing.assert_allclose(np.median(found[zone[points.face]], axis=0), colour, atol=0.02)


@pytest.mark.parametrize("is_painted", [False, True])
def test_an_image_of_tiles_is_replaced_by_the_next_transfer_unless_it_was_painted(pair, is_painted):
    source, target = pair
    give_material(source, skin)
    moved_islands(stacked(1, 0))(target)
    transfer()
    image = bpy.data.images["Target Base Color"]
    if is_painted:
        image.pixels[0] = 0.125
        image.update()
    before = counts()
    transfer()
    after = counts()
    assert after["images"] - before["images"] == is_painted
    assert after["materials"] - before["materials"] == is_painted
