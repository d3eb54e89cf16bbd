"""A layout that records the texts which drawing functions show."""

import re
from types import SimpleNamespace

import bpy

from diffusionnet_blender import translations
from diffusionnet_blender.properties.model_lists import model_card

# Around a text that has passed `translations.worded`.
START, END = "\x02", "\x03"
TEXT_ARGUMENTS = ("text", "heading", "placeholder")
# As the tool that gathers the texts; names of products are the same in every language.
PRODUCTS = {"DiffusionNet", "NumPy", "PyTorch", "CUDA", "ROCm", "XPU", "Metal", "CPU"}
PACKAGE = "diffusionnet_blender"


class Interface:
    """Texts that were shown, and the layout that records them.

    Attributes
    ----------
    texts : set of str
        In English, with the fields for values.
    names : set of str
        Operators and properties that were drawn.
    """

    def __init__(self):
        self.texts = set()
        self.names = set()

    @property
    def layout(self):
        return Layout(self)

    def show(self, text):
        """Record a text; of those with values, the text with its fields."""
        marked = worded_in(text)
        if marked:
            self.texts.update(marked)
        elif re.search("[A-Za-z]", text) and text not in PRODUCTS:
            self.texts.add(text)

    def show_property(self, owner, name):
        """Record the name of a property, its tooltip, and those of the items of a choice."""
        prop = owner.bl_rna.properties[name]
        self.names.add(name)
        # A property without a name is called by its identifier.
        if prop.name != prop.identifier:
            self.show(prop.name)
        self.show(prop.description)
        for _, title, description in items_of(owner, prop):
            self.show(title)
            self.show(description)

    def show_operator(self, idname):
        """Record the label of an operator and its tooltip."""
        room, name = idname.split(".")
        rna = getattr(getattr(bpy.ops, room), name).get_rna_type()
        self.names.add(idname)
        if room == "diffusionnet":
            self.show(rna.name)
            self.show(rna.description)
        return rna

    def show_properties_of_operator(self, cls):
        """Record all properties of an operator: redo panel, dialog or keymap editor show them."""
        rna = self.show_operator(cls.bl_idname)
        bases = [base for base in cls.__mro__ if base.__module__.startswith(PACKAGE)]
        ours = {name for base in bases for name in vars(base).get("__annotations__", ())}
        for prop in rna.properties:
            if prop.identifier in ours and not prop.is_hidden:
                self.show_property(Values(rna), prop.identifier)

    def show_reason(self, cls, context):
        """Record why an operator is disabled, if it is."""
        if not hasattr(cls, "poll"):
            return
        probe = type("Probe", (cls,), {"poll_message_set": staticmethod(self.show)})
        probe.poll(context)

    def draw(self, cls, context, **values):
        """Record what a panel, menu or operator draws."""
        self.show(getattr(cls, "bl_label", ""))
        cls.draw(type("Drawn", (), {"layout": self.layout, **values})(), context)

    def draw_operator(self, cls, context, **values):
        """Record what the `draw` of an operator draws, with its properties at their defaults."""
        rna = self.show_operator(cls.bl_idname)
        defaults = {
            prop.identifier: getattr(prop, "default", None)
            for prop in rna.properties
            if prop.identifier != "rna_type"
        }
        drawn = type("Drawn", (Values,), {"layout": self.layout, **defaults, **values})
        cls.draw(drawn(rna), context)


class Layout:
    """Stands for a layout of Blender; arguments must be those that it takes."""

    def __init__(self, interface):
        self.interface = interface

    def __getattr__(self, name):
        return lambda *args, **options: self._call(name, args, options)

    def _call(self, name, args, options):
        parameters = bpy.types.UILayout.bl_rna.functions[name].parameters
        assert set(options) <= set(parameters.keys()), (name, options)
        if "icon" in options:
            assert options["icon"] in parameters["icon"].enum_items
        for text in (options.get(argument) or "" for argument in TEXT_ARGUMENTS):
            # Data is not translated, but for what has been worded already.
            if options.get("translate", True) or worded_in(text):
                self.interface.show(text)
        if name in ("prop", "prop_search"):
            self.interface.show_property(*args[:2])
        elif name == "template_list":
            # Rows have the tooltip of the property with the number of the active one.
            self.interface.show_property(*args[4:6])
        elif name == "operator":
            return Settable(self.interface.show_operator(args[0]))
        return Layout(self.interface)


class Values:
    """Stands for an operator: its properties can be drawn."""

    def __init__(self, rna):
        self.bl_rna = rna


class Settable:
    """Properties of a button's operator, which must be there to be set."""

    def __init__(self, rna):
        self.__dict__["rna"] = rna

    def __setattr__(self, name, value):
        assert name in self.rna.properties, name


def items_of(owner, prop):
    """Identifier, name and tooltip of the items of a choice, except models: a card is data."""
    if prop.type != "ENUM":
        return []
    annotations = {}
    for base in reversed(type(owner).__mro__):
        annotations.update(vars(base).get("__annotations__", {}))
    keywords = getattr(annotations.get(prop.identifier), "keywords", {})
    if callable(keywords.get("items")):
        items = [item[:3] for item in keywords["items"](owner, bpy.context)]
        return [item for item in items if model_card(item[0]) is None]
    return [(item.identifier, item.name, item.description) for item in prop.enum_items_static]


def worded_in(text):
    """English texts, with their fields, that `worded` put into a text."""
    return [each for each in re.findall(f"{START}(.*?){END}", text, re.DOTALL) if each]


def mark_worded(monkeypatch):
    """Have `worded` return the English text between marks, with the fields for values."""

    def marked(english):
        return START + english.replace("{", "{{").replace("}", "}}") + END

    app = SimpleNamespace(translations=SimpleNamespace(pgettext_iface=marked))
    monkeypatch.setattr(translations, "bpy", SimpleNamespace(app=app))
