"""Takes the masking out: with this plugin nothing is learnt, so nothing is masked. The canary must be seen everywhere."""

from gate.masking import Masking

Masking.learn = lambda self, name, value: None  # type: ignore[method-assign]
