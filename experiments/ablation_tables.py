"""The tables of the ablation (paper Table 7, Figure 5; 3.3, 5.5)."""

from __future__ import annotations

from training.documents import percent, table

from .spread import Found, budget, by_seed, mean_and_spread

# Rows of Table 7 and Figure 5 in the paper.
PIECES = {
    "full method": "90.6%",
    "no diffusion": "31.4%",
    "fixed-time diffusion, t = 0.1": "89.1%",
    "fixed-time diffusion, t = 0.5": "81.6%",
    "no gradient features": "84.1%",
    "unlearned gradient features": "85.6%",
}
SIDES = {"complex A": "99.9%", "real A": "50.0%"}
MESHES, CLOUDS, IMPLICIT = "hks", "hks on clouds", "hks, implicit diffusion"
BUDGET = ["seeds", "steps", "minutes each"]


def tables(found: Found) -> str:
    """What was found, in Markdown; what has not been run is an empty cell."""

    def share(name: str, what: str = "accuracy") -> str:
        return mean_and_spread((result[what] for result in by_seed(found, name)), percent)

    def beside_paper(paper: dict[str, str]) -> list[list[str]]:
        return [
            [name, figure, share(name), *budget(by_seed(found, name))]
            for name, figure in paper.items()
        ]

    kinds = [
        ["meshes", share(MESHES), share(MESHES, "on the other"), *budget(by_seed(found, MESHES))],
        ["clouds", share(CLOUDS, "on the other"), share(CLOUDS), *budget(by_seed(found, CLOUDS))],
    ]
    diffusions = [
        [
            "spectral",
            share(MESHES),
            share(MESHES, "other diffusion"),
            *budget(by_seed(found, MESHES)),
        ],
        [
            "implicit",
            share(IMPLICIT, "other diffusion"),
            share(IMPLICIT),
            *budget(by_seed(found, IMPLICIT)),
        ],
    ]
    pieces = [
        "### Pieces of the method (Table 7)",
        table(["", "paper", "right", *BUDGET], beside_paper(PIECES)),
        "### Complex against real A (Figure 5)",
        table(["", "paper", "right", *BUDGET], beside_paper(SIDES)),
        "### Meshes and point clouds (5.5)",
        table(["trained on", "right on meshes", "right on clouds", *BUDGET], kinds),
        "### Spectral against implicit diffusion (3.3)",
        table(["trained with", "run with spectral", "run with implicit", *BUDGET], diffusions),
    ]
    return "\n\n".join(pieces)
