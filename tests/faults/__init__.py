"""Attacks on the library, by the thousand: every case ends as it should, or is named.

``python -m tests.faults`` runs them; docs/proof.md says what each kind does and what was measured. A
case is a number: what it does follows from the seed and that number alone, so that every failure can
be run again.
"""
