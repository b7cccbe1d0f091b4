"""Photographs a GLB of ours for the portrait engine: path-traced light through the skin, a soft lens.

Needs Blender as a module (`bpy`, 370 MB) in an environment of its own, so this file imports nothing else of the
project: `python workers/lipsync/generator3d/portrait.py vera.glb -o portrait.jpg`.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import bpy
from mathutils import Vector

MIDDLE = Vector((0.0, 0.02, 1.606))
"""Between the eyes and the mouth; Blender's y points backwards."""
EXPRESSION = {
    "mouthSmileLeft": 0.20,
    "mouthSmileRight": 0.20,
    "eyeSquintLeft": 0.10,
    "eyeSquintRight": 0.10,
    "cheekSquintLeft": 0.15,
    "cheekSquintRight": 0.15,
}
"""Lips stay closed: the portrait engine opens them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("glb", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--backdrop", nargs=2, default=["#d3dedf", "#809ca5"], help="in the light, in the shade")
    options = parser.parse_args()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(options.glb))
    scene = bpy.context.scene
    for thing in bpy.data.objects:
        if thing.name.startswith("Icosphere"):
            thing.hide_render = True  # Blender's own stand-in for bones
        if thing.type == "MESH":
            _prepare(thing)
    _light(scene)
    _backdrop(options.backdrop)
    _camera(scene)
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = options.samples
    scene.cycles.use_denoising = True
    scene.cycles.max_bounces = 6
    scene.render.threads_mode = "FIXED"
    scene.render.threads = 2
    scene.render.resolution_x = scene.render.resolution_y = options.side
    scene.view_settings.view_transform = "Standard"  # AgX greys the skin
    scene.view_settings.exposure = -0.12
    scene.render.image_settings.file_format = "JPEG"
    scene.render.image_settings.quality = 93
    scene.render.filepath = str(options.out.resolve())
    bpy.ops.render.render(write_still=True)


def _prepare(thing: Any) -> None:
    for material in thing.data.materials:
        surface = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
        if "Skin" in material.name:
            surface.inputs["Subsurface Weight"].default_value = 0.30
            surface.inputs["Subsurface Radius"].default_value = (1.0, 0.35, 0.2)
            surface.inputs["Subsurface Scale"].default_value = 0.005
        if "Hair" in material.name:  # what is painted into its texture shines already
            surface.inputs["Specular IOR Level"].default_value = 0.2
    if any(word in thing.name for word in ("Head", "Hair", "Top")):
        smooth = thing.modifiers.new("smooth", "SUBSURF")
        smooth.levels, smooth.render_levels = 0, 1
    keys = thing.data.shape_keys
    for name, weight in EXPRESSION.items():
        if keys and name in keys.key_blocks:
            keys.key_blocks[name].value = weight


def _light(scene: Any) -> None:
    """A large warm key, a cool fill, two rims, a little from below."""
    world = bpy.data.worlds.new("room")
    scene.world = world
    world.use_nodes = True
    room = world.node_tree.nodes["Background"]
    room.inputs[0].default_value = (0.42, 0.45, 0.48, 1)
    room.inputs[1].default_value = 0.26
    for place, watts, size, colour in (
        ((-0.5, -0.8, 0.6), 16.0, 0.5, (1.0, 0.94, 0.87)),
        ((0.85, -0.6, 0.1), 5.0, 0.8, (0.88, 0.94, 1.0)),
        ((0.5, 0.6, 0.5), 3.0, 0.35, (0.92, 0.96, 1.0)),
        ((-0.5, 0.6, 0.45), 2.0, 0.35, (1.0, 0.97, 0.92)),
        ((0.0, -0.7, -0.5), 1.6, 0.5, (1.0, 0.95, 0.9)),
    ):
        lamp = bpy.data.lights.new("lamp", "AREA")
        lamp.energy, lamp.size, lamp.color = watts, size, colour
        thing = bpy.data.objects.new("lamp", lamp)
        thing.location = MIDDLE + Vector(place)
        thing.rotation_euler = (-Vector(place)).to_track_quat("-Z", "Y").to_euler()
        scene.collection.objects.link(thing)


def _backdrop(colours: list[str]) -> None:
    """A wall that shines by itself, lighter in the upper left."""
    bpy.ops.mesh.primitive_plane_add(size=3, location=(0, 1.2, 1.6), rotation=(math.pi / 2, 0, 0))
    wall = bpy.data.materials.new("wall")
    wall.use_nodes = True
    nodes, links = wall.node_tree.nodes, wall.node_tree.links
    nodes.clear()
    out, glow = nodes.new("ShaderNodeOutputMaterial"), nodes.new("ShaderNodeEmission")
    ramp, sphere = nodes.new("ShaderNodeValToRGB"), nodes.new("ShaderNodeTexGradient")
    sphere.gradient_type = "SPHERICAL"
    place, shift = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeMapping")
    shift.inputs["Location"].default_value = (0.25, -0.30, 0)
    shift.inputs["Scale"].default_value = (1.1, 1.1, 1.1)
    ramp.color_ramp.elements[0].color = (*_light_of(colours[1]), 1)
    ramp.color_ramp.elements[1].color = (*_light_of(colours[0]), 1)
    links.new(place.outputs["Object"], shift.inputs["Vector"])
    links.new(shift.outputs["Vector"], sphere.inputs["Vector"])
    links.new(sphere.outputs["Color"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], glow.inputs["Color"])
    links.new(glow.outputs["Emission"], out.inputs["Surface"])
    glow.inputs["Strength"].default_value = 1.0
    bpy.context.object.data.materials.append(wall)


def _camera(scene: Any) -> None:
    lens = bpy.data.cameras.new("lens")
    lens.lens = 80
    lens.dof.use_dof = True
    lens.dof.focus_distance = 0.69
    lens.dof.aperture_fstop = 5.6
    camera = bpy.data.objects.new("camera", lens)
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.location = MIDDLE + Vector((0, -0.78, 0.0))
    camera.rotation_euler = (MIDDLE - camera.location).to_track_quat("-Z", "Y").to_euler()


def _light_of(colour: str) -> tuple[float, ...]:
    """sRGB to linear."""
    return tuple((int(colour[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5))


if __name__ == "__main__":
    main()
