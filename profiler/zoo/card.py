"""The card of a family: its manifest in words."""

from profiler.modelfile.families import MANIFEST, Family, FamilyMember

_TITLES = {
    "lab": "one network in six forms",
    "width": "MobileNetV2 in several widths",
}
_USE = {
    "lab": (
        "A cat-or-dog classifier, the same weights in every form, for telling apart what runtime, precision and file "
        "format cost. `keras-trained` and `keras` differ by the optimiser's state in the file, `keras` and "
        "`litert-fp32` by the runtime, the LiteRT forms by the precision."
    ),
    "width": (
        "**The weights are random and the answers mean nothing.** What an inference costs does not depend on them: the "
        "family is for measuring how cost goes with size. The batch normalisation has the statistics of real pictures, "
        "so that activations have the size that they have in a trained network."
    ),
}
_INPUT = (
    "Input `image`: RGB, 1 x 150 x 150 x 3, uint8, values 0 to 255; of int8 forms int8, the value less 128. Output "
    "`logit`: 1 x 1, float32; of int8 forms int8 with scale and zero point in the file. Signature of the .tflite "
    "forms: `serving_default`."
)
_BUILTIN = {
    "lab": (
        "No photos were named for this build. The built-in photograph shows one cat, and noise is no dog: a logit "
        "beyond what these pictures give is cut off in the int8 form, which changes its value and not its sign. "
        "`profiler models build --family lab --photos DIR` calibrates on photos of cats and dogs."
    ),
    "width": "No trained weights, so no photos are needed.",
}


def text(family: Family) -> str:
    """The card as Markdown."""
    origin = family.origin
    packages = ", ".join(f"{name} {version}" for name, version in origin.packages.items())
    weights = f"Weights: {origin.weights}"
    if origin.weights_sha256:
        weights += f" (SHA-256 `{origin.weights_sha256}`)"
    lines = [
        f"# Model family `{family.name}`: {_TITLES[family.name]}",
        _USE[family.name],
        "\n".join(["| Form | File | Bytes | What it is | SHA-256 |", "|---|---|---|---|---|", *_rows(family.members)]),
        _INPUT,
        "## Origin",
        f"{weights}. Built with {packages}; seed {origin.seed}.",
        f"Pictures that int8 was calibrated on: {origin.pictures}, {origin.pictures_count} in all (SHA-256 of their "
        f"pixels `{origin.pictures_sha256}`).",
        *([_BUILTIN[family.name]] if origin.builtin else []),
        f"`{MANIFEST}` beside this file holds the same for programs. Built by `profiler models build --family "
        f"{family.name}`; building again replaces this folder.",
    ]
    return "\n\n".join(lines) + "\n"


def _rows(members: tuple[FamilyMember, ...]) -> list[str]:
    return [
        f"| `{entry.label}` | `{entry.file}` | {entry.size_bytes:,} | {entry.what} | `{entry.sha256}` |"
        for entry in members
    ]
