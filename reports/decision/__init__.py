"""What becomes of a release: the policy's decision over the findings of a run."""
