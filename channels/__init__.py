"""The ways to reach a patient, all behind one protocol, found by entry points."""
