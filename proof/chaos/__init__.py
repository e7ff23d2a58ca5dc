"""Chaos: many users work while parts are killed, slowed and cut at random; afterwards all is as it must be."""
