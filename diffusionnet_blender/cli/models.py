"""The command `models`: lists, shows and imports models of the library."""

from __future__ import annotations

import argparse

from ..tasks.import_model import job
from .options import Commands, add_options, file_path, values_of
from .session import library
from .streams import note, say


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    models = commands.add_parser("models", help="list, show and import models")
    actions = models.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list the names of all models")
    listing.set_defaults(run=_list_models)
    info = actions.add_parser("info", help="print the card of a model, as JSON")
    info.add_argument("name", metavar="NAME")
    info.set_defaults(run=_show_model)
    importing = actions.add_parser("import", help="add a model to the library")
    importing.add_argument(
        "file",
        type=file_path,
        metavar="FILE",
        help="Published weights (.pth), or a .safetensors with its .json card beside it",
    )
    importing.add_argument(
        "--card",
        type=file_path,
        metavar="CARD.json",
        help="For a .pth: its class names, colours, features, licence ...",
    )
    add_options(importing, job.ImportRequest)
    importing.set_defaults(run=_import_model)


def _list_models(chosen: argparse.Namespace) -> int:
    from ..tasks.models import read_library

    found = read_library([library()])
    for card in found.cards:
        outputs = f"{len(card.class_names)} classes" if card.class_names else "matches shapes"
        say(f"{card.name}\t{outputs}\t{card.title}")
    for path, error in found.left_out:
        note(f"{path.name} is left out: {error}")
    return 0


def _show_model(chosen: argparse.Namespace) -> int:
    from ..network.card import ModelCard
    from ..tasks.models import model_path

    path = model_path(chosen.name, [library()]).with_suffix(".json")
    ModelCard.load(path)
    say(path.read_text(encoding="utf-8").rstrip())
    return 0


def _import_model(chosen: argparse.Namespace) -> int:
    from ..tasks.models import import_model

    options = values_of(job.ImportRequest, chosen)
    say(str(import_model(chosen.file, library(), chosen.card, **options)))
    return 0
