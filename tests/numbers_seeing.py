"""What the lessons on seeing, sequences, generation and faces should find; as in numbers_learning.py."""

NUMBERS: dict[str, dict[str, tuple[float, float]]] = {}
