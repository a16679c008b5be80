"""What the lessons on neurons and their training should find: value, largest distance from it, and where the values come from.

"Measured" numbers come from a seeded run on a CPU; the distance leaves room for another processor's rounding.
"""

NUMBERS: dict[str, dict[str, tuple[float, float]]] = {
    # z = 2 - 3 + 0.5, 1 / (1 + e^0.5); ln 2; measured. Two such clouds overlap: the best border errs at Phi(-sqrt 2 / 0.9) = 5.8 %.
    "neuron_single": {
        "output_by_hand": (0.377541, 1e-6), "first_loss": (0.693147, 1e-6), "last_loss": (0.1332, 0.002), "accuracy": (0.96, 0.011),
    },
}  # fmt: skip
