"""How true and how cheap the load's figures are: `make bench` writes docs/benchmarks.md."""
