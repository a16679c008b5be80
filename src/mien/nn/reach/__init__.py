"""Receptive fields: the arithmetic along one axis, and how every operation of torch hands them on."""
