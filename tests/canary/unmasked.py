"""Takes the masking out: with this plugin nothing is learnt, so nothing is masked. The canary must be seen everywhere."""

from fixtures import masking

masking.learn = lambda name, value: None
