"""The command `models`: the library of models."""

from __future__ import annotations

from pathlib import Path

from .session import library


def add_parser(commands) -> None:
    """Add the command to those of the command line."""
    models = commands.add_parser("models", help="list, show and import models")
    actions = models.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="names of the models at hand")
    listing.set_defaults(run=_list_models)
    info = actions.add_parser("info", help="the card of a model, as JSON")
    info.add_argument("name")
    info.set_defaults(run=_show_model)
    importing = actions.add_parser("import", help="add a model to the library")
    importing.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="published weights (.pth), or a .safetensors with its .json card beside it",
    )
    importing.add_argument(
        "--card",
        type=Path,
        metavar="CARD.json",
        help="for a .pth: its class names, colours, features, licence ...",
    )
    importing.set_defaults(run=_import_model)


def _list_models(chosen) -> int:
    from ..tasks.models import list_models

    for card in list_models([library()]):
        what = f"{len(card.class_names)} classes" if card.class_names else "matches shapes"
        print(f"{card.name}\t{what}\t{card.title}")
    return 0


def _show_model(chosen) -> int:
    from ..network.card import ModelCard
    from ..tasks.models import model_path

    path = model_path(chosen.name, [library()]).with_suffix(".json")
    ModelCard.load(path)
    print(path.read_text(encoding="utf-8").rstrip())
    return 0


def _import_model(chosen) -> int:
    from ..tasks.models import import_model

    print(import_model(chosen.file, library(), chosen.card))
    return 0
